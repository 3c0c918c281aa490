"""When a decision that lets something run can turn into a refusal, at the earliest.

Between two changes of rules and grants the time left of an allowance falls by at most one second a
second. It can fall at once only where a grant ends, or where a window ends with time that was
carried into it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from proxy_addon.core import periods
from proxy_addon.core.policy.balance import Usage
from proxy_addon.core.ruleset import Limit, Period, RuleSet
from proxy_addon.core.types import Decision, Verdict


def earliest_refusal(
    rs: RuleSet, decision: Decision, limits: Iterable[Limit], usage: Usage, now: float
) -> float:
    """The first instant at which the same question may be answered with a refusal: use goes on
    without a pause from `now`, and rules, grants and earlier use stay as they are.

    `limits` are those of the decision's allowance for this person. Infinite: never. Source: the
    balance as `balance.py` defines it.
    """
    soonest = math.inf if decision.until is None else decision.until
    if decision.verdict is not Verdict.SPEND or decision.would is not None:
        return soonest
    if decision.left is None or decision.allowance is None:
        return soonest
    soonest = min(soonest, now + decision.left)
    return grant_or_window_ends(rs, decision.allowance, limits, usage, now, soonest)


def grant_or_window_ends(
    rs: RuleSet,
    allowance: str,
    limits: Iterable[Limit],
    usage: Usage,
    now: float,
    soonest: float,
) -> float:
    """The instant `soonest`, or an earlier one at which a grant for the allowance ends, or the
    window of one of its limits."""
    for grant in usage.grants(allowance):
        if now < grant.expires < soonest:
            soonest = grant.expires
    for limit in limits:
        if limit.period is not Period.ROLLING:
            soonest = min(soonest, periods.window(limit, rs, now).end)
    return soonest
