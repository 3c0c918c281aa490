"""Use by hour of the day, in the policy's zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import Intervals
from proxy_addon.presentation.durations import iso
from proxy_addon.simulate.result import PersonResult


def by_hour(person: PersonResult, zone: ZoneInfo) -> dict[str, dict[str, float]]:
    """Start of each hour with use (ISO) -> platform -> seconds."""
    hours: dict[float, dict[str, float]] = {}
    for platform, union in person.by_platform().items():
        for begins, seconds in _spread(union, zone):
            found = hours.setdefault(begins, {})
            found[platform] = found.get(platform, 0.0) + seconds
    return {
        iso(begins, zone): {
            name: round(seconds, 3) for name, seconds in sorted(hours[begins].items())
        }
        for begins in sorted(hours)
    }


def _spread(union: Intervals, zone: ZoneInfo) -> list[tuple[float, float]]:
    pieces: list[tuple[float, float]] = []
    for start, end in union:
        at = start
        while at < end:
            begins = _hour_of(at, zone)
            until = min(end, begins + 3600.0)
            pieces.append((begins, until - at))
            at = until
    return pieces


def _hour_of(at: float, zone: ZoneInfo) -> float:
    """Where the wall clock's hour of `at` began. An hour is 3,600 real seconds, also where clocks
    change."""
    local = datetime.fromtimestamp(at, zone)
    passed = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at - passed.total_seconds()
