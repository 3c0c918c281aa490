"""Twin of proxy_addon/simulate/hours.py: each second in its hour of the wall clock."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.types import Visit
from proxy_addon.simulate import PersonResult
from proxy_addon.simulate.hours import by_hour


def used(start: float, end: float) -> PersonResult:
    """Somebody with one stretch."""
    return PersonResult(visits={"1": Visit("1", "ana", "x", None, "a", "r", start, end, "n")})


def test_a_stretch_over_the_full_hour_is_split() -> None:
    """Ten minutes across nine o'clock are five in each hour."""
    nine = 1_793_610_000.0
    hours = by_hour(used(nine - 300, nine + 300), ZoneInfo("Europe/London"))
    assert hours == {
        "2026-11-02T08:00:00+00:00": {"x": 300.0},
        "2026-11-02T09:00:00+00:00": {"x": 300.0},
    }


def test_zones_that_are_off_by_half_an_hour() -> None:
    """In India an hour begins at half past in UTC."""
    assert list(by_hour(used(0.0, 10.0), ZoneInfo("Asia/Kolkata"))) == ["1970-01-01T05:00:00+05:30"]


def test_the_hour_that_comes_twice() -> None:
    """Where clocks go back, both hours of the same name are kept apart."""
    first = 1_792_890_000.0  # 2026-10-25 01:00 UTC, 02:00 in London becomes 01:00
    hours = by_hour(used(first - 60, first + 60), ZoneInfo("Europe/London"))
    assert list(hours) == ["2026-10-25T01:00:00+01:00", "2026-10-25T01:00:00+00:00"]


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1.7e9, 1.9e9),
    st.floats(1, 90_000),
    st.sampled_from(["UTC", "Europe/London", "Asia/Kathmandu"]),
)
def test_hours_add_up(start: float, length: float, zone: str) -> None:
    """However long the stretch, its hours are the stretch, and none has more than 3,600 seconds."""
    hours = by_hour(used(start, start + length), ZoneInfo(zone))
    assert sum(found["x"] for found in hours.values()) == pytest.approx(length, abs=0.1)
    assert max(found["x"] for found in hours.values()) <= 3600.001
