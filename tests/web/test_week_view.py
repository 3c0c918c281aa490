"""`proxy_addon/web/week_view.py`: seven days in bars, and which days are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.web.week_view import (
    DAYS,
    HEIGHT,
    date_words,
    day_of_instant,
    first_day,
    first_kept,
    kept_day,
    week_of,
    window_of,
)
from tests.web.office import NOW, rule_set, visit

TODAY = date(2026, 11, 2)


def rules(day_starts: int = 0) -> RuleSet:
    """The office's, with days that begin at another time."""
    return replace(rule_set(), day_starts=day_starts)


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 86_399))
def test_a_day_of_the_policy(day: date, day_starts: int) -> None:
    """Its window begins on that date and names that date, whenever days begin, also where clocks
    change."""
    window = window_of(rules(day_starts), day)
    assert day_of_instant(rules(day_starts), window.start) == day
    assert day_of_instant(rules(day_starts), window.end - 1) == day
    assert 82_000 <= window.end - window.start <= 91_000


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-11-02", TODAY),
        ("2026-11-01", date(2026, 11, 1)),
        ("2026-08-05", date(2026, 8, 5)),
        ("2026-08-04", None),
        ("2026-11-03", None),
        ("yesterday", None),
        ("", None),
        ("9999-99-99", None),
        ("0001-01-01", None),
    ],
)
def test_the_days_that_are_kept(text: str, kept: date | None) -> None:
    """From the first day of which everything is kept to today; anything else is no day."""
    assert kept_day(rules(), text, NOW) == kept


def test_retention_of_ages() -> None:
    """A retention longer than the calendar of computers is no problem."""
    assert first_kept(replace(rule_set(), retention=1e11), NOW) == date(1970, 1, 2)


def test_seven_days() -> None:
    """What was charged and free each day, with links to the days; today's is the page itself."""
    seen = (visit("facebook", 24 * 60, 15), visit("x", 30, 5), visit("x", 60, 10, None))
    week = week_of(rules(), seen, TODAY, NOW, 900.0)
    assert [each.name for each in week.bars] == ["Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon"]
    assert [each.length for each in week.bars[-2:]] == ["15 min", "5 min"]
    assert [each.href for each in week.bars[-2:]] == ["/?day=2026-11-01", "/"]
    assert [each.is_shown for each in week.bars] == [False] * 6 + [True]
    assert week.bars[-1].said == "Monday, 2 November: 5 minutes charged, 10 minutes free"
    assert (week.charged, week.free, week.limit_said) == ("20 minutes", "10 minutes", "15 minutes")
    assert week.limit == pytest.approx(HEIGHT - week.bars[-2].charged, abs=0.01)
    assert all(each.charged + each.free <= HEIGHT for each in week.bars)
    assert (week.earlier, week.later) == ("/?day=2026-10-26", "")


def test_without_a_limit() -> None:
    """No line, and little time is not none."""
    week = week_of(rules(), (visit("x", 30, 0.2),), TODAY, NOW, None)
    assert (week.limit, week.limit_said) == (None, "")
    assert week.bars[-1].length == "< 1 min"


def test_which_seven_days() -> None:
    """Those that end today, and of an older day those that end with it."""
    assert first_day(rules(), TODAY, NOW) == date(2026, 10, 27)
    assert first_day(rules(), date(2026, 10, 27), NOW) == date(2026, 10, 27)
    assert first_day(rules(), date(2026, 10, 20), NOW) == date(2026, 10, 14)
    week = week_of(rules(), (), date(2026, 10, 20), NOW, None)
    assert len(week.bars) == DAYS
    assert week.bars[-1].is_shown
    assert (week.earlier, week.later) == ("/?day=2026-10-13", "/?day=2026-10-27")


def test_the_way_through_all_days() -> None:
    """From today back to the first day that is kept, and forth again."""
    back, at = list[date](), TODAY
    while link := week_of(rules(), (), at, NOW, None).earlier:
        at = date.fromisoformat(link.removeprefix("/?day="))
        back.append(at)
    last = week_of(rules(), (), at, NOW, None).bars
    assert [each.href for each in last] == [
        "",  # August 4th is deleted
        *(f"/?day=2026-08-{day:02}" for day in range(5, 11)),
    ]
    assert len(back) == 12
    while (link := week_of(rules(), (), at, NOW, None).later) not in ("", "/"):
        at = date.fromisoformat(link.removeprefix("/?day="))
    assert link == "/"


def test_the_night_belongs_to_the_day_before() -> None:
    """Where days begin at four, what happens at two is yesterday's."""
    two = datetime(2026, 11, 2, 2, tzinfo=UTC).timestamp()
    late = replace(visit("x", 0, 1), start=two, end=two + 600)
    week = week_of(rules(4 * 3600), (late,), TODAY, NOW, None)
    assert [each.length for each in week.bars[-2:]] == ["10 min", "0 min"]
    assert date_words(TODAY) == "Monday, 2 November 2026"
