"""The balance of an allowance: limits, time spent, carried over and granted.

For one limit and its window W at the instant `now`:

    left = limit + carried + granted - spent, and never less than zero.

* **spent** is the length of the person's visits in W up to `now`.
* **carried** is what the window before W left unused, at most `carry_over`; its own carried time
  was there to be used as well, and granted time never moves on. Rolling limits carry nothing.
* **granted**: a grant that is in force adds all its seconds. A grant that has ended adds what was
  really used of it in W: use beyond limit + carried, taken from the grants in force at that time,
  those that end first before the others. So unused granted time is gone when the grant ends, and
  used granted time does not turn into a debt on the person's own minutes.
* A **reset** (a grant with `resets`) moves the beginning of every window that it falls into to its
  own instant: what was spent, and granted and ended, before it counts no longer. Carried time stays
  as it was.

Of several limits the one with the least left counts. Of equal ones it is the one that resets last,
because until then nothing is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from proxy_addon.core import period_table, periods
from proxy_addon.core.intervals import Intervals, first_after, measure_between
from proxy_addon.core.ruleset import Allowance, Limit, Period, RuleSet
from proxy_addon.core.types import Balance, Grant, Interval

CARRY_PERIODS = 8  # how many windows back carried time can come from
_NOTHING = 0.000_5  # seconds: less than this is a rounding error, not time left
_STEP = 0.001  # seconds: precision of the instant at which a rolling limit has time again
_ROUNDS = 32  # windows searched for the instant at which an allowance has time again


class Usage(Protocol):
    """What one person used and was granted, by allowance. Reads memory only; does no I/O."""

    def spent(self, allowance: str, start: float, end: float) -> float:
        """The length of the union of the visits for the allowance within `[start, end)`,
        seconds."""

    def intervals(self, allowance: str) -> Intervals:
        """The union of the visits for the allowance."""

    def grants(self, allowance: str) -> Sequence[Grant]:
        """The grants for the allowance, in any order; ended ones too while a window still shows
        their use."""


class StaticUsage:
    """Usage given as values: for tests of rules, explanations and simulations."""

    __slots__ = ("_grants", "_intervals")

    def __init__(
        self, intervals: Mapping[str, Intervals] | None = None, grants: tuple[Grant, ...] = ()
    ) -> None:
        self._intervals = dict(intervals or {})
        self._grants = grants

    def spent(self, allowance: str, start: float, end: float) -> float:
        """See `Usage`."""
        return measure_between(self._intervals.get(allowance, ()), start, end)

    def intervals(self, allowance: str) -> Intervals:
        """See `Usage`."""
        return self._intervals.get(allowance, ())

    def grants(self, allowance: str) -> Sequence[Grant]:
        """See `Usage`."""
        return [grant for grant in self._grants if grant.allowance == allowance]


class LimitBalance(NamedTuple):
    """The state of one limit in its window; seconds."""

    spent: float
    granted: float
    carried: float
    left: float


def limit_balance(
    rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, now: float
) -> LimitBalance:
    """The state of one limit at `now`."""
    window = periods.window(limit, rs, now)
    grants = usage.grants(allowance.name)
    start = _counted_from(grants, window.start, now)
    spent = usage.spent(allowance.name, start, now)
    carried = _carried(rs, allowance, limit, window, usage)
    own = limit.seconds + carried
    granted = _granted(grants, allowance.name, start, own, usage, now) if grants else 0.0
    left = own + granted - spent
    return LimitBalance(spent, granted, carried, left if left > _NOTHING else 0.0)


def left_or_reset(
    rs: RuleSet, allowance: Allowance, limits: Sequence[Limit], usage: Usage, now: float
) -> tuple[float, float | None]:
    """Seconds left of all limits together and, when none are left, the instant at which all have
    time again if nothing is used until then (None: never)."""
    of_each = [(limit, limit_balance(rs, allowance, limit, usage, now).left) for limit in limits]
    left = min(rest for _, rest in of_each)
    if left > 0:
        return left, None
    used_up = [limit for limit, rest in of_each if rest <= 0]
    return left, _reset_at(rs, allowance, limits, used_up, usage, now)


def balance(
    rs: RuleSet, allowance: Allowance, limits: Sequence[Limit], usage: Usage, now: float
) -> Balance:
    """The balance as people see it: that of the limit with the least left; of equals the one that
    lasts longest."""
    many = ((limit, _balance(rs, allowance, limit, usage, now)) for limit in limits)
    return min(many, key=_first_shown)[1]


def _first_shown(of_limit: tuple[Limit, Balance]) -> tuple[float, float, float, int, float]:
    limit, one = of_limit
    rank = period_table.TABLE[limit.period].rank
    latest_first = math.inf if one.resets_at is None else -one.resets_at
    return one.left, latest_first, one.limit, rank, limit.rolling


def _balance(rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, now: float) -> Balance:
    spent, granted, carried, left = limit_balance(rs, allowance, limit, usage, now)
    if limit.period is Period.ROLLING:
        resets_at = _oldest_expires(allowance.name, limit, usage, now)
    else:
        resets_at = periods.window(limit, rs, now).end
    return Balance(
        allowance.name,
        limit.seconds,
        spent,
        granted,
        carried,
        left,
        resets_at,
        limit.period,
        limit.rolling,
    )


def _counted_from(grants: Sequence[Grant], start: float, at: float) -> float:
    """From when on use counts in a window that began at `start`: the last reset up to `at`, if it
    is later."""
    for grant in grants:
        if grant.resets and grant.created <= at:
            start = max(start, grant.created)
    return start


def _carried(
    rs: RuleSet, allowance: Allowance, limit: Limit, window: Interval, usage: Usage
) -> float:
    """Time carried into `window`, seconds. Goes back only as far as the result depends on it."""
    most = allowance.carry_over
    if not most or limit.period is Period.ROLLING:
        return 0.0
    unused: list[float] = []
    carried = 0.0
    grants = usage.grants(allowance.name)
    for _ in range(CARRY_PERIODS):
        window = periods.previous(limit, rs, window)
        start = _counted_from(grants, window.start, window.end)
        rest = limit.seconds - usage.spent(allowance.name, start, window.end)
        unused.append(rest)
        if (
            rest >= most or rest + most <= 0
        ):  # full, or empty, whatever was carried into that window
            break
    for rest in reversed(unused):
        carried = min(most, max(0.0, rest + carried))
    return carried


def _granted(
    grants: Sequence[Grant], allowance: str, start: float, own: float, usage: Usage, now: float
) -> float:
    """Granted seconds that count in the window which began at `start`; `own` is limit + carried."""
    counting = [grant for grant in grants if grant.created <= now]
    in_force = sum(grant.seconds for grant in counting if grant.expires > now)
    if all(grant.expires > now for grant in counting):
        return in_force
    counting.sort(key=lambda grant: (grant.expires, grant.created, grant.id))
    used = [0.0] * len(counting)
    instants = {grant.created for grant in counting} | {grant.expires for grant in counting}
    for instant in sorted(instant for instant in instants if start < instant <= now):
        beyond = max(0.0, usage.spent(allowance, start, instant) - own - sum(used))
        for i, grant in enumerate(counting):
            if grant.created < instant <= grant.expires:
                taken = min(beyond, grant.seconds - used[i])
                used[i] += taken
                beyond -= taken
    return in_force + sum(used[i] for i, grant in enumerate(counting) if grant.expires <= now)


def _oldest_expires(allowance: str, limit: Limit, usage: Usage, now: float) -> float | None:
    """When the oldest use in a rolling window has left it entirely; None when there is none."""
    oldest = first_after(
        usage.intervals(allowance), _counted_from(usage.grants(allowance), now - limit.rolling, now)
    )
    if oldest is None or oldest.start >= now:
        return None
    return min(oldest.end, now) + limit.rolling


def _reset_at(
    rs: RuleSet,
    allowance: Allowance,
    limits: Sequence[Limit],
    used_up: list[Limit],
    usage: Usage,
    at: float,
) -> float | None:
    """When all limits have time again, of which `used_up` have none at `at`.

    Each of those names its earliest return. At the latest of these all are asked again, because
    another one may have lost a grant meanwhile.
    """
    for _ in range(_ROUNDS):
        resets = [_limit_reset_at(rs, allowance, limit, usage, at) for limit in used_up]
        known = [instant for instant in resets if instant is not None]
        if len(known) < len(resets):
            return None
        at = max(known)
        used_up = [limit for limit in limits if _is_used_up(rs, allowance, limit, usage, at)]
        if not used_up:
            return at
    return None


def _is_used_up(rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, at: float) -> bool:
    """True when the limit has nothing left at `at`. Carried and granted time, which only add, are
    computed last."""
    start = _counted_from(usage.grants(allowance.name), periods.window(limit, rs, at).start, at)
    if limit.seconds - usage.spent(allowance.name, start, at) > _NOTHING:
        return False
    return limit_balance(rs, allowance, limit, usage, at).left <= 0


def _limit_reset_at(
    rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, at: float
) -> float | None:
    """The next instant at which a limit that has nothing at `at` may have time again."""
    grants = usage.grants(allowance.name)
    if limit.seconds <= _NOTHING and not any(grant.expires > at for grant in grants):
        return None
    if limit.period is not Period.ROLLING:
        return periods.window(limit, rs, at).end
    counting = [grant for grant in grants if grant.expires > at - limit.rolling]
    if not counting:
        return _enough_expires(usage.intervals(allowance.name), limit, at)
    return _reset_with_grants(rs, allowance, limit, usage, at, counting)


def _enough_expires(intervals: Intervals, limit: Limit, at: float) -> float:
    """When so much use has left a rolling window that less than the limit is in it; no grants."""
    room, back = limit.seconds - _NOTHING, at
    for start, end in reversed(intervals):
        if end - start >= room:
            back = max(at, end - room + limit.rolling)
            break
        room -= end - start
    return back + _STEP


def _reset_with_grants(
    rs: RuleSet,
    allowance: Allowance,
    limit: Limit,
    usage: Usage,
    at: float,
    grants: Sequence[Grant],
) -> float | None:
    """The same with grants: between the instants at which something begins or ends, what is left
    only rises.

    So it is enough to look at such an instant and just before it, where a grant that ends there
    still counts.
    """
    intervals = usage.intervals(allowance.name)
    edges = {edge for interval in intervals for edge in interval}
    edges |= {edge for grant in grants for edge in (grant.created, grant.expires)}
    edges |= {edge + limit.rolling for edge in edges}
    instants = {max(at, instant) for edge in edges for instant in (edge - _STEP, edge)}
    for low, high in pairwise(sorted({at, *instants})):
        if limit_balance(rs, allowance, limit, usage, high).left > 0:
            return _first(rs, allowance, limit, usage, low, high)
    return None


def _first(
    rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, low: float, high: float
) -> float:
    """The first instant in `(low, high]` with time left, to a step; there is some at `high`."""
    while high - low > _STEP:
        middle = (low + high) / 2
        if limit_balance(rs, allowance, limit, usage, middle).left > 0:
            high = middle
        else:
            low = middle
    return high
