"""Calendars: unions of days and hours, the shifts of people, and conditions that name calendars."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core import conditions
from proxy_addon.core.rules import calendars
from proxy_addon.core.rules.calendars import Event
from proxy_addon.core.ruleset import Calendar, When
from proxy_addon.core.types import Interval
from tests.core.policies import SAMPLE, H, at, visits

quick = settings(max_examples=100, deadline=None)
FIRST = date(2026, 10, 1)
some_days = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 9)).map(
        lambda pair: (FIRST + timedelta(pair[0]), FIRST + timedelta(pair[0] + pair[1]))
    ),
    max_size=8,
)


def on(*days: str) -> Calendar:
    """A calendar of single days."""
    return Calendar((), tuple((date.fromisoformat(day), date.fromisoformat(day)) for day in days))


@quick
@given(some_days)
def test_joined_days_are_the_same_days(ranges: list[tuple[date, date]]) -> None:
    """Sorted, apart from each other, and no day is won or lost."""
    found = calendars.joined(ranges)
    days = {first + timedelta(n) for first, last in ranges for n in range((last - first).days + 1)}
    assert {
        first + timedelta(n) for first, last in found for n in range((last - first).days + 1)
    } == days
    assert all(a[1] + timedelta(1) < b[0] for a, b in pairwise(found))


def test_days_up_to_the_last_one_that_there_is() -> None:
    """The end of the calendar is no reason to fail."""
    last = (date(9999, 12, 30), date.max)
    assert calendars.joined([last, (date.max, date.max)]) == (last,)


def test_a_union_holds_what_any_of_them_holds() -> None:
    """Days and hours; names are kept for the explanation."""
    one, other = (
        on("2026-12-24", "2026-12-26"),
        Calendar((), on("2026-12-25").days, visits("09:00-10:00")),
    )
    found = calendars.union(("a", "b"), (one, other))
    assert found == Calendar(
        ("a", "b"), ((date(2026, 12, 24), date(2026, 12, 26)),), visits("09:00-10:00")
    )
    assert calendars.named(["gone"], {}) == Calendar(("gone",))


def test_shifts_by_person() -> None:
    """Everybody of an event is on duty in it; short names end before the @."""
    feed = (
        Event(("carl@office.example", "cora@office.example"), (), visits("09:00-12:00")),
        Event(("carl@office.example",), on("2026-11-07").days, ()),
    )
    carl, cora = calendars.shifts(feed, "s", None, short=True)
    assert (carl.users, cora.users) == (("carl",), ("cora",))
    assert conditions.fits(carl.when, SAMPLE, at("2026-11-07 23:00"))
    assert not conditions.fits(cora.when, SAMPLE, at("2026-11-07 23:00"))
    assert calendars.shifts(feed, "s", None, short=False)[0].users == ("carl@office.example",)


def test_a_condition_narrows_shifts_whatever_it_is_made_of() -> None:
    """Both must hold, also where the condition has a calendar and a `not` of its own."""
    feed = (Event(("carl",), (), visits("09:00-17:00")),)
    when = When(
        between=((10 * 3600, 20 * 3600),),
        calendar=on("2026-11-02"),
        negated=When(between=((0, 39_600),)),
    )
    (carl,) = calendars.shifts(feed, "s", when, short=False)
    held = [
        hour for hour in range(24) if conditions.fits(carl.when, SAMPLE, at("00:00") + hour * H)
    ]
    assert held == [11, 12, 13, 14, 15, 16]


def test_a_day_of_a_calendar_is_meant_like_a_date() -> None:
    """What crosses midnight belongs to the day on which it began."""
    night = ((22 * 3600, 6 * 3600),)
    dated = When(between=night, dates=on("2026-11-02").days)
    named = When(between=night, calendar=on("2026-11-02"))
    for hour in range(72):
        instant = at("2026-11-01 00:00") + hour * H
        assert conditions.fits(dated, SAMPLE, instant) is conditions.fits(named, SAMPLE, instant)
        assert conditions.next_change(dated, SAMPLE, instant) == conditions.next_change(
            named, SAMPLE, instant
        )


def test_the_hours_of_a_calendar_hold_to_the_second() -> None:
    """The beginning belongs to it, the end does not; edges are found however far ahead."""
    when = When(calendar=Calendar((), (), visits("09:00-09:01")))
    assert conditions.next_change(when, SAMPLE, at("2026-05-01 00:00")) == at("09:00")
    assert conditions.next_change(when, SAMPLE, at("09:00")) == at("09:01")
    assert conditions.next_change(when, SAMPLE, at("09:01")) is None
    assert not conditions.fits(when, SAMPLE, at("09:00") - 1)
    assert conditions.fits(when, SAMPLE, at("09:01") - 1)


def test_a_day_of_the_week_inside_a_long_event_months_ahead() -> None:
    """The first Saturday of the event, not its first day."""
    event = Interval(at("2027-03-02 00:00"), at("2027-06-01 00:00"))
    when = When(days=frozenset({5}), calendar=Calendar((), (), (event,)))
    assert conditions.next_change(when, SAMPLE, at("10:00")) == at("2027-03-06 00:00")


def test_a_calendar_without_days_never_holds() -> None:
    """Nobody means always by a list of nothing."""
    assert not conditions.fits(When(calendar=Calendar(("empty",))), SAMPLE, at("10:00"))


moments = st.integers(0, 20 * 24 * 4).map(lambda quarter: at("2026-10-15 00:00") + quarter * 900.0)
whens = st.builds(
    When,
    days=st.none() | st.frozensets(st.integers(0, 6), min_size=1),
    between=st.lists(st.tuples(st.integers(0, 23), st.integers(0, 24)), max_size=1).map(
        lambda pairs: tuple((a * 3600, b * 3600) for a, b in pairs if a != b)
    ),
    dates=st.just(()),
    negated=st.none(),
    calendar=st.builds(
        lambda days, starts: Calendar(
            (),
            calendars.joined(days),
            calendars.normalise(Interval(s, s + 5 * 900) for s in starts),
        ),
        some_days.map(lambda ranges: ranges[:2]),
        st.lists(moments, max_size=3),
    ),
)


@quick
@given(whens, st.none() | whens, moments)
def test_the_next_change_is_the_first_one(when: When, negated: When | None, now: float) -> None:
    """A walk in steps of a quarter of an hour finds the same flip, over the night clocks are put
    back."""
    whole = replace(when, negated=negated)
    begun = conditions.fits(whole, SAMPLE, now)
    steps = (now + i * 900.0 for i in range(1, 10 * 96))
    expected = next(
        (step for step in steps if conditions.fits(whole, SAMPLE, step) is not begun), None
    )
    assert conditions.next_change(whole, SAMPLE, now, horizon=10 * 24 * H) == expected
