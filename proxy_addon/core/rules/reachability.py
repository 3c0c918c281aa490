"""Which rules can be reached, and which conditions can hold.

Time is cut where a condition may change: dates and calendars begin and end, days of the week, edges
of a `between`. Between two cuts every condition is constant, so asking at the cuts answers for all
time. People are cut into users and roles, places into platforms and sections. A rule is out of
reach when the rules above it fit every piece of it together. What cannot be decided this way (hours
from an ICS file, patterns that overlap in part) counts as reachable: a warning is always right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from itertools import islice

from proxy_addon.core import conditions, wall_clock
from proxy_addon.core.audience import is_pattern
from proxy_addon.core.ruleset import Calendar, Rule, RuleSet, When
from proxy_addon.core.types import Target

type Moment = tuple[int, int]  # a day (1 = 1 January of the year 1) and a second of it

_MOST = 200_000  # moments tested for one rule, or hours for one condition
_SOME_DAY = date(2001, 1, 1).toordinal()  # a Monday


def can_hold(when: When, rs: RuleSet) -> bool:
    """True when the condition holds at some time (or when that cannot be decided)."""
    if _has_hours(when):
        return _holds_in_some_hour(when, rs)
    return any(_holds(when, moment) for moment in _moments((when,)))


def holds_without(when: When, others: Sequence[When], rs: RuleSet) -> bool:
    """True when the condition holds at some time at which none of the others does; False also where
    that cannot be decided."""
    if not others:
        return can_hold(when, rs)
    if any(map(_has_hours, (when, *others))):
        return False
    return any(
        _holds(when, moment) and not any(_holds(each, moment) for each in others)
        for moment in islice(_moments((when, *others)), _MOST)
    )


def shadowed(rs: RuleSet) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The number of each rule that no request meets, with the numbers of those above that meet them
    all."""
    atoms = _Atoms(rs)
    for n, rule in enumerate(rs.rules):
        if n and (above := _above(n, rule, rs, atoms)):
            yield n, above


def _above(n: int, rule: Rule, rs: RuleSet, atoms: _Atoms) -> tuple[int, ...]:
    """The rules above number `n` that fit all of it; empty when something of it is left."""
    earlier = (1 << n) - 1
    chosen: dict[int, None] = {}
    known: dict[int, tuple[int, ...]] = {}
    for target in atoms.targets(rule):
        for who in atoms.people(rule):
            both = atoms.at(target) & atoms.fitting(who) & earlier
            always = both & atoms.always
            if not both:
                return ()
            if any(always >> i & 1 for i in chosen):
                continue
            if always:
                chosen[(always & -always).bit_length() - 1] = None
                continue
            if both not in known:
                known[both] = _covering(rule, [i for i in range(n) if both >> i & 1], rs)
            if not known[both]:
                return ()
            chosen.update(dict.fromkeys(known[both]))
    return tuple(sorted(chosen))


def _covering(rule: Rule, numbers: Sequence[int], rs: RuleSet) -> tuple[int, ...]:
    """Those of the rules that hold together whenever `rule` does; empty when they leave a
    moment."""
    if rule.when is None:
        wanted = When()
    else:
        same = [i for i in numbers if rs.rules[i].when == rule.when]
        if same:
            return (same[0],)
        wanted = _without_hours(rule.when)
    whens = [
        (i, when)
        for i in numbers
        if (when := rs.rules[i].when) is not None and not _has_hours(when)
    ]
    chosen: dict[int, None] = {}
    count = 0
    for moment in _moments((wanted, *(when for _, when in whens))):
        if not _holds(wanted, moment):
            continue
        count += len(whens)
        found = next((i for i, when in whens if _holds(when, moment)), None)
        if found is None or count > _MOST:
            return ()
        chosen[found] = None
    return tuple(chosen)


