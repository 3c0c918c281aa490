"""How far back usage can matter: what a start has to read of the ledger."""

from __future__ import annotations

from proxy_addon.core.ruleset import Period, RuleSet

_DAY = 86_400.0
_DAYS = {Period.HOUR: 1, Period.DAY: 2, Period.WEEK: 8, Period.MONTH: 32, Period.ROLLING: 1}
_CARRIED_PERIODS = 8  # as many as core/balance.py walks back


def horizon(rules: RuleSet) -> float:
    """Seconds before now outside which no visit can change a balance. Never less than two days."""
    longest = 2 * _DAY
    for allowance in rules.allowances.values():
        limits = (
            *allowance.limits,
            *(limit for each in allowance.overrides for limit in each.limits),
        )
        periods = 1 + (_CARRIED_PERIODS if allowance.carry_over > 0 else 0)
        for limit in limits:
            window = limit.rolling if limit.period is Period.ROLLING else _DAYS[limit.period] * _DAY
            longest = max(longest, window * periods + _DAY)
    return longest
