"""Lengths of time, limits, clock times, days, dates and zones."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.rules import time_parsers
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.ruleset import Limit, Period


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("2d", 172_800),
        ("1.5h", 5400),
        (0, 0),
        ("0", 0),
    ],
)
def test_durations(written, seconds) -> None:
    """A length of time in seconds; zero needs no unit."""
    assert time_parsers.duration(written) == seconds


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
@settings(max_examples=60)
def test_durations_add_up(hours: int, minutes: int, seconds: int) -> None:
    """The parts of a length of time are added."""
    assert (
        time_parsers.duration(f"{hours}h{minutes}m{seconds}s")
        == hours * 3600 + minutes * 60 + seconds
    )


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("15m per day", Limit(900, Period.DAY)),
        ("1h30m per week", Limit(5400, Period.WEEK)),
        ("5m  per  hour", Limit(300, Period.HOUR)),
        ("6h per month", Limit(21_600, Period.MONTH)),
        ("6h per quarter", Limit(21_600, Period.QUARTER)),
        ("40h per year", Limit(144_000, Period.YEAR)),
        ("20m per rolling 4h", Limit(1200, Period.ROLLING, 14_400)),
        ("0m per day", Limit(0, Period.DAY)),
    ],
)
def test_limits(written: str, limit: Limit) -> None:
    """Every form of a limit that docs/rules.md names."""
    assert time_parsers.limit(written) == limit


@pytest.mark.parametrize(
    ("written", "pair"),
    [
        ("12:00-13:30", (43_200, 48_600)),
        ("22:00 - 06:00", (79_200, 21_600)),
        ("0:00-24:00", (0, 86_400)),
        ("9:05–9:10", (32_700, 33_000)),
    ],
)
def test_stretches_of_the_day(written: str, pair: tuple[int, int]) -> None:
    """Seconds after midnight; a stretch may cross midnight or end at it."""
    assert time_parsers.between(written) == pair


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("mon", {0}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("sat-mon", {5, 6, 0}),
        ("Sunday", {6}),
        ("sun-sun", {6}),
    ],
)
def test_days(written: str, numbers: set[int]) -> None:
    """Ranges hold both ends and go around the end of the week."""
    assert time_parsers.days(written) == numbers


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
@settings(max_examples=60)
def test_ranges_of_dates(first: date, length: int) -> None:
    """Both ways of writing a range mean the same, and a range of one day is that day."""
    last = first + timedelta(length)
    assert (
        time_parsers.dates(f"{first}..{last}")
        == time_parsers.dates(f"{first} - {last}")
        == (first, last)
    )
    assert time_parsers.dates(str(first)) == (first, first)


def test_zones_are_iana_names_in_their_spelling() -> None:
    """A name that would only work on this machine's disk is refused."""
    assert time_parsers.zone("Europe/London") == ZoneInfo("Europe/London")
    for wrong in ("europe/london", "localtime", "posix/Europe/London", "/etc/localtime", ""):
        with pytest.raises(BadValue):
            time_parsers.zone(wrong)


def test_long_text_is_refused_at_once() -> None:
    """Patterns that could look back for ever never see it."""
    for parse in (
        time_parsers.duration,
        time_parsers.limit,
        time_parsers.between,
        time_parsers.dates,
    ):
        with pytest.raises(BadValue):
            parse("1" + " " * 500_000 + "x")