class _Atoms:
    """The smallest groups of people and targets, and for each the rules that fit all of it, as
    bits."""

    def __init__(self, rs: RuleSet) -> None:
        self._rs = rs
        self.always = sum(1 << i for i, rule in enumerate(rs.rules) if rule.when is None)
        self._at: dict[Target, int] = {}
        self._fitting: dict[tuple[str, str], int] = {}
        self._forced = {name.casefold() for _, name, role in rs.people.devices if name and role}
        self._everybody = tuple(("role", role) for role in sorted(rs.roles))
        self._members: dict[str, set[str]] = {}
        for role, names in rs.people.roles.items():
            for name in names:
                self._members.setdefault(name.casefold(), set()).add(role)

    def targets(self, rule: Rule) -> Iterator[Target]:
        """All pieces of the rule's places."""
        wanted = rule.targets
        if wanted is None:
            wanted = frozenset(map(Target, self._rs.platforms))
        for target in sorted(wanted, key=lambda target: (target.platform, target.section or "")):
            yield target
            if target.section is None:
                for section in self._rs.platforms[target.platform].sections:
                    yield Target(target.platform, section.name)

    def people(self, rule: Rule) -> Iterable[tuple[str, str]]:
        """All pieces of the rule's people. Everybody has a role, so all roles are everybody."""
        if not rule.users and not rule.roles:
            return self._everybody
        return [
            *(("user", user.casefold()) for user in rule.users),
            *(("role", role) for role in sorted(rule.roles)),
        ]

    def at(self, target: Target) -> int:
        """The rules that fit the piece of a place."""
        if target not in self._at:
            whole = Target(target.platform)
            self._at[target] = sum(
                1 << i
                for i, rule in enumerate(self._rs.rules)
                if rule.targets is None or target in rule.targets or whole in rule.targets
            )
        return self._at[target]

    def fitting(self, who: tuple[str, str]) -> int:
        """The rules that fit all of the piece of the people."""
        if who not in self._fitting:
            kind, name = who
            fits = self._role_fits if kind == "role" else self._user_fits
            self._fitting[who] = sum(
                1 << i
                for i, rule in enumerate(self._rs.rules)
                if (not rule.users and not rule.roles) or fits(rule, name)
            )
        return self._fitting[who]

    def _role_fits(self, rule: Rule, role: str) -> bool:
        return role in rule.roles or "*" in rule.users

    def _user_fits(self, rule: Rule, name: str) -> bool:
        if any(covers(user.casefold(), name) for user in rule.users):
            return True
        if is_pattern(name) or name in self._forced:
            return False
        return bool(self._members.get(name, set()) & rule.roles)


def covers(user: str, name: str) -> bool:
    """True when a name or pattern fits everybody that another one fits; False when that cannot be
    decided.

    The text of a pattern fits a wider pattern of stars only if all that it fits does.
    """
    if user == name:
        return True
    return not set(user + name) & set("?[") and is_pattern(user) and fnmatchcase(name, user)


def _moments(whens: Sequence[When]) -> Iterator[Moment]:
    """A moment of every stretch in which none of the conditions changes."""
    days = {_SOME_DAY}
    seconds = {0}
    for when in whens:
        _cuts(when, days, seconds)
    asked: set[int] = set()
    for first in sorted(days):
        # Eight days: each day of the week, and what crosses midnight into it from the day before.
        for day in range(max(first, 2), min(first + 8, date.max.toordinal())):
            if day not in asked:
                asked.add(day)
                for second in sorted(seconds):
                    yield day, second


def _cuts(when: When, days: set[int], seconds: set[int]) -> None:
    ranges = (*when.dates, *(when.calendar.days if when.calendar is not None else ()))
    for first, last in ranges:
        days.update((first.toordinal(), last.toordinal() + 1))
    for start, end in when.between:
        seconds.update((start, end % wall_clock.DAY))
    if when.negated is not None:
        _cuts(when.negated, days, seconds)


def _holds(when: When, moment: Moment) -> bool:
    return conditions.holds_on(when, *moment)


def _has_hours(when: When) -> bool:
    own = when.calendar is not None and bool(when.calendar.hours)
    return own or (when.negated is not None and _has_hours(when.negated))


def _without_hours(when: When) -> When:
    """A condition without hours of calendars that holds whenever this one does."""
    if when.negated is not None and _has_hours(when.negated):
        when = replace(when, negated=None)
    if when.calendar is not None and when.calendar.hours:
        when = replace(when, calendar=None)
    return when


def _holds_in_some_hour(when: When, rs: RuleSet) -> bool:
    """Tests each hour of its calendars; a condition whose hours are only in a `not` counts as
    possible."""
    calendar: Calendar | None = when.calendar
    if calendar is None or not calendar.hours:
        return True
    if calendar.days and can_hold(replace(when, calendar=replace(calendar, hours=())), rs):
        return True
    for hour in calendar.hours[:1000]:
        change = conditions.next_change(when, rs, hour.start, horizon=hour.end - hour.start)
        if conditions.fits(when, rs, hour.start) or (change is not None and change < hour.end):
            return True
    return len(calendar.hours) > 1000
