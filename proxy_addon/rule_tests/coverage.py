"""Which rules, and which branches of their `when`, the tests reached.

A rule is reached when it decided. A `when` has a branch for each of its stretches and dates,
reached when the rule was asked while that one held; and a branch for each of its parts, reached
when that part *alone* kept the rule from fitting: whoever takes the part out would see a test fail.
`otherwise` counts as a rule where it can decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from proxy_addon.core import conditions
from proxy_addon.core.policy import wording
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import RuleSet, When
from proxy_addon.core.types import Decision, Person, Reason, Target
from proxy_addon.presentation import rule_text

OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True)
class Branch:
    """One way that the time of day decides about a rule, in words: "sat-sun: does not fit"."""

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """All rules and branches there are, and those that no test reached; in the order of the
    rules."""

    rules: tuple[str, ...]
    missed_rules: tuple[str, ...]
    branches: tuple[Branch, ...]
    missed_branches: tuple[Branch, ...]

    @property
    def percent(self) -> float:
        """How much of both was reached, 0 … 100."""
        total = len(self.rules) + len(self.branches)
        missed = len(self.missed_rules) + len(self.missed_branches)
        return 100.0 * (total - missed) / total if total else 100.0


class Reached:
    """Collects what decisions reached."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rules = engine.rule_set
        self._seen: set[str] = set()
        self._branches: set[Branch] = set()
        self._done: set[tuple[int, Target, float]] = set()

    def note(self, person: Person, decision: Decision, at: float) -> None:
        """Somebody was answered at an instant."""
        if decision.platform is None or decision.reason is Reason.NOT_LIMITED:
            return
        target = Target(decision.platform, decision.section)
        asked = (self._engine.lists_of(person, at), target, at)
        if asked in self._done:
            return
        self._done.add(asked)
        self._seen.add(self._walk(person, target, at))

    def _walk(self, person: Person, target: Target, at: float) -> str:
        """Down to the rule that decides; its name, or `otherwise`."""
        for rule in self._engine.rules_for(person, target, at):
            if rule.when is None:
                return rule.name
            self._branches.update(
                Branch(rule.name, what) for what in _taken(rule.when, self._rules, at)
            )
            if conditions.fits(rule.when, self._rules, at):
                return rule.name
        return OTHERWISE

    def coverage(self) -> Coverage:
        """What was reached so far."""
        names = [rule.name for rule in self._rules.rules]
        if _otherwise_can_decide(self._rules):
            names.append(OTHERWISE)
        branches = tuple(
            Branch(rule.name, what)
            for rule in self._rules.rules
            if rule.when is not None
            for what in _all(rule.when)
        )
        return Coverage(
            tuple(names),
            tuple(name for name in names if name not in self._seen),
            branches,
            tuple(branch for branch in branches if branch not in self._branches),
        )


def _otherwise_can_decide(rules: RuleSet) -> bool:
    """False when some rule fits everybody, everywhere, always; or when no platform is limited."""
    limited = {Target(name) for name in rules.limited}
    for rule in rules.rules:
        if rule.users or rule.roles or rule.when is not None:
            continue
        if rule.targets is None:
            return False
        limited -= rule.targets
    return bool(limited)


def _holding(when: When) -> Iterator[tuple[str, When]]:
    """Each way in which a condition can hold: its words, and the condition cut down to it."""
    lists = [("between", (one,)) for one in when.between if len(when.between) > 1]
    lists += [("dates", (one,)) for one in when.dates if len(when.dates) > 1]  # type: ignore[misc]
    if not lists:
        yield f"{wording.describe(when)}: fits", when
    for field, only in lists:
        shown = wording.describe(When(**{field: only}))  # type: ignore[arg-type]
        yield f"{shown}: fits", replace(when, **{field: only})  # type: ignore[arg-type]


def _stopping(when: When) -> Iterator[tuple[str, When]]:
    """Each part that can keep a condition from holding: its words, and the condition without it."""
    if when.dates:
        part = When(dates=when.dates)
        yield f"{wording.describe(part)}: does not fit", replace(when, dates=())
    if when.days is not None and len(when.days) < 7:
        part = When(days=when.days)
        yield f"{wording.describe(part)}: does not fit", replace(when, days=None)
    if when.between:
        part = When(between=when.between)
        yield f"{wording.describe(part)}: does not fit", replace(when, between=())
    if when.calendar is not None:
        names = rule_text.some(when.calendar.names)
        yield f"calendar {names}: does not fit", replace(when, calendar=None)
    if when.negated is not None:
        yield f"not {wording.describe(when.negated)}: does not fit", replace(when, negated=None)


def _all(when: When) -> list[str]:
    return [what for what, _ in _holding(when)] + [what for what, _ in _stopping(when)]


def _taken(when: When, rules: RuleSet, at: float) -> list[str]:
    """The branches that a condition takes at an instant."""
    if conditions.fits(when, rules, at):
        return [what for what, only in _holding(when) if conditions.fits(only, rules, at)]
    return [what for what, rest in _stopping(when) if conditions.fits(rest, rules, at)]
