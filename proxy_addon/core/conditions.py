"""When a condition on wall-clock time holds, and when its answer changes next.

A `when` is read off the clock on the wall as it hangs there: no `day_starts`, and a time that is
shown twice fits twice.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from datetime import date
from itertools import islice
from zoneinfo import ZoneInfo

from proxy_addon.core.period_table import EPOCH_DAY, EPOCH_WEEKDAY
from proxy_addon.core.ruleset import Calendar, RuleSet, When
from proxy_addon.core.wall_clock import DAY, offset_at, stretches

HORIZON = 370.0 * DAY  # a little more than a year: every yearly date occurs once
_WEEKS = (
    15.0 * DAY
)  # a condition without dates that does not change in two weeks and a day never does


def fits(when: When, rs: RuleSet, at: float) -> bool:
    """True when every part of the condition holds at `at` in the zone of the rules."""
    second = math.floor(at)
    return _holds(when, *divmod(second + offset_at(rs.zone, second), DAY), second)


def holds_on(when: When, day: int, second: int) -> bool:
    """True when the condition holds at `second` of a calendar day (1 = 1 January of the year 1), by
    the clock on the wall alone: hours of a calendar, which are instants, do not count.
    """
    return _holds(when, day - EPOCH_DAY, second, -math.inf)


def next_change(when: When, rs: RuleSet, at: float, horizon: float = HORIZON) -> float | None:
    """The first instant after `at` at which the result of `fits` changes; None when there is none
    within `horizon`.

    It can only change where the local time is midnight or an edge of a `between`, where the offset
    changes, and at an edge of a calendar's hours. Only those instants are tested.
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
    """The first change at an edge in local time."""
    start = math.floor(at)
    edges = _edges(when)
    for first, last, offset in stretches(zone, start, math.ceil(at + horizon)):
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
    """How far ahead local time can cause the first change, seconds."""
    if _names_dates(when) or (hours and when != When(calendar=when.calendar)):
        return horizon
    return 0.0 if hours else min(horizon, _WEEKS)


def _holds(when: When, day: int, second: int, instant: float) -> bool:
    """True when the condition holds at `second` of the calendar day `day` (counted from 1 January
    1970)."""
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
    """True when `days` and `dates` hold for the calendar day, and the calendar for it or for the
    instant."""
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
