"""From the visits of one person after the other to a report. Holds one person's visits at a
time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import (
    Intervals,
    clip,
    intersection,
    measure,
    normalise,
    union,
    unions,
)
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet, Then
from proxy_addon.core.types import Grant, Interval
from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.report.date_range import Span
from proxy_addon.report.exhaustion import over
from proxy_addon.report.roles import Roles
from proxy_addon.report.segments import UsageSegment, pieces
from proxy_addon.report.totals import AllowanceSum, GrantSum, Report, RuleSum, Sum, Table

OTHERWISE = "otherwise"  # the name of what is blocked because no rule fits
_QUARTER, _HOUR = 900.0, 3600.0
# seconds beyond a limit on a day that are nobody's: a cut, and other proxies, take a moment
_ROUNDING = 1.0

type Beyonds = dict[str, Intervals]


def needed_since(engine: Engine, span: Span) -> float:
    """From when on visits have to be read, so that the balances of the first day are right."""
    return min(span.start, engine.needed_since(span.start))


def gather(
    engine: Engine,
    roles: Roles,
    span: Span,
    visits: Iterable[PlainVisit],
    grants: Iterable[Grant],
    *,
    by_person: bool = False,
) -> Report:
    """The report of a span. `visits` stand together by person; both begin at `needed_since`."""
    rules = engine.rule_set
    made = Report(span, rules, people=Table() if by_person else None)
    made.days = [Sum() for _ in span.days]
    made.given = [GrantSum() for _ in span.days]
    made.allowances = {name: AllowanceSum() for name in rules.allowances}
    made.observed = {name or OTHERWISE: RuleSum() for name, _, _ in _tried_out(rules)}
    by_name: defaultdict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        by_name[grant.person].append(grant)
        _count_grant(made, grant)
    hours = _Hours(rules.zone)
    for name, some in groupby(visits, key=lambda visit: visit.person):
        _Person(made, engine, roles, hours, name, list(some), by_name.get(name, ())).count()
    return made


def _tried_out(rules: RuleSet) -> Iterator[tuple[str | None, Then, str | None]]:
    """What stops nobody: the name that visits carry, what it would do, and its allowance."""
    for rule in rules.rules:
        if rule.observes:
            yield rule.name, rule.then, rule.allowance
    if rules.observes and rules.otherwise is Then.BLOCK:
        yield None, rules.otherwise, None


def _count_grant(made: Report, grant: Grant) -> None:
    if not made.span.start <= grant.created < made.span.until:
        return
    found = made.allowances.setdefault(grant.allowance, AllowanceSum())
    if grant.resets:
        found.resets += 1
    else:
        found.grants += 1
        found.granted += grant.seconds
        day = made.given[made.span.day(grant.created)]
        day.grants += 1
        day.seconds += grant.seconds


class _Hours:
    """The weekday and the hour that the wall clock shows, and when that hour ends. Offsets from
    UTC are multiples of a quarter of an hour, so that one look at the zone is enough for each of
    those."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[float, tuple[int, int, float]] = {}

    def at(self, instant: float) -> tuple[int, int, float]:
        """Weekday (0 = Monday), hour, and the instant at which it ends."""
        quarter = instant // _QUARTER
        found = self._known.get(quarter)
        if found is None:
            begins = quarter * _QUARTER
            shown = datetime.fromtimestamp(begins, self._zone)
            found = shown.weekday(), shown.hour, begins + _HOUR - shown.minute * 60 - shown.second
            self._known[quarter] = found
        return found


