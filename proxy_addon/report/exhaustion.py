"""When an allowance ran out, and what was used while nothing was left of it.

Both are computed from the balance (`core/policy/balance.py`), never estimated. While an allowance
is used, what is left of a limit falls linearly, or stays constant where as much leaves a rolling
window; it jumps only where a grant begins or ends, at a reset, and where a window begins. So the
instant at which it reaches zero is found exactly from two balances in each piece between such
jumps.

An enforced allowance is hardly ever used beyond its limit (other proxies learn of it within a
second). One that is only observed is, and that is what it would have stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from proxy_addon.core import periods
from proxy_addon.core.intervals import Intervals, clip, union
from proxy_addon.core.policy.balance import Usage, limit_balance
from proxy_addon.core.ruleset import Allowance, Limit, Period, RuleSet
from proxy_addon.core.types import Interval

_CONSTANT = -0.5  # seconds a second; what is left falls by one or by none
NEARLY = 1.0  # seconds; with less than this left an allowance has run out, for people


class Exhaustion(NamedTuple):
    """Of one person, one allowance and one day: use beyond all limits, and the instant at which it
    ran out."""

    beyond: Intervals
    ran_out: float | None


def over(
    rs: RuleSet, allowance: Allowance, limits: Sequence[Limit], usage: Usage, day: Interval
) -> Exhaustion:
    """The result for a day, or for the part of it that has passed."""
    used = clip(usage.intervals(allowance.name), *day)
    if not used:
        return Exhaustion((), None)
    beyond: Intervals = ()
    ran_out: list[float] = []
    for limit in limits:
        if _may_have_run_out(rs, allowance, limit, usage, day):
            found = _of_limit(rs, allowance, limit, usage, used)
            beyond = union(beyond, found.beyond)
            if found.ran_out is not None:
                ran_out.append(found.ran_out)
    return Exhaustion(beyond, min(ran_out, default=None))


def _may_have_run_out(
    rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, day: Interval
) -> bool:
    """A quick check: carried and granted time only add, so with less use than the limit there was
    time left."""
    rolling = limit.period is Period.ROLLING
    since = day.start - limit.rolling if rolling else periods.window(limit, rs, day.start).start
    return usage.spent(allowance.name, since, day.end) >= limit.seconds - NEARLY


def _of_limit(
    rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, used: Intervals
) -> Exhaustion:
    beyond: list[Interval] = []
    ran_out: float | None = None
    had_time = False
    for start, end in _linear_pieces(rs, allowance, limit, usage, used):
        left, slope = _left(rs, allowance, limit, usage, start, end)
        had_time = had_time or left > NEARLY
        falls = slope < _CONSTANT
        empty = start + max(0.0, left) if falls or left <= 0 else end
        if left > NEARLY:
            at_end = left + slope * (end - start)
            if at_end <= NEARLY and ran_out is None:
                ran_out = min(empty, end)
        elif ran_out is None and had_time:
            ran_out = start
        if empty < end:
            beyond.append(Interval(empty, end))
    return Exhaustion(union(tuple(beyond)), ran_out if had_time else None)


def _left(
    rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, start: float, end: float
) -> tuple[float, float]:
    """What is left at the start of an even piece, below nothing where it is, and by how much a
    second it changes."""
    middle = (start + end) / 2
    at_start, later = (
        limit.seconds + found.carried + found.granted - found.spent
        for found in (limit_balance(rs, allowance, limit, usage, at) for at in (start, middle))
    )
    return at_start, (later - at_start) / (middle - start)


def _linear_pieces(
    rs: RuleSet, allowance: Allowance, limit: Limit, usage: Usage, used: Intervals
) -> Iterator[Interval]:
    """The stretches of use, cut wherever what is left may jump or change its pace."""
    grants = usage.grants(allowance.name)
    cuts = {edge for grant in grants for edge in (grant.created, grant.expires)}
    if limit.period is Period.ROLLING:
        edges = {edge for stretch in usage.intervals(allowance.name) for edge in stretch}
        cuts |= {edge + limit.rolling for edge in edges | cuts}
    ordered = sorted(cuts)
    for stretch in used:
        at = stretch.start
        inside = [cut for cut in ordered if stretch.start < cut < stretch.end]
        if limit.period is not Period.ROLLING:
            inside = sorted({*inside, *_windows(rs, limit, stretch)})
        for cut in (*inside, stretch.end):
            yield Interval(at, cut)
            at = cut


def _windows(rs: RuleSet, limit: Limit, stretch: Interval) -> Iterator[float]:
    """Where windows begin inside a stretch."""
    at = periods.window(limit, rs, stretch.start).end
    while at < stretch.end:
        yield at
        at = periods.window(limit, rs, at).end
