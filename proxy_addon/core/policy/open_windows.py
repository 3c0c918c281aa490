"""Until when a person's used windows are open: erasing the person earlier would give that time
back."""

from __future__ import annotations

from collections.abc import Sequence

from proxy_addon.core import periods
from proxy_addon.core.policy.balance import Usage
from proxy_addon.core.ruleset import Limit, Period, RuleSet


def open_until(
    rs: RuleSet, allowance: str, limits: Sequence[Limit], usage: Usage, now: float
) -> float | None:
    """The last end of the windows of `limits` in which the allowance was used up to `now`; None:
    there is none.

    A rolling window ends when the newest use has left it.
    """
    ends = []
    for limit in limits:
        window = periods.window(limit, rs, now)
        if usage.spent(allowance, window.start, now) > 0:
            newest = max(min(interval.end, now) for interval in usage.intervals(allowance))
            ends.append(newest + limit.rolling if limit.period is Period.ROLLING else window.end)
    return max(ends, default=None)
