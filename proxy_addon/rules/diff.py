"""What another set of rules would change: by person, platform and time of the week, computed by the
engine.

Both sets are asked with no minutes used: which rule decides, and what the person may spend then.
People who are in the same lists of both sets are one *class*, platforms that the same rules name
are one *kind*, and each pair is followed from change to change through one week. So ten thousand
people cost as much as the few classes they make.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from proxy_addon.core import period_table, periods
from proxy_addon.core.policy.matching import Match
from proxy_addon.core.ruleset import Limit, Period, RuleSet, Then
from proxy_addon.core.types import Person, Target
from proxy_addon.presentation import rule_text
from proxy_addon.rules import settings_diff
from proxy_addon.rules.equivalence import (
    ANYBODY,
    MATCHING,
    Audience,
    Side,
    classes,
    everybody,
    kinds,
)

_WEEK = 7


class Effect(StrEnum):
    """Who is better off after a change."""

    GAIN = "gain"
    LOSS = "loss"
    OTHER = "other"  # another rule says the same, or the amounts cannot be compared


type Window = tuple[int, float]  # of a limit: rank of its period, seconds where it is a rolling one


class DecisionAtHour(NamedTuple):
    """What a set of rules says about a person, a platform and an hour; limits as rule files write
    them."""

    verdict: str
    rule: str | None
    allowance: str | None = None
    limits: tuple[str, ...] = ()
    carry_over: float = 0.0
    observed: bool = False
    worth: tuple[float, ...] = ()  # seconds a day of each limit, for comparison only
    windows: tuple[Window, ...] = ()  # what each limit counts in, for comparison only

    def __str__(self) -> str:
        text = (
            f"spend {self.allowance} {' and '.join(self.limits)}" if self.limits else self.verdict
        )
        if self.carry_over:
            text += f", {rule_text.amount(self.carry_over)} carried over"
        return f"{text} (observed only)" if self.observed else text


class WeekdayInterval(NamedTuple):
    """A stretch of one day of the week: 0 = Monday, seconds after midnight on the clock; the end is
    exclusive."""

    day: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: who, where, when, from what to what. `roles` and `patterns` mean anybody in
    them."""

    people: tuple[str, ...]
    roles: tuple[str, ...]
    patterns: tuple[str, ...]
    platforms: tuple[str, ...]
    times: tuple[WeekdayInterval, ...]
    before: DecisionAtHour
    after: DecisionAtHour

    @property
    def effect(self) -> Effect:
        """Whether people gain or lose."""
        return compare(self.before, self.after)

    @property
    def hours(self) -> float:
        """How many hours of the week it is about."""
        return sum(one.end - one.start for one in self.times) / 3600.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes of a week that begins at the instant `start`; how many people and classes were
    asked."""

    start: float
    people: int
    classes: int
    changes: tuple[Change, ...]
    dated: tuple[str, ...]  # rules that name dates, of which this week sees only its own
    settings: tuple[
        tuple[str, str, str], ...
    ]  # what else differs: key of the policy, before, after

    @property
    def equal(self) -> bool:
        """True when nobody would notice."""
        return not self.changes and not self.settings


class _Row(NamedTuple):
    """A change before it is known whom it affects."""

    places: tuple[str, ...]
    times: tuple[WeekdayInterval, ...]
    before: DecisionAtHour
    after: DecisionAtHour


def compare(before: DecisionAtHour, after: DecisionAtHour) -> Effect:
    """Allowed is more than charged, charged is more than blocked, and more time is more than
    less."""
    ranks = {Then.BLOCK: 0, Then.SPEND: 1, Then.ALLOW: 2}
    was, becomes = _rank(before, ranks), _rank(after, ranks)
    if was != becomes:
        return Effect.GAIN if becomes > was else Effect.LOSS
    known = before.windows and after.windows
    if not before.worth or (len(before.worth) != len(after.worth) and not known):
        return Effect.OTHER
    pairs = [*_paired(before, after), (before.carry_over, after.carry_over)]
    if all(a == b for a, b in pairs):
        return Effect.OTHER
    if all(a <= b for a, b in pairs):
        return Effect.GAIN
    return Effect.LOSS if all(a >= b for a, b in pairs) else Effect.OTHER


def _paired(before: DecisionAtHour, after: DecisionAtHour) -> Iterator[tuple[float, float]]:
    """What may be spent a day before and after, limit by limit; a limit that is not there allows
    everything.

    As many limits as before are compared in their order; otherwise, those with the same windows are
    compared.
    """
    if len(before.worth) == len(after.worth):
        yield from zip(before.worth, after.worth, strict=True)
        return
    was, becomes = _by_window(before), _by_window(after)
    for window in {*was, *becomes}:
        yield was.get(window, math.inf), becomes.get(window, math.inf)


def _by_window(answer: DecisionAtHour) -> dict[Window, float]:
    """The smallest worth of the limits of each window; nothing where the windows are not known."""
    found: dict[Window, float] = {}
    for window, worth in zip(answer.windows, answer.worth, strict=True):
        found[window] = min(worth, found.get(window, math.inf))
    return found


def _rank(answer: DecisionAtHour, ranks: Mapping[Then, int]) -> int:
    return ranks[Then.ALLOW] if answer.observed else ranks[Then(answer.verdict)]


def next_week(rules: RuleSet, now: float) -> float:
    """When the next week begins."""
    return periods.calendar_window(Period.WEEK, rules, now).end


def week_of(rules: RuleSet, day: date) -> float:
    """When the week that a day is in begins."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=rules.zone).timestamp()
    return periods.calendar_window(Period.WEEK, rules, noon).start


