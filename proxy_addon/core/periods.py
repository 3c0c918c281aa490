"""Which window an instant is in, and when a condition on wall-clock time holds.

Three rules, and everything below follows from them:

* A wall-clock time stands for the *first instant at which the clock shows it or has passed it*: a time that
  a DST gap jumps over is the instant of the jump, a time that is shown twice is the first showing. Hence
  later wall-clock times never stand for earlier instants, and days tile time: each begins where the one
  before ends, whether it has 23, 24 or 25 hours. A day that a zone left out (Apia, 30 December 2011) is
  empty, and no instant is in it.
* A window of whole days (a day, week, month, quarter or year) begins at `day_starts` of its first day. An
  hour begins whenever the clock shows a
  full hour, and at a change of offset: the hour shown twice in autumn is two windows of sixty minutes.
* A `when` is read off the clock on the wall as it hangs there: no `day_starts`, and a time that is shown
  twice fits twice.

All clock changes are at whole seconds, so instants are floored before a clock is read.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from proxy_addon.core import period_table
from proxy_addon.core.period_table import EPOCH_DAY, EPOCH_WEEKDAY
from proxy_addon.core.ruleset import Calendar, Limit, Period, RuleSet, When
from proxy_addon.core.types import Interval

DAY = 86_400
HORIZON = 370.0 * DAY  # a year and a little: yearly dates come round once
_HOUR = 3_600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKS = (
    15.0 * DAY
)  # a condition without dates that does not change in two weeks and a day never does


def window(limit: Limit, rs: RuleSet, at: float) -> Interval:
    """The window of `limit` that `at` is in; for a rolling limit the one that ends at `at`."""
    if limit.period is Period.ROLLING:
        return Interval(at - limit.rolling, at)
    return _window(limit.period, rs.zone, rs.day_starts, rs.week_starts, math.floor(at))


def previous(limit: Limit, rs: RuleSet, window_now: Interval) -> Interval:
    """The window that ends where `window_now` begins."""
    if limit.period is Period.ROLLING:
        return Interval(window_now.start - limit.rolling, window_now.start)
    return window(limit, rs, window_now.start - 1)


def fits(when: When, rs: RuleSet, at: float) -> bool:
    """True when every part of the condition holds at `at` in the zone of the rules."""
    second = math.floor(at)
    return _holds(when, *divmod(second + _offset(rs.zone, second), DAY), second)


def holds_on(when: When, day: int, second: int) -> bool:
    """True when the condition holds at `second` of a calendar day (1 = 1 January of the year 1), by the clock
    on the wall alone: hours of a calendar, which are instants, do not count.
    """
    return _holds(when, day - EPOCH_DAY, second, -math.inf)


def next_change(when: When, rs: RuleSet, at: float, horizon: float = HORIZON) -> float | None:
    """The first instant after `at` at which `fits` gives the other answer; None when there is none in sight.

    The answer can only change where the clock shows midnight or an edge of a `between`, where it is moved, and
    at an edge of a calendar's hours. Only those instants are looked at.
    """
    now, hours = fits(when, rs, at), _hours(when)
    change = _next_on_the_clock(when, rs.zone, at, now, _in_sight(when, bool(hours), horizon))
    last = at + horizon if change is None else change
    for hour in hours:
        for edge in islice(hour, bisect_right(hour, at), None):
            if edge > last:
                break
            if fits(when, rs, edge) is not now:
                change = last = edge
                break
    return change


def _next_on_the_clock(
    when: When, zone: ZoneInfo, at: float, now: bool, horizon: float
) -> float | None:
    """The first change at an edge that the clock on the wall shows."""
    start = math.floor(at)
    edges = _edges(when)
    for first, last, offset in _stretches(zone, start, math.ceil(at + horizon)):
        for day in range((first + offset) // DAY, (last - 1 + offset) // DAY + 1):
            midnight = day * DAY - offset
            if midnight < first and _holds(when, day, first - midnight, first) is not now:
                return float(first)
            for edge in edges:
                instant = midnight + edge
                if (
                    first <= instant < last
                    and _holds(when, day, edge, instant) is not now
                    and instant > at
                ):
                    return float(instant)
    return None


def _in_sight(when: When, hours: bool, horizon: float) -> float:
    """How far ahead the clock on the wall can bring the first change."""
    if _names_dates(when) or (hours and when != When(calendar=when.calendar)):
        return horizon
    return 0.0 if hours else min(horizon, _WEEKS)


@lru_cache(maxsize=2048)
def _window(period: Period, zone: ZoneInfo, day_starts: int, week_starts: int, at: int) -> Interval:
    """The window of the calendar around `at`. Many ask in the same second, and for the same midnights."""
    if period is Period.HOUR:
        return _hour(zone, at)
    day = (at + _offset(zone, at) - day_starts) // DAY
    found = _window_of_day(period, zone, day_starts, week_starts, day)
    while (
        at >= found.end
    ):  # the clock was put back over the edge: it shows the old day, but the new one began
        day += 1
        found = _window_of_day(period, zone, day_starts, week_starts, day)
    return found


def _hour(zone: ZoneInfo, at: int) -> Interval:
    """The hour on the clock around `at`, cut at a change of offset."""
    offset = _offset(zone, at)
    start = (at + offset) // _HOUR * _HOUR - offset
    end = start + _HOUR
    if _offset(zone, start) != offset:
        start = _change(zone, start, at)
    if _offset(zone, end - 1) != offset:
        end = _change(zone, at, end - 1)
    return Interval(float(start), float(end))


@lru_cache(maxsize=2048)
def _window_of_day(
    period: Period, zone: ZoneInfo, day_starts: int, week_starts: int, day: int
) -> Interval:
    """The window of whole days that the calendar day belongs to."""
    first = period_table.first_day(period, week_starts, day)
    following = period_table.following_first_day(period, week_starts, day)
    start, end = (_instant(zone, midnight * DAY + day_starts) for midnight in (first, following))
    return Interval(float(start), float(end))


def _instant(zone: ZoneInfo, wall: int) -> int:
    """The first instant at which the clock shows `wall` (its own seconds since 1970) or has passed it."""
    shown = (_EPOCH + timedelta(seconds=wall)).replace(tzinfo=zone)
    before, after = _seconds(shown.utcoffset()), _seconds(shown.replace(fold=1).utcoffset())
    if before >= after:  # shown once, or twice: `before` is the offset of the first showing
        return wall - before
    return _change(zone, wall - after, wall - before)


def _offset(zone: ZoneInfo, instant: int) -> int:
    """How far the clock is ahead of UTC at `instant`, seconds."""
    return _seconds(datetime.fromtimestamp(instant, zone).utcoffset())


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset else 0


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The instant in `(low, high]` at which the offset stops being what it is at `low`; there is just one."""
    offset = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def _stretches(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """`[start, end)` in pieces `(first, last, offset)` of at most a day, within which the offset is one."""
    while start < end:
        offset = _offset(zone, start)
        stop = min(start + DAY, end)
        if _offset(zone, stop) != offset:
            stop = _change(zone, start, stop)
        yield start, stop, offset
        start = stop


def _holds(when: When, day: int, second: int, instant: float) -> bool:
    """True when the condition holds at `second` of the calendar day `day` (counted from 1 January 1970)."""
    if when.negated is not None and _holds(when.negated, day, second, instant):
        return False
    if not when.between:
        return _on(when, day, instant)
    for start, end in when.between:
        if start <= end:
            if start <= second < end and _on(when, day, instant):
                return True
        elif (second >= start and _on(when, day, instant)) or (
            second < end and _on(when, day - 1, instant)
        ):
            return True
    return False


def _on(when: When, day: int, instant: float) -> bool:
    """True when `days` and `dates` hold for the calendar day, and the calendar for it or for the instant."""
    if when.days is not None and (day + EPOCH_WEEKDAY) % 7 not in when.days:
        return False
    if not when.dates and when.calendar is None:
        return True
    today = date.fromordinal(day + EPOCH_DAY)
    if when.dates and not any(first <= today <= last for first, last in when.dates):
        return False
    return when.calendar is None or _marked(when.calendar, today, instant)


def _marked(calendar: Calendar, today: date, instant: float) -> bool:
    """True when the calendar holds the day or the instant."""
    position = bisect_right(calendar.days, today, key=_first)
    if position and today <= calendar.days[position - 1][1]:
        return True
    position = bisect_right(calendar.hours, instant, key=_first)
    return position > 0 and instant < calendar.hours[position - 1].end


def _first[T](pair: tuple[T, T]) -> T:
    return pair[0]


def _edges(when: When) -> tuple[int, ...]:
    """The seconds of a day at which the condition may change, sorted; midnight always."""
    edges = {0} | {edge % DAY for pair in when.between for edge in pair}
    return tuple(sorted(edges.union(_edges(when.negated)) if when.negated is not None else edges))


def _hours(when: When) -> list[list[float]]:
    """The edges of the hours of each calendar, sorted."""
    negated = _hours(when.negated) if when.negated is not None else []
    if when.calendar is None or not when.calendar.hours:
        return negated
    return [[edge for hour in when.calendar.hours for edge in hour], *negated]


def _names_dates(when: When) -> bool:
    own = bool(when.dates) or (when.calendar is not None and bool(when.calendar.days))
    return own or (when.negated is not None and _names_dates(when.negated))
