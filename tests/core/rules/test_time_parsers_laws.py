"""Laws of the parsers of times: what is written of a value is read as that value, and nothing else
is won or lost."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.rules import time_parsers
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.ruleset import Limit, Period

quick = settings(max_examples=100, deadline=None)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
lengths = st.integers(0, 999_999)


def written(seconds: int) -> str:
    """A length of time with as few seconds as possible: the writer to the parser."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0"


def clock(second: int) -> str:
    """A full minute of the day as the clock shows it."""
    return f"{second // 3600:02}:{second // 60 % 60:02}"


@quick
@given(lengths)
def test_a_length_is_read_as_it_was_written(seconds: int) -> None:
    """In all units, in seconds alone, and with spaces between the parts."""
    assert time_parsers.duration(written(seconds)) == seconds
    assert time_parsers.duration(f"{seconds}s") == seconds
    spaced = "".join(f"{sign} " if sign.isalpha() else sign for sign in written(seconds))
    assert time_parsers.duration(spaced) == seconds


@quick
@given(st.integers(0, 9999), st.integers(0, 999), st.sampled_from("dhms"))
def test_a_duration_plus_a_duration(whole: int, thousandths: int, unit: str) -> None:
    """The whole part and the part behind the point are added, in every unit."""
    together = time_parsers.duration(f"{whole}.{thousandths:03}{unit}")
    parts = time_parsers.duration(f"{whole}{unit}") + time_parsers.duration(
        f"0.{thousandths:03}{unit}"
    )
    assert together == pytest.approx(parts)


@quick
@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_the_sum_of_the_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    """A length is the sum of its parts read one by one, however large each of them is."""
    parts = (f"{days}d", f"{hours}h", f"{minutes}m", f"{seconds}s")
    assert time_parsers.duration("".join(parts)) == sum(map(time_parsers.duration, parts))


@quick
@given(lengths, lengths)
def test_longer_is_more(one: int, other: int) -> None:
    """Of two lengths the longer one is the greater number, however both are written."""
    assert (time_parsers.duration(written(one)) < time_parsers.duration(f"{other}s")) is (
        one < other
    )


@quick
@given(lengths, st.sampled_from([period for period in Period if period is not Period.ROLLING]))
def test_a_limit_is_read_as_it_was_written(seconds: int, period: Period) -> None:
    """For each period of the calendar."""
    assert time_parsers.limit(f"{written(seconds)} per {period}") == Limit(seconds, period)


@quick
@given(lengths, st.integers(1, 999_999))
def test_a_rolling_limit_is_read_as_it_was_written(seconds: int, window: int) -> None:
    """With the length of its window, which is not nothing."""
    found = time_parsers.limit(f"{written(seconds)} per rolling {written(window)}")
    assert found == Limit(seconds, Period.ROLLING, window)


@quick
@given(st.integers(0, 1439), st.integers(0, 1440))
def test_a_range_of_times_is_read_as_it_was_written(start: int, end: int) -> None:
    """Every pair of minutes of a day, but for those that are the same minute."""
    text = f"{clock(start * 60)}-{clock(end * 60) if end < 1440 else '24:00'}"
    if start == end:
        with pytest.raises(BadValue):
            time_parsers.between(text)
    else:
        assert time_parsers.between(text) == (start * 60, end * 60)


def test_every_minute_of_the_day_is_read_as_it_was_written() -> None:
    """One thousand four hundred and forty times of day, none of them refused or moved."""
    seconds = range(0, time_parsers.DAY, 60)
    assert [time_parsers.time_of_day(clock(second)) for second in seconds] == list(seconds)


def test_every_range_of_days() -> None:
    """All pairs: a walk from the first day to the last one passes just the days of the range."""
    for first, last in product(range(7), range(7)):
        walked = {first}
        while (day := max(walked, key=lambda d: (d - first) % 7)) != last:
            walked.add((day + 1) % 7)
        for one, other in product((DAYS[first], DAYS[first][:3]), (DAYS[last], DAYS[last][:3])):
            assert time_parsers.days(f"{one}-{other}") == walked


def test_a_day_is_a_range_of_itself() -> None:
    """By both of its names, and the same as the number of the day of the week."""
    for number, name in enumerate(DAYS):
        assert time_parsers.days(name) == time_parsers.days(f"{name}-{name[:3]}") == {number}
        assert time_parsers.weekday(name) == time_parsers.weekday(name[:3].title()) == number


@quick
@given(st.integers(0, 6), st.integers(0, 6))
def test_a_range_and_its_opposite_are_the_week(first: int, last: int) -> None:
    """From the first day to the last, and from there back round, each day is passed."""
    there = time_parsers.days(f"{DAYS[first]}-{DAYS[last]}")
    back = time_parsers.days(f"{DAYS[last]}-{DAYS[first]}")
    assert there | back == set(range(7)) if first != last else there == back == {first}


def test_every_day_of_four_years_is_a_date() -> None:
    """Brute force with a leap year in it: each day that exists is read, and each that does not is
    refused."""
    real = {str(date(2026, 1, 1) + timedelta(n)) for n in range(4 * 365 + 1)}
    months, days = range(14), range(33)
    for year, month, day in product(range(2026, 2030), months, days):
        text = f"{year}-{month:02}-{day:02}"
        if text in real:
            assert time_parsers.dates(text) == (date(year, month, day),) * 2
        else:
            with pytest.raises(BadValue):
                time_parsers.dates(text)


@quick
@given(st.dates(), st.dates(), st.sampled_from(["..", " .. ", " - ", " – "]))
def test_a_range_of_dates_and_its_hint(first: date, last: date, between: str) -> None:
    """A range is read as written; backwards, what the hint says is read as the same two days."""
    text = f"{first}{between}{last}"
    if first <= last:
        assert time_parsers.dates(text) == (first, last)
    else:
        with pytest.raises(BadValue) as caught:
            time_parsers.dates(text)
        assert time_parsers.dates(caught.value.hint.removeprefix("write ")) == (last, first)
