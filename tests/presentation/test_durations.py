"""`proxy_addon/presentation/durations.py`: times and durations as people say them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import speaking

LONDON = ZoneInfo("Europe/London")


def at(text: str, zone: ZoneInfo = LONDON, fold: int = 0) -> float:
    """The instant of a wall-clock time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 minutes"),
        (0, "0 minutes"),
        (0.2, "1 second"),
        (1, "1 second"),
        (20, "20 seconds"),
        (58.2, "59 seconds"),
        (59.2, "1 minute"),
        (60, "1 minute"),
        (89, "1 minute"),
        (90, "2 minutes"),
        (112, "2 minutes"),
        (900, "15 minutes"),
        (3570, "1 hour"),
        (3600, "1 hour"),
        (3900, "1 hour 5 minutes"),
        (7200, "2 hours"),
        (90061, "25 hours 1 minute"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    """Durations read as a person would say them, seconds below a minute, minutes above."""
    assert words.duration(seconds) == said


@given(st.floats(min_value=0.001, max_value=1e7))
def test_some_time_never_reads_as_none(seconds: float) -> None:
    """Whatever is left, it does not read as nothing, and no unit overflows into the next."""
    said = words.duration(seconds)
    assert not said.startswith("0 ")
    assert "60 " not in f" {said}".replace(" 160 ", "") or "hour" in said


@pytest.mark.parametrize(
    ("left", "total", "said"),
    [
        (900, 900, ("0 minutes", "15 minutes", "15 minutes", "0")),
        (870, 900, ("30 seconds", "14 minutes 30 seconds", "15 minutes", "30 seconds")),
        (510, 1200, ("11 minutes", "9 minutes", "20 minutes", "11")),
        (120, 900, ("13 minutes", "2 minutes", "15 minutes", "13")),
        (10, 900, ("14 minutes 50 seconds", "10 seconds", "15 minutes", "14 minutes 50 seconds")),
        (0, 900, ("15 minutes", "0 minutes", "15 minutes", "15")),
        (55.7, 60, ("4 seconds", "56 seconds", "1 minute", "4 seconds")),
        (0.2, 20, ("19 seconds", "1 second", "20 seconds", "19 seconds")),
        (0.2, 0.2, ("0 minutes", "1 second", "1 second", "0 minutes")),
        (1500, 5400, ("1 hour 5 minutes", "25 minutes", "1 hour 30 minutes", "1 hour 5 minutes")),
        (0, 0, ("0 minutes", "0 minutes", "0 minutes", "0")),
        (-5, -1, ("0 minutes", "0 minutes", "0 minutes", "0")),
    ],
)
def test_parts(left: float, total: float, said: tuple[str, str, str, str]) -> None:
    """What is used, what is left, and the total: in minutes, or to the second where one of them is
    less than a minute."""
    assert words.parts(left, total) == said


@given(st.floats(0, 4e6), st.floats(0, 1))
def test_used_and_left_add_up(total: float, share: float) -> None:
    """Whatever is left of whatever total: in words both are the total again, some time that is left
    never reads as none, and what is told is less than a minute off."""
    left = total * share
    said = words.parts(left, total)
    assert _seconds(said.used) + _seconds(said.left) == _seconds(said.total)
    assert (_seconds(said.left) > 0) is (left > 0)
    assert abs(_seconds(said.left) - left) <= 60


@given(st.integers(1, 600), st.floats(0, 1))
def test_a_sum_reads_as_what_is_used(minutes: int, share: float) -> None:
    """The sum of a day and what is used of its limit are the same words, except in the last minute,
    which counts seconds."""
    total = minutes * 60.0
    left = total * share
    if left >= 60 and total - left >= 1:
        assert words.spent(total - left) == words.parts(left, total).used


def _seconds(said: str) -> int:
    units = {"hour": 3600, "minute": 60, "second": 1}
    numbers = said.split()
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return sum(int(number) * units[unit.removesuffix("s")] for number, unit in pairs)


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ("2026-11-02 14:50", "2026-11-02 14:49", "now"),
        ("2026-11-02 14:50", "2026-11-02 14:50", "now"),
        ("2026-11-02 14:50:00", "2026-11-02 14:50:20", "in 20 seconds"),
        ("2026-11-02 14:50:00", "2026-11-02 14:50:01", "in 1 second"),
        ("2026-11-02 14:50", "2026-11-02 14:51", "today at 14:51"),
        ("2026-11-02 14:50", "2026-11-02 18:00:01", "today at 18:01"),
        ("2026-11-02 01:00", "2026-11-02 13:00", "today at 13:00"),
        ("2026-11-02 13:00", "2026-11-03 01:00", "tomorrow at 01:00"),
        ("2026-11-02 23:58", "2026-11-03 00:00", "tomorrow at 00:00"),
        ("2026-11-02 14:50", "2026-11-02 23:59:30", "tomorrow at 00:00"),
        ("2026-11-02 14:50", "2026-11-04 00:00", "on Wednesday at 00:00"),
        ("2026-11-02 14:50", "2026-11-08 00:00", "on Sunday at 00:00"),
        ("2026-11-02 14:50", "2026-11-09 00:00", "on 9 November at 00:00"),
        ("2026-11-02 14:50", "2026-12-03 00:00", "on 3 December at 00:00"),
        ("2026-12-31 18:00", "2027-01-01 00:00", "tomorrow at 00:00"),
        ("2026-12-28 18:00", "2027-01-01 00:00", "on Friday at 00:00"),
        ("2026-12-20 18:00", "2027-01-01 00:00", "on 1 January 2027 at 00:00"),
        (
            "2026-03-28 12:00",
            "2026-03-29 00:00",
            "tomorrow at 00:00",
        ),  # clocks go forward on the 29th
        ("2026-03-28 23:30", "2026-03-30 00:00", "on Monday at 00:00"),
        ("2026-10-25 00:10", "2026-10-26 00:00", "tomorrow at 00:00"),  # a day of 25 hours
    ],
)
def test_moment(now: str, then: str, said: str) -> None:
    """A moment is named by the day as the reader sees it, and never earlier than it is."""
    assert words.moment(at(then), at(now), LONDON) == said


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    """Where clocks go back, both half past ones are named with their zone."""
    now = at("2026-10-25 00:10")
    assert words.moment(at("2026-10-25 01:30"), now, LONDON) == "today at 01:30 BST"
    assert words.moment(at("2026-10-25 01:30", fold=1), now, LONDON) == "today at 01:30 GMT"


