"""From the visits of one person after the other to a report. Holds one person's visits at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from proxy_addon.core.balance import StaticUsage
from proxy_addon.core.intervals import Intervals, clip, intersection, measure, normalise, union
from proxy_addon.core.policy import Engine
from proxy_addon.core.ruleset import Then
from proxy_addon.core.types import Grant, Interval
from proxy_addon.ports import PlainVisit
from proxy_addon.report.over import over
from proxy_addon.report.pieces import Piece, pieces
from proxy_addon.report.result import AllowanceSum, Report, RuleSum, Sum, Table
from proxy_addon.report.roles import Roles
from proxy_addon.report.span import Span
from proxy_addon.simulate.hours import spread

_ROUNDING = 1.0  # seconds beyond a limit on a day that are nobody's: a cut, and other proxies, take a moment

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
    made.allowances = {name: AllowanceSum() for name in rules.allowances}
    made.observed = {rule.name: RuleSum() for rule in rules.rules if rule.observes}
    by_name: defaultdict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        by_name[grant.person].append(grant)
        _count_grant(made, grant)
    for name, some in groupby(visits, key=lambda visit: visit.person):
        _Person(made, engine, roles, name, list(some), by_name.get(name, ())).count()
    return made


def _count_grant(made: Report, grant: Grant) -> None:
    if not made.span.start <= grant.created < made.span.until:
        return
    found = made.allowances.setdefault(grant.allowance, AllowanceSum())
    if grant.resets:
        found.resets += 1
    else:
        found.grants += 1
        found.granted += grant.seconds


class _Person:
    """One person's part of a report."""

    def __init__(
        self,
        made: Report,
        engine: Engine,
        roles: Roles,
        name: str,
        visits: list[PlainVisit],
        grants: Sequence[Grant],
    ) -> None:
        self.made, self.engine, self.roles, self.name = made, engine, roles, name
        self.span = made.span
        self.within = Interval(made.span.start, made.span.until)
        self.visits = [visit for visit in visits if visit.end > visit.start]
        spent: defaultdict[str, list[Interval]] = defaultdict(list)
        for visit in self.visits:
            if visit.allowance is not None:
                spent[visit.allowance].append(Interval(visit.start, visit.end))
        self.spent: Mapping[str, Intervals] = {name: normalise(some) for name, some in spent.items()}
        self.usage = StaticUsage(self.spent, tuple(grants))
        self.seen: set[int] = set()  # sums that this person is counted in already

    def count(self) -> None:
        """Add this person to every sum."""
        found = pieces(self.visits, *self.within)
        if not found:
            return
        for piece in found:
            for day, part in self._by_day(piece):
                self._add(day, part)
        here = [visit for visit in self.visits if visit.end > self.within.start]
        for visit in here:
            start = max(visit.start, self.within.start)
            for one in self._sums(self.span.day(start), visit.platform, self._role(start)):
                one.visits += 1
        beyond = {name: self._allowance(name, found) for name in self.spent}
        self._observed(here, beyond)

    def _role(self, at: float) -> str:
        return self.roles.role(self.name, at)

    def _by_day(self, piece: Piece) -> Iterator[tuple[int, Piece]]:
        """A piece, cut where days begin."""
        start, day = piece.start, self.span.day(piece.start)
        while start < piece.end:
            end = min(piece.end, self.span.days[day].end)
            yield day, piece._replace(start=start, end=end)
            start, day = end, day + 1

    def _add(self, day: int, piece: Piece) -> None:
        seconds = piece.end - piece.start
        for one in self._sums(day, piece.platform, self._role(piece.start)):
            if piece.charged:
                one.charged += seconds
            else:
                one.free += seconds
            if id(one) not in self.seen:
                self.seen.add(id(one))
                one.people += 1
        for begins, part in spread((Interval(piece.start, piece.end),), self.made.rules.zone):
            shown = datetime.fromtimestamp(begins, self.made.rules.zone)
            self.made.hours[shown.weekday()][shown.hour] += part

    def _sums(self, day: int, platform: str, role: str) -> Iterator[Sum]:
        """Everything that a moment counts for."""
        made = self.made
        yield made.whole
        yield made.days[day]
        tables = [(made.platforms, platform), (made.roles, role)]
        if made.people is not None:
            tables.append((made.people, self.name))
        for table, name in tables:
            yield table.rows[name]
            yield table.cells[day, name]

    def _allowance(self, name: str, found: list[Piece]) -> Intervals:
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

    def _ran_out(self, day: int, at: float, found: list[Piece]) -> None:
        """On the platform that was in use then."""
        last = max(
            (piece for piece in found if piece.charged and piece.start <= at),
            key=lambda piece: piece.start,
            default=found[0],
        )
        for one in self._sums(day, last.platform, self._role(at)):
            one.ran_out += 1

    def _observed(self, visits: list[PlainVisit], beyond: Beyonds) -> None:
        """Rules that stop nobody, and what they would have stopped: what they block, and what is beyond a limit."""
        for rule in self.made.rules.rules:
            if not rule.observes:
                continue
            mine = [visit for visit in visits if visit.rule == rule.name]
            used = clip(normalise(Interval(visit.start, visit.end) for visit in mine), *self.within)
            if not used:
                continue
            total = self.made.observed[rule.name]
            total.seconds += measure(used)
            total.people += 1
            total.visits += len(mine)
            stopped = used if rule.then is Then.BLOCK else ()
            if rule.then is Then.SPEND and rule.allowance in beyond:
                stopped = intersection(used, beyond[rule.allowance])
            total.stopped += measure(stopped)
            total.stopped_people += bool(stopped)