class _Person:
    """One person's part of a report."""

    def __init__(
        self,
        made: Report,
        engine: Engine,
        roles: Roles,
        hours: _Hours,
        name: str,
        visits: list[PlainVisit],
        grants: Sequence[Grant],
    ) -> None:
        self.made, self.engine, self.roles, self.hours, self.name = made, engine, roles, hours, name
        self.span = made.span
        self.within = Interval(made.span.start, made.span.until)
        self.visits = [visit for visit in visits if visit.end > visit.start]
        self.spent: Mapping[str, Intervals] = unions(
            (visit.allowance, Interval(visit.start, visit.end))
            for visit in self.visits
            if visit.allowance is not None
        )
        self.usage = StaticUsage(self.spent, tuple(grants))
        self.cells: defaultdict[tuple[int, str, str], Sum] = defaultdict(Sum)  # day, platform, role
        first = roles.person(name, self.within.start)
        self.always = None if first.duty else roles.role(name, self.within.start)

    def count(self) -> None:
        """Add this person to every sum."""
        found = pieces(self.visits, *self.within)
        if not found:
            return
        for piece in found:
            self._piece(piece)
        here = [visit for visit in self.visits if visit.end > self.within.start]
        for visit in here:
            start = max(visit.start, self.within.start)
            self.cells[self.span.day(start), visit.platform, self._role(start)].visits += 1
        beyond = {name: self._allowance(name, found) for name in self.spent}
        self._observed(here, beyond)
        self._add_to_totals()

    def _role(self, at: float) -> str:
        return self.always or self.roles.role(self.name, at)

    def _piece(self, piece: UsageSegment) -> None:
        """Count a piece, cut where days and hours begin."""
        start, end, platform, charged, estimated = piece
        hours, ends = self.made.hours, self.span.days
        role = self._role(start)
        while start < end:
            day = self.span.day(start)
            weekday, hour, until = self.hours.at(start)
            until = min(until, end, ends[day].end)
            seconds = until - start
            hours[weekday][hour] += seconds
            cell = self.cells[day, platform, role]
            if charged:
                cell.charged += seconds
            else:
                cell.free += seconds
                cell.estimated += seconds if estimated else 0.0
            start = until

    def _add_to_totals(self) -> None:
        """From this person's sums to those of everybody; in each of them this is one person."""
        made = self.made
        mine: dict[int, Sum] = {}
        for (day, platform, role), cell in self.cells.items():
            places = [
                made.whole,
                made.days[day],
                made.platforms.rows[platform],
                made.platforms.cells[day, platform],
                made.roles.rows[role],
                made.roles.cells[day, role],
            ]
            if made.people is not None:
                places += (made.people.rows[self.name], made.people.cells[day, self.name])
            for place in places:
                place.add(cell)
                mine[id(place)] = place
        for place in mine.values():
            place.people += 1

    def _allowance(self, name: str, found: list[UsageSegment]) -> Intervals:
        """Count an allowance; what was used beyond it."""
        used = clip(self.spent[name], *self.within)
        if not used:
            return ()
        total = self.made.allowances.setdefault(name, AllowanceSum())
        total.spent += measure(used)
        total.people += 1
        allowance = self.made.rules.allowances.get(name)
        if allowance is None:
            return ()  # spent under rules that are gone: nobody knows its limits
        beyond: Intervals = ()
        times = 0
        for day in range(self.span.day(used[0].start), self.span.day(used[-1].end) + 1):
            today = clip(used, *self.span.days[day])
            if not today:
                continue
            person = self.roles.person(self.name, today[0].start)
            limits = self.engine.limits(person, name, today[0].start)
            result = over(self.made.rules, allowance, limits, self.usage, self.span.days[day])
            if result.ran_out is not None:
                times += 1
                total.days[day].ran_out += 1
                self._ran_out(day, result.ran_out, found)
            if measure(result.beyond) >= _ROUNDING:
                total.days[day].seconds += measure(result.beyond)
                total.days[day].people += 1
                beyond = union(beyond, result.beyond)
        total.ran_out += times
        total.ran_out_people += times > 0
        total.beyond += measure(beyond)
        total.beyond_people += bool(beyond)
        return clip(beyond, *self.within)

    def _ran_out(self, day: int, at: float, found: list[UsageSegment]) -> None:
        """On the platform that was in use then."""
        last = max(
            (piece for piece in found if piece.charged and piece.start <= at),
            key=lambda piece: piece.start,
            default=found[0],
        )
        self.cells[day, last.platform, self._role(at)].ran_out += 1

    def _observed(self, visits: list[PlainVisit], beyond: Beyonds) -> None:
        """Rules that stop nobody, and what they would have stopped: what they block, and what is
        beyond a limit."""
        for name, then, allowance in _tried_out(self.made.rules):
            mine = [visit for visit in visits if visit.rule == name]
            used = clip(normalise(Interval(visit.start, visit.end) for visit in mine), *self.within)
            if not used:
                continue
            total = self.made.observed[name or OTHERWISE]
            total.seconds += measure(used)
            total.people += 1
            total.visits += len(mine)
            stopped = used if then is Then.BLOCK else ()
            if then is Then.SPEND and allowance in beyond:
                stopped = intersection(used, beyond[allowance])
            total.stopped += measure(stopped)
            total.stopped_people += bool(stopped)
