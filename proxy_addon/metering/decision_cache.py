"""Decisions that were made a moment ago: a page asks for a hundred things at once."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Decision, Person, Target
from proxy_addon.metering.usage_book import PersonUsage, UsageBook

SECONDS = 1.0  # how long a decision is reused
LEFT = 10.0  # seconds that must be left for that: near the end each request is decided for itself


class CachedDecision(NamedTuple):
    """What was decided, for whom, and by which rules and which state of their usage. `at` is an
    instant, `entered` the seconds entered until then."""

    decision: Decision
    rules: RuleSet
    person: Person
    usage: PersonUsage
    revision: int
    entered: float
    at: float

    def holds(self, rules: RuleSet, person: Person, usage: PersonUsage, now: float) -> bool:
        """Whether the decision is still valid: whatever was used since, there is time left."""
        decision = self.decision
        if decision.blocks or not 0.0 <= now - self.at < SECONDS:
            return False
        if (
            self.rules is not rules
            or self.usage is not usage
            or self.revision != usage.revision
            or self.person != person
        ):
            return False
        if decision.until is not None and now >= decision.until:
            return False
        if decision.left is None:
            return True
        return decision.left - (now - self.at) - (usage.entered - self.entered) > LEFT


class DecisionCache:
    """The last decision for each person and target, given again while it is fresh. Its `left` may
    be a second old; what has been used since is not subtracted."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Target], CachedDecision] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def recall(
        self, rules: RuleSet, person: Person, target: Target, book: UsageBook, now: float
    ) -> Decision | None:
        """The last decision, if it is still valid; else None."""
        fresh = self._kept.get((person.name, target))
        if fresh is None or not fresh.holds(rules, person, book.of(person.name), now):
            return None
        return fresh.decision

    def keep(
        self,
        decision: Decision,
        rules: RuleSet,
        person: Person,
        target: Target,
        book: UsageBook,
        now: float,
    ) -> None:
        """Remember one decision."""
        usage = book.of(person.name)
        self._kept[(person.name, target)] = CachedDecision(
            decision, rules, person, usage, usage.revision, usage.entered, now
        )

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