def differences(before: RuleSet, after: RuleSet, start: float) -> Comparison:
    """What changes from one set to the other, in the week that begins at the instant `start`."""
    old, new = Side(before), Side(after)
    end = _week_end(before, start)
    people = list(everybody(old, new, start))
    alike = classes(old, new, people, start)
    places = kinds(before, after)
    week = _Week(old, new, start, end)
    found: dict[_Row, list[str]] = {}
    for same in alike.values():
        for row in week.changes(same[0], places):
            found.setdefault(row, []).extend(who.label for who in same)
    changes = tuple(_change(row, labels, before, after) for row, labels in found.items())
    return Comparison(
        start,
        len(people),
        len(alike),
        changes,
        tuple(_dated(before, after)),
        tuple(settings_diff.differences(before, after)),
    )


def _week_end(rules: RuleSet, start: float) -> float:
    day = datetime.fromtimestamp(start, UTC).astimezone(rules.zone).replace(tzinfo=None)
    return (day + timedelta(days=_WEEK)).replace(tzinfo=rules.zone).timestamp()


# -- when, and what


class _Week:
    """One week under both sets. What was found for some people is kept for others who meet the same
    rules."""

    def __init__(self, old: Side, new: Side, start: float, end: float) -> None:
        self._old = old
        self._new = new
        self._start = start
        self._end = end
        self._known: dict[
            object, list[tuple[DecisionAtHour, DecisionAtHour, tuple[WeekdayInterval, ...]]]
        ] = {}

    def changes(self, who: Audience, kinds: Mapping[Target, tuple[str, ...]]) -> Iterator[_Row]:
        """What changes for one audience. Targets with the same changes are grouped."""
        roster = any(person is not None and person.duty for person in (who.before, who.after))
        by_place: dict[
            tuple[DecisionAtHour, DecisionAtHour, tuple[WeekdayInterval, ...]], list[str]
        ] = {}
        for target, names in kinds.items():
            met = (
                self._old.met(who.before, target, self._start),
                self._new.met(who.after, target, self._start),
            )
            key = (who.label, target) if roster else (met, who.before is None, who.after is None)
            if key not in self._known:
                self._known[key] = list(self._compared(who, target))
            for change in self._known[key]:
                by_place.setdefault(change, []).extend(names)
        for (was, becomes, stretches), places in by_place.items():
            yield _Row(tuple(places), stretches, was, becomes)

    def _compared(
        self, who: Audience, target: Target
    ) -> Iterator[tuple[DecisionAtHour, DecisionAtHour, tuple[WeekdayInterval, ...]]]:
        """What differs, and when."""
        times: dict[tuple[DecisionAtHour, DecisionAtHour], list[tuple[float, float]]] = {}
        for since, until, was, becomes in _answers_over_time(
            self._old, self._new, who, target, self._start, self._end
        ):
            if was != becomes:
                times.setdefault((was, becomes), []).append((since, until))
        for (was, becomes), spans in times.items():
            yield was, becomes, _on_the_clock(spans, self._old.rules)


