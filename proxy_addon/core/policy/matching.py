"""What evaluating the rules gives for a target, before any balance is computed."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.ruleset import Rule, Then
from proxy_addon.core.types import Decision, Reason, Target, Verdict


class Match(NamedTuple):
    """The rule that fits (None: `otherwise`), what it does, and when another may fit (None: never).

    `observed`: it is not enforced, so its time is counted whatever it says.
    """

    rule: Rule | None
    then: Then
    allowance: str | None
    until: float | None
    observed: bool = False


class IndexedRule(NamedTuple):
    """A rule with the bits of the people it fits and the number of its `when` (None: it has
    none)."""

    rule: Rule
    who: int
    when: int | None


class Found(NamedTuple):
    """A match, valid within `[since, before)`, and the decision where it needs no balance."""

    since: float
    before: float
    match: Match
    decision: Decision | None


def covers(rule: Rule, target: Target) -> bool:
    """True when the rule's platforms and sections fit the target."""
    targets = rule.targets
    return targets is None or target in targets or Target(target.platform) in targets


def not_limited(target: Target | None) -> Decision:
    """The decision for a target that no rule limits; None: not a platform."""
    platform, section = target or (None, None)
    return Decision(Verdict.ALLOW, Reason.NOT_LIMITED, platform, section)


def decision_without_balance(found: Match, target: Target) -> Decision | None:
    """The decision of a match that needs no balance."""
    if found.then is Then.SPEND:
        return None
    blocks = found.then is Then.BLOCK
    verdict = Verdict.BLOCK if blocks else Verdict.ALLOW
    if found.rule is None:
        decision = Decision(verdict, Reason.OTHERWISE, *target, until=found.until)
    else:
        reason = Reason.BLOCKED if blocks else Reason.ALLOWED
        message = found.rule.message if blocks else None
        decision = Decision(
            verdict, reason, *target, found.rule.name, until=found.until, message=message
        )
    return decision.tried_out(Verdict.ALLOW) if found.observed else decision