def test_midnight_where_clocks_go_back_over_midnight() -> None:
    """In Havana 00:00 to 01:00 comes twice on 1 November 2026, and it is today both times."""
    havana = ZoneInfo("America/Havana")
    now, then = at("2026-11-01 00:40", havana), at("2026-11-01 00:30", havana, fold=1)
    assert words.moment(then, now, havana) == "today at 00:30 CST"


def test_float_noise_does_not_add_a_minute() -> None:
    """An instant that is midnight but for the last bits is midnight."""
    midnight = at("2026-11-03 00:00")
    assert words.moment(midnight + 1e-6, midnight - 7200, LONDON) == "tomorrow at 00:00"


@given(
    st.floats(0, 4e9),
    st.floats(0, 4e7),
    st.sampled_from(["Europe/London", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_moment_has_words_for_every_instant(now: float, ahead: float, zone: str) -> None:
    """No instant in any zone is without words."""
    assert words.moment(now + ahead, now, ZoneInfo(zone))


def test_day_time_and_iso() -> None:
    """Dates in full, times of day and ISO instants are in the policy's zone."""
    instant = at("2026-07-01 00:30")
    assert words.day(instant, LONDON) == "Wednesday, 1 July 2026"
    assert words.time_of_day(instant, LONDON) == "00:30"
    assert words.iso(instant + 0.7, LONDON) == "2026-07-01T00:30:00+01:00"


@pytest.mark.parametrize(
    ("name", "said"), [("daily-social", "Daily social"), ("news", "News"), ("a_b", "A b"), ("", "")]
)
def test_label(name: str, said: str) -> None:
    """A name from the rule files makes a heading."""
    assert words.label(name) == said


def test_one_thing_is_not_a_plural() -> None:
    """A number and a noun."""
    assert [words.count(n, "rule") for n in (0, 1, 2)] == ["0 rules", "1 rule", "2 rules"]


def test_when_something_was() -> None:
    """Of today by its time, of another day by its date."""
    now = at("2026-11-02T14:50")
    assert words.past(at("2026-11-02T14:05"), now, LONDON) == "today at 14:05"
    assert words.past(at("2026-11-01T09:00"), now, LONDON) == "Sunday, 1 November 2026, 09:00"


def test_counts_of_commands() -> None:
    """One is one; the plural is given where it is irregular; thousands are set apart."""
    assert words.count(1, "visit") == "1 visit"
    assert words.count(0, "visit") == "0 visits"
    assert words.count(2, "person", "people") == "2 people"
    assert words.count(12345, "visit") == "12,345 visits"


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-11-02 14:05", "today, 14:05"),
        ("2026-11-02 09:00:20", "today, 09:01"),
        ("2026-11-03 00:00", "tomorrow, 00:00"),
        ("2026-11-05 14:05", "Thursday, 14:05"),
        ("2026-12-03 00:00", "3 December, 00:00"),
        ("2027-01-01 00:00", "1 January 2027, 00:00"),
    ],
)
def test_a_deadline(instant: str, expected: str) -> None:
    """What stands after "until": without "on" and "at", and never "in 20 seconds"."""
    assert words.deadline(at(instant), at("2026-11-02 09:00"), LONDON) == expected


def test_a_deadline_in_other_languages() -> None:
    """Days as the language writes them."""
    now = at("2026-11-02 09:00")
    with speaking("de"):
        assert words.deadline(now + 3 * 86_400, now, LONDON).startswith("Donnerstag, 09:00")
    with speaking("fr"):
        assert words.deadline(now + 31 * 86_400, now, LONDON).startswith("3 décembre")


def test_a_day_in_a_table() -> None:
    """Short, in the order of the language."""
    assert words.short_day(1_793_631_000.0, LONDON) == "2 Nov 2026"
    with speaking("de"):
        assert words.short_day(1_793_631_000.0, LONDON) == "02.11.2026"


def test_numbers_of_reports() -> None:
    """As the language writes them: thousands, parts in per cents, days of a chart."""
    november = datetime(2026, 11, 16).date()  # noqa: DTZ001 - a calendar day
    made = words.number(1234), words.percent(0.45), words.short_date(november)
    assert made == ("1,234", "45%", "16 Nov")
    with speaking("de"):
        made = words.number(1234), words.percent(0.45), words.short_date(november)
    assert made == ("1.234", "45\xa0%", "16. Nov.")