def _answers_over_time(
    old: Side, new: Side, who: Audience, target: Target, start: float, end: float
) -> Iterator[tuple[float, float, DecisionAtHour, DecisionAtHour]]:
    """Both answers from change to change."""
    at = start
    while at < end:
        was, was_until = _answer(old, who.before, target, at)
        becomes, becomes_until = _answer(new, who.after, target, at)
        until = min(end, was_until, becomes_until)
        yield at, until, was, becomes
        at = until


def _answer(
    side: Side, person: Person | None, target: Target, at: float
) -> tuple[DecisionAtHour, float]:
    """What a set says, and until when for sure."""
    if target.platform not in side.rules.limited:
        return DecisionAtHour(Then.ALLOW, None), math.inf
    if person is None:
        return DecisionAtHour(Then.BLOCK, None, observed=side.rules.observes), math.inf
    match: Match = side.engine.match(person, target, at)
    until = math.inf if match.until is None else match.until
    rule = None if match.rule is None else match.rule.name
    if match.allowance is None:
        return DecisionAtHour(match.then, rule, observed=_shows_observed(match)), until
    limits = sorted(
        side.engine.limits(person, match.allowance, at), key=lambda one: (_window(one), one.seconds)
    )
    answer = DecisionAtHour(
        match.then,
        rule,
        match.allowance,
        tuple(map(rule_text.limit, limits)),
        side.rules.allowances[match.allowance].carry_over,
        _shows_observed(match),
        tuple(map(_a_day, limits)),
        tuple(map(_window, limits)),
    )
    return answer, until


def _shows_observed(match: Match) -> bool:
    """True when it matters that a rule is only tried out."""
    return match.observed and match.then is not Then.ALLOW


def _a_day(limit: Limit) -> float:
    """How much a limit allows in a day, on average, for comparison."""
    return limit.seconds / (period_table.nominal(limit) / period_table.DAY)


def _window(limit: Limit) -> Window:
    """What it counts in; also the order in which limits are shown, because that of the file means
    nothing."""
    return period_table.TABLE[limit.period].rank, limit.rolling


def _on_the_clock(
    spans: Iterable[tuple[float, float]], rules: RuleSet
) -> tuple[WeekdayInterval, ...]:
    """Spans of instants as stretches of days on the clock; neighbours are one."""
    found: list[WeekdayInterval] = []
    for since, until in spans:
        here = datetime.fromtimestamp(since, UTC).astimezone(rules.zone).replace(tzinfo=None)
        there = datetime.fromtimestamp(until, UTC).astimezone(rules.zone).replace(tzinfo=None)
        while here < there:
            midnight = datetime.combine(here.date() + timedelta(days=1), datetime.min.time())
            stop = min(midnight, there)
            begin = here.hour * 3600 + here.minute * 60 + here.second
            length = round((stop - here).total_seconds())
            if found and found[-1].day == here.weekday() and found[-1].end == begin:
                found[-1] = found[-1]._replace(end=begin + length)
            else:
                found.append(WeekdayInterval(here.weekday(), begin, begin + length))
            here = stop
    return tuple(sorted(set(found)))


# -- results


def _change(row: _Row, labels: list[str], before: RuleSet, after: RuleSet) -> Change:
    """One change, and everybody whom it affects."""
    roles = tuple(label.removeprefix(ANYBODY) for label in labels if label.startswith(ANYBODY))
    patterns = tuple(label.removeprefix(MATCHING) for label in labels if label.startswith(MATCHING))
    people = tuple(label for label in labels if not label.startswith((ANYBODY, MATCHING)))
    return Change(
        people,
        roles,
        patterns,
        _by_group(row.places, before, after),
        row.times,
        row.before,
        row.after,
    )


def _by_group(places: tuple[str, ...], before: RuleSet, after: RuleSet) -> tuple[str, ...]:
    """Platforms by the names of groups that are there whole and mean the same in both sets."""
    left, found = dict.fromkeys(places), list[str]()
    for name, members in after.groups.items():
        same = set(before.groups.get(name, members)) == set(members)
        if same and len(members) > 1 and all(member in left for member in members):
            found.append(name)
            left = {place: None for place in left if place not in members}
    return (*found, *left)


def _dated(before: RuleSet, after: RuleSet) -> Iterator[str]:
    """Names of rules that dates or calendars open: one week shows only its own."""
    names = (
        rule.name
        for rules in (before, after)
        for rule in rules.rules
        if rule.when is not None and (rule.when.dates or rule.when.calendar is not None)
    )
    return iter(dict.fromkeys(names))
