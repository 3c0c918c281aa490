"""How far back usage can matter: what a start has to read of the ledger."""

from __future__ import annotations

from proxy_addon.core.period_table import DAY, reach
from proxy_addon.core.policy.balance import CARRY_PERIODS
from proxy_addon.core.ruleset import Allowance, Limit, Period, RuleSet


def horizon(rules: RuleSet) -> float:
    """Seconds before now outside which no visit can change a balance. Never less than two days."""
    longest = 2 * DAY
    for allowance in rules.allowances.values():
        limits = (
            *allowance.limits,
            *(limit for each in allowance.overrides for limit in each.limits),
        )
        for limit in limits:
            longest = max(longest, reach(limit, windows_that_count(allowance, limit)) + DAY)
    return longest


def windows_that_count(allowance: Allowance, limit: Limit) -> int:
    """How many windows a balance can depend on: its own, and those that time is carried over from."""
    carries = allowance.carry_over > 0 and limit.period is not Period.ROLLING
    return 1 + (CARRY_PERIODS if carries else 0)
