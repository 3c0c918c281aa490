"""How long use matters: back, what has to be loaded from the ledger at startup; ahead, how long a
reset has to last.

Both are instants, in seconds since the epoch, of the windows of all limits and overrides; with
`carry_over` as many windows more as time can be carried through.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from proxy_addon.core import periods
from proxy_addon.core.policy.balance import CARRY_PERIODS
from proxy_addon.core.ruleset import Allowance, Limit, Period, RuleSet


def needed_since(rs: RuleSet, now: float) -> float:
    """The instant before which use cannot affect any balance at `now`: older visits need not be
    loaded."""
    since = now
    for limit, carried in _limits(rs):
        window = periods.window(limit, rs, now)
        for _ in range(carried):
            window = periods.previous(limit, rs, window)
        since = min(since, window.start)
    return since


def needed_until(rs: RuleSet, now: float) -> float:
    """The instant from which use at `now` can no longer affect any balance: how long a reset has to
    last."""
    until = now
    for limit, carried in _limits(rs):
        if limit.period is Period.ROLLING:
            end = now + limit.rolling
        else:
            end = periods.window(limit, rs, now).end
            for _ in range(carried):
                end = periods.window(limit, rs, end).end
        until = max(until, end)
    return until


def _limits(rs: RuleSet) -> Iterator[tuple[Limit, int]]:
    """Every limit, with the number of windows through which its time is carried."""
    for allowance in rs.allowances.values():
        many = (allowance.limits, *(override.limits for override in allowance.overrides))
        for limit in chain.from_iterable(many):
            yield limit, windows_that_count(allowance, limit) - 1


def windows_that_count(allowance: Allowance, limit: Limit) -> int:
    """How many windows a balance depends on: its own, and those that time is carried over from."""
    carries = allowance.carry_over > 0 and limit.period is not Period.ROLLING
    return 1 + (CARRY_PERIODS if carries else 0)
