"""Which days a report is about: whole days of the policy, with its `day_starts`, its weeks and its
zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from proxy_addon.core import periods
from proxy_addon.core.ruleset import Limit, Period, RuleSet
from proxy_addon.core.types import Interval

_INSIDE = 3 * 3600.0  # seconds after a day begins, whatever the clocks do that night
MAX_DAYS = 1000


class SpanError(ValueError):
    """Days that no report can be about; one sentence."""


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)`, cut into days; `until` is the end, or now where that is earlier; `starts` are
    those of the days. Instants."""

    days: tuple[Interval, ...]
    dates: tuple[date, ...]
    until: float
    starts: tuple[float, ...]

    @property
    def start(self) -> float:
        """The first instant."""
        return self.days[0].start

    @property
    def end(self) -> float:
        """The instant at which the last day ends, which may be in the future."""
        return self.days[-1].end

    @property
    def whole(self) -> bool:
        """True when its last day is over."""
        return self.until >= self.end

    def day(self, instant: float) -> int:
        """The number of the day that an instant of the span is in."""
        return bisect_right(self.starts, instant) - 1


def around(rs: RuleSet, period: Period, now: float, *, last: bool = False) -> Span:
    """The week or month that `now` is in, or the one before it."""
    limit = Limit(0.0, period)
    window = periods.window(limit, rs, now)
    return _span(rs, periods.previous(limit, rs, window) if last else window, now)


def between(rs: RuleSet, first: date, last: date, now: float) -> Span:
    """From one day to another, both included. Raises SpanError."""
    if last < first:
        raise SpanError(f"{last} is before {first}")
    if (last - first).days >= MAX_DAYS:
        raise SpanError(f"{first} to {last} are more than {MAX_DAYS} days; choose fewer")
    begin, end = _day_of(rs, first), _day_of(rs, last)
    if begin.start >= now:
        raise SpanError(f"{first} has not begun yet")
    return _span(rs, Interval(begin.start, end.end), now)


def _day_of(rs: RuleSet, day: date) -> Interval:
    shown = datetime.combine(day, time(0), rs.zone).timestamp()
    return periods.calendar_window(Period.DAY, rs, shown + rs.day_starts + _INSIDE)


def _span(rs: RuleSet, whole: Interval, now: float) -> Span:
    days = tuple(_days(rs, whole))
    dates = tuple(datetime.fromtimestamp(day.start, rs.zone).date() for day in days)
    return Span(days, dates, min(whole.end, now), tuple(day.start for day in days))


def _days(rs: RuleSet, whole: Interval) -> Iterator[Interval]:
    at = whole.start
    while at < whole.end:
        day = periods.calendar_window(Period.DAY, rs, at)
        yield day
        at = day.end
