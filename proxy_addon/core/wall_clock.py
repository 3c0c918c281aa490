"""Local time of a zone (the wall clock): what it shows at an instant, and when it first shows a
time.

A local time means the *first instant at which the clock shows it or has passed it*: a time within a
DST gap means the instant of the change, a time that is shown twice means its first showing. So a
later local time is never an earlier instant.

All clock changes are at whole seconds, so instants are floored before a clock is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def first_instant(zone: ZoneInfo, wall: int) -> int:
    """The first instant at which the clock shows `wall` (its own seconds since 1970) or has passed
    it."""
    shown = (_EPOCH + timedelta(seconds=wall)).replace(tzinfo=zone)
    before, after = _seconds(shown.utcoffset()), _seconds(shown.replace(fold=1).utcoffset())
    if before >= after:  # shown once, or twice: `before` is the offset of the first showing
        return wall - before
    return change_between(zone, wall - after, wall - before)


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """The offset from UTC at `instant`, seconds."""
    return _seconds(datetime.fromtimestamp(instant, zone).utcoffset())


def _seconds(offset: timedelta | None) -> int:
    return int(offset.total_seconds()) if offset else 0


def change_between(zone: ZoneInfo, low: int, high: int) -> int:
    """The instant in `(low, high]` at which the offset changes; there must be exactly one."""
    offset = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == offset:
            low = middle
        else:
            high = middle
    return high


def stretches(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """`[start, end)` in parts `(first, last, offset)` of at most a day with one offset each."""
    while start < end:
        offset = offset_at(zone, start)
        stop = min(start + DAY, end)
        if offset_at(zone, stop) != offset:
            stop = change_between(zone, start, stop)
        yield start, stop, offset
        start = stop
