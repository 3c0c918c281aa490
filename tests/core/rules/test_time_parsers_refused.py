"""Times in rule files: the exact words about what cannot be read, and the value on the other side
of each edge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy_addon.core.rules import time_parsers
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code

LENGTHS = "write, for example, 90s, 15m or 1h30m"
PERIODS = "use hour, day, week, month, quarter, year or rolling 4h"


def refused(parse: Callable[[object], object], value: object) -> tuple[Code, str, str]:
    """Code, message and hint of what a parser says about a value that it cannot read."""
    with pytest.raises(BadValue) as caught:
        parse(value)
    return caught.value.code, caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0s", 0),
        ("0.001s", 0.001),
        ("999999s", 999_999),
        ("1d1h1m1s", 90_061),
        ("1d 1h 1m 1s", 90_061),
        ("1d1s", 86_401),
        ("  5m  ", 300),
        ("90m", 5400),
        ("25h", 90_000),
        ("0.5d", 43_200),
    ],
)
def test_lengths_at_the_edges(written: str, seconds: float) -> None:
    """Six digits, three places, any of the four units, and more than fits the next unit."""
    assert time_parsers.duration(written) == time_parsers.seconds(written) == seconds


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ("m", '"m"'),
        ("15 min", '"15 min"'),
        ("1000000s", '"1000000s"'),
        ("0.0001s", '"0.0001s"'),
        ("1m1h", '"1m1h"'),
        ("5m5m", '"5m5m"'),
        ("15M", '"15M"'),
        ("-15m", '"-15m"'),
        ("+15m", '"+15m"'),
        (".5h", '".5h"'),
        ("1.h", '"1.h"'),
        ("15 m", '"15 m"'),
        ("٣m", '"٣m"'),
        (True, '"true"'),
        (None, "nothing"),
        (["15m"], "a list"),
    ],
)
def test_what_is_no_length_of_time(value: object, shown: str) -> None:
    """Units out of order or twice, signs, other letters and digits, and one digit too many."""
    message = f"{shown} is not a length of time"
    assert refused(time_parsers.duration, value) == (Code.BAD_DURATION, message, LENGTHS)


@pytest.mark.parametrize("value", [15, -15, 1, "15", "15.5", " 7 ", "00"])
def test_a_number_has_no_unit(value: object) -> None:
    """A number that is not nothing could be minutes or seconds; also as text, also in a limit."""
    said = (Code.BAD_DURATION, f'"{value}" has no unit', LENGTHS)
    assert refused(time_parsers.duration, value) == said
    limit = f"{str(value).strip()} per day"
    message = f'"{str(value).strip()}" has no unit'
    assert refused(time_parsers.limit, limit) == (Code.BAD_LIMIT, message, LENGTHS)


@pytest.mark.parametrize("value", [0, "0", "0s", "0d0h"])
def test_nothing_would_be_kept(value: object) -> None:
    """Zero is a length of time, and no retention."""
    hint = "write, for example, 90d"
    message = "nothing would be kept, not even today's usage"
    assert time_parsers.duration(value) == 0
    assert refused(time_parsers.retention, value) == (Code.BAD_DURATION, message, hint)


def test_the_shortest_retention() -> None:
    """A thousandth of a second is more than nothing."""
    assert time_parsers.retention("0.001s") == 0.001


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ("15m", '"15m" is not a valid limit', "write, for example, 15m per day"),
        (15, '"15" is not a valid limit', "write, for example, 15m per day"),
        (None, "nothing is not a valid limit", "write, for example, 15m per day"),
        ("15m perday", '"15m perday" is not a valid limit', "write, for example, 15m per day"),
        ("15mper day", '"15mper day" is not a valid limit', "write, for example, 15m per day"),
        ("15min per day", '"15min" is not a length of time', LENGTHS),
        ("-5m per day", '"-5m" is not a length of time', LENGTHS),
        ("15m per dai", '"dai" is not a period', PERIODS),
        ("15m per Day", '"Day" is not a period', PERIODS),
        ("15m per decade", '"decade" is not a period', PERIODS),
        ("15m per 30m", '"30m" is not a period', PERIODS),
        ("15m per day now", '"now" does not belong here', "a limit ends after the period: per day"),
        (
            "15m per week 4h",
            '"4h" does not belong here',
            "a limit ends after the period: per week",
        ),
        (
            "15m per rolling",
            "the length of the rolling window is missing",
            "write, for example, 20m per rolling 4h",
        ),
        (
            "15m per rolling 0h",
            '"0h" is not a length for a rolling window',
            "write, for example, 20m per rolling 4h",
        ),
        (
            "15m per rolling day",
            '"day" is not a length for a rolling window',
            "write, for example, 20m per rolling 4h",
        ),
        (
            "15m per rolling 4",
            '"4" is not a length for a rolling window',
            "write, for example, 20m per rolling 4h",
        ),
    ],
)
def test_limits_that_are_refused(value: object, message: str, hint: str) -> None:
    """The part that is wrong is quoted, not the whole limit."""
    assert refused(time_parsers.limit, value) == (Code.BAD_LIMIT, message, hint)


@pytest.mark.parametrize(
    ("value", "near"),
    [("15m per dai", "dai"), ("15m per 4h", "4h"), ("15m per 30m", None), ("15m per 1month", None)],
)
def test_a_misspelt_period_comes_with_the_word(value: str, near: str | None) -> None:
    """A word is looked up among the periods; a length with an `m` in it would be taken for a
    month."""
    with pytest.raises(BadValue) as caught:
        time_parsers.limit(value)
    assert (caught.value.near[0] if caught.value.near else None) == near


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", '"soon" is not a length of time'),
        (-1, '"-1" is not a length of time'),
        ("-0.5", '"-0.5" is not a length of time'),
        (True, '"true" is not a length of time'),
        (None, "nothing is not a length of time"),
    ],
)
def test_constants_of_metering_that_are_refused(value: object, message: str) -> None:
    """What is neither a length of time nor a number of zero or more."""
    hint = "write, for example, 45s, 3m or a number"
    assert refused(time_parsers.seconds, value) == (Code.BAD_DURATION, message, hint)


@pytest.mark.parametrize(
    ("value", "found"), [(0, 0), (45, 45), ("45", 45), ("1.5", 1.5), ("45s", 45), ("3m", 180)]
)
def test_constants_of_metering(value: object, found: float) -> None:
    """A number means seconds there."""
    assert time_parsers.seconds(value) == found


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("0:00", 0), ("00:00", 0), ("4:05", 14_700), ("23:59", 86_340), (" 04:00 ", 14_400)],
)
def test_times_of_day(written: str, seconds: int) -> None:
    """From midnight to the last minute of the day."""
    assert time_parsers.time_of_day(written) == seconds


@pytest.mark.parametrize(
    "value",
    ["24:00", "23:60", "4", 4, "4:5", "004:00", "04:00:00", "-1:00", "4 pm", "04.00", None, True],
)
def test_times_of_day_that_are_refused(value: object) -> None:
    """The end of the day is none of its times, and each time has hours and minutes."""
    with pytest.raises(BadValue) as caught:
        time_parsers.time_of_day(value)
    assert caught.value.code is Code.BAD_TIME
    assert caught.value.message.endswith(" is not a time of day")
    assert caught.value.hint == 'write it as "04:00"'


@pytest.mark.parametrize(
    ("written", "pair"),
    [
        ("00:00-24:00", (0, 86_400)),
        ("23:59-00:00", (86_340, 0)),
        ("00:00-00:01", (0, 60)),
        ("23:59-24:00", (86_340, 86_400)),
        ("9:00 – 17:00", (32_400, 61_200)),
    ],
)
def test_ranges_of_times_at_the_edges(written: str, pair: tuple[int, int]) -> None:
    """Midnight is the end of a range as 24:00 and, on the next day, as 0:00."""
    assert time_parsers.between(written) == pair


@pytest.mark.parametrize(
    "value",
    [
        "24:00-01:00",
        "12:00-24:01",
        "12-13",
        "12:00",
        "12:00-",
        "-12:00",
        "12:00-13:00-14:00",
        12,
        None,
        ["12:00-13:00"],
    ],
)
def test_what_is_no_range_of_times(value: object) -> None:
    """No range begins at the end of the day, ends after it, or has one end or three."""
    code, message, hint = refused(time_parsers.between, value)
    assert (code, hint) == (Code.BAD_TIME, 'write it as "12:00-13:30"')
    assert message.endswith(" is not a range of times")


@pytest.mark.parametrize("value", ["12:00-12:00", "00:00-0:00"])
def test_ranges_that_end_where_they_begin(value: str) -> None:
    """It could be nothing or the whole day, so it is neither."""
    message = f'"{value}" begins and ends at the same time'
    hint = 'the whole day is "00:00-24:00"'
    assert refused(time_parsers.between, value) == (Code.BAD_TIME, message, hint)


@pytest.mark.parametrize(
    ("value", "near"),
    [
        ("moo", "moo"),
        ("mon-fry", "mon-fry"),
        ("Mon - Fry", "mon-fry"),
        ("mon-", "mon-"),
        ("mon-tue-wed", None),
        (5, None),
        (True, None),
        (None, None),
    ],
)
def test_days_that_are_refused(value: object, near: str | None) -> None:
    """One word or two come with what they could be a misspelling of; anything else does not."""
    with pytest.raises(BadValue) as caught:
        time_parsers.days(value)
    bad = caught.value
    assert (bad.code, bad.hint) == (Code.BAD_DAYS, "write mon, mon-fri or [mon, wed, fri]")
    assert bad.message.endswith(" is not a day or a range of days")
    assert (bad.near[0] if bad.near else None) == near


@pytest.mark.parametrize(
    ("value", "number"), [("monday", 0), (" Sun ", 6), ("WED", 2), ("thursday", 3), ("thu", 3)]
)
def test_days_of_the_week(value: str, number: int) -> None:
    """By the whole name or three letters, in any case."""
    assert time_parsers.weekday(value) == number


@pytest.mark.parametrize("value", ["mondey", "mon-tue", "mo", 0, True])
def test_days_of_the_week_that_are_refused(value: object) -> None:
    """A range is no day, and neither is a number."""
    shown = "true" if value is True else value
    said = (Code.BAD_DAYS, f'"{shown}" is not a day of the week', "write monday")
    assert refused(time_parsers.weekday, value) == said


@pytest.mark.parametrize(
    "value",
    [
        "24.12.2026",
        "2026-13-01",
        "2026-02-29",
        "2026-12-24-2026-12-26",
        "2026-12-24 to 2026-12-26",
        "20261224",
        "2026-1-1",
        "0000-01-01",
        "2026-12-24..",
        2026,
        None,
    ],
)
def test_what_is_no_date(value: object) -> None:
    """Other forms, days that do not exist, and ranges whose hyphen could belong to a date."""
    code, message, hint = refused(time_parsers.dates, value)
    assert (code, hint) == (Code.BAD_DATES, "write 2026-12-24 or 2026-12-24..2027-01-01")
    assert message.endswith(" is not a date or a range of dates")


def test_a_range_of_dates_backwards() -> None:
    """The hint is the range the right way round."""
    message = '"2026-12-26 – 2026-12-24" ends before it begins'
    hint = "write 2026-12-24..2026-12-26"
    assert refused(time_parsers.dates, "2026-12-26 – 2026-12-24") == (Code.BAD_DATES, message, hint)


@pytest.mark.parametrize("value", ["Europe/Londn", "europe/london", "+01:00", "localtime", 1, None])
def test_zones_that_are_refused(value: object) -> None:
    """The word is handed on with all zones, so that the nearest one can be named."""
    with pytest.raises(BadValue) as caught:
        time_parsers.zone(value)
    bad = caught.value
    assert bad.code is Code.BAD_ZONE and bad.message.endswith(" is not a time zone")
    assert bad.hint == "use an IANA name such as Europe/London"
    assert bad.near is not None and bad.near[0] == str(value)
    assert {"Europe/London", "UTC"} <= set(bad.near[1])
    assert "localtime" not in bad.near[1]
