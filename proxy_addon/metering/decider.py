"""Decisions about one person and one target, from the rules in force and what has been used: made,
reused for a moment, and replaced by the configured verdict when they cannot be made."""

from __future__ import annotations

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import OnFailure
from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.metering.decision_cache import DecisionCache
from proxy_addon.metering.usage_book import UsageBook

_MOST = 100_000  # decisions remembered; beyond that all are forgotten


class Decider:
    """Decides by one engine at a time. Event loop only."""

    def __init__(self, book: UsageBook) -> None:
        self._book = book
        self._cache = DecisionCache()
        self._last: dict[tuple[str, Target], Decision] = {}

    def use(self, engine: Engine) -> None:
        """Decide by these rules from now on."""
        self._engine = engine

    def recent(self, person: Person, target: Target, now: float) -> Decision | None:
        """The decision of a moment ago, if it still holds."""
        return self._cache.recall(self._engine.rule_set, person, target, self._book, now)

    def decide(self, person: Person, target: Target, now: float) -> Decision:
        """Decide, and remember the decision."""
        rules = self._engine.rule_set
        decision = self._engine.decide(person, target, self._book.of(person.name), now)
        if decision.allowance is not None and self._book.is_unknown(person.name):
            decision = self._unknown(person, target, decision)
        self._last[(person.name, target)] = decision
        self._cache.keep(decision, rules, person, target, self._book, now)
        return decision

    def _unknown(self, person: Person, target: Target, decision: Decision) -> Decision:
        """The decision about somebody of whom the ledger, which is away, may know more: by
        `last-known` the limit less what is known here, the journal of this host included."""
        rules = self._engine.rule_set
        if rules.on_failure is OnFailure.LAST_KNOWN:
            return decision
        return self.failure(person, target)

    def failure(self, person: Person | None, target: Target) -> Decision:
        """The configured verdict when our own code failed or a balance cannot be read."""
        rules = self._engine.rule_set
        closed = Decision(Verdict.BLOCK, Reason.UNAVAILABLE, target.platform, target.section)
        if rules.observes:
            return closed.tried_out(Verdict.ALLOW)
        if rules.on_failure is OnFailure.ALLOW:
            return Decision(Verdict.ALLOW, Reason.UNAVAILABLE, target.platform, target.section)
        if rules.on_failure is OnFailure.LAST_KNOWN and person is not None:
            last = self._last.get((person.name, target))
            if last is not None:
                return last
        return closed

    def forget_all(self) -> None:
        """Other rules hold: what was decided before says nothing any more."""
        self._last = {}

    def drop(self, name: str) -> None:
        """Forget one person."""
        self._last = {key: decision for key, decision in self._last.items() if key[0] != name}

    def settle(self) -> None:
        """Keep memory within bounds."""
        for memory in (self._last, self._cache):
            if len(memory) > _MOST:
                memory.clear()
