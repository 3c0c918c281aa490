"""Which window an instant is in.

Days follow each other without gaps: each begins where the one before ends, whether it has 23, 24 or
25 hours, because its midnight is the first instant at which the clock shows it or has passed it
(`wall_clock.py`). A day that a zone skipped (Apia, 30 December 2011) is empty: no instant is in it.

A window of whole days (a day, week, month, quarter or year) begins at `day_starts` of its first
day. An hour begins whenever the clock shows a full hour, and at a change of offset: the hour shown
twice in autumn is two windows of sixty minutes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from zoneinfo import ZoneInfo

from proxy_addon.core import period_table
from proxy_addon.core.ruleset import Limit, Period, RuleSet
from proxy_addon.core.types import Interval
from proxy_addon.core.wall_clock import DAY, change_between, first_instant, offset_at

_HOUR = 3_600


def window(limit: Limit, rs: RuleSet, at: float) -> Interval:
    """The window of `limit` that `at` is in; for a rolling limit the one that ends at `at`."""
    if limit.period is Period.ROLLING:
        return Interval(at - limit.rolling, at)
    return calendar_window(limit.period, rs, at)


def calendar_window(period: Period, rs: RuleSet, at: float) -> Interval:
    """The hour, day, week, month, quarter or year of the policy that `at` is in."""
    return _window(period, rs.zone, rs.day_starts, rs.week_starts, math.floor(at))


def previous(limit: Limit, rs: RuleSet, window_now: Interval) -> Interval:
    """The window that ends where `window_now` begins."""
    if limit.period is Period.ROLLING:
        return Interval(window_now.start - limit.rolling, window_now.start)
    return window(limit, rs, window_now.start - 1)


@lru_cache(maxsize=2048)
def _window(period: Period, zone: ZoneInfo, day_starts: int, week_starts: int, at: int) -> Interval:
    """The window of the calendar around `at`. Many ask in the same second, and for the same
    midnights."""
    if period is Period.HOUR:
        return _hour(zone, at)
    day = (at + offset_at(zone, at) - day_starts) // DAY
    found = _window_of_day(period, zone, day_starts, week_starts, day)
    while (
        at >= found.end
    ):  # the clock was put back over the edge: it shows the old day, but the new one began
        day += 1
        found = _window_of_day(period, zone, day_starts, week_starts, day)
    return found


def _hour(zone: ZoneInfo, at: int) -> Interval:
    """The hour on the clock around `at`, cut at a change of offset."""
    offset = offset_at(zone, at)
    start = (at + offset) // _HOUR * _HOUR - offset
    end = start + _HOUR
    if offset_at(zone, start) != offset:
        start = change_between(zone, start, at)
    if offset_at(zone, end - 1) != offset:
        end = change_between(zone, at, end - 1)
    return Interval(float(start), float(end))


@lru_cache(maxsize=2048)
def _window_of_day(
    period: Period, zone: ZoneInfo, day_starts: int, week_starts: int, day: int
) -> Interval:
    """The window of whole days that the calendar day belongs to."""
    first = period_table.first_day(period, week_starts, day)
    following = period_table.following_first_day(period, week_starts, day)
    start, end = (
        first_instant(zone, midnight * DAY + day_starts) for midnight in (first, following)
    )
    return Interval(float(start), float(end))
