"""Conditions: what holds at each edge, which change comes next, with dates, calendars and `not` put
together."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.conditions import HORIZON, fits, holds_on, next_change
from proxy_addon.core.intervals import normalise
from proxy_addon.core.ruleset import Calendar, When
from proxy_addon.core.types import Interval
from tests.core.clocks import H, at, rules, zones

quick = settings(max_examples=80, deadline=None)
RULES = rules()
WORKDAYS = frozenset(range(5))


def on(*days: str) -> tuple[tuple[date, date], ...]:
    """Ranges of dates: "2026-12-24" or "2026-12-24/2026-12-26"."""
    ranges = (day.split("/") for day in days)
    return tuple((date.fromisoformat(one[0]), date.fromisoformat(one[-1])) for one in ranges)


def hours(*spans: str) -> tuple[Interval, ...]:
    """Instants in London: "2026-11-02 09:00/2026-11-02 17:00"."""
    return normalise(Interval(*map(at, span.split("/"))) for span in spans)


NIGHT = ((22 * H, 6 * H),)
SHIFT = Calendar(("shift",), (), hours("2026-11-02 09:00/2026-11-02 17:00"))
FEAST = Calendar(("feast",), on("2026-12-24/2026-12-26", "2027-01-01"))
BOTH = Calendar(("both",), on("2026-11-04"), hours("2026-11-02 22:30/2026-11-03 01:15"))


@pytest.mark.parametrize(
    ("when", "instant", "holds"),
    [
        (When(between=((9 * H, 17 * H),)), "2026-11-02 08:59:59", False),
        (When(between=((9 * H, 17 * H),)), "2026-11-02 09:00", True),
        (When(between=((9 * H, 17 * H),)), "2026-11-02 16:59:59", True),
        (When(between=((9 * H, 17 * H),)), "2026-11-02 17:00", False),
        (When(between=((9 * H, 9 * H),)), "2026-11-02 09:00", False),  # an empty stretch
        (When(between=((9 * H, 10 * H), (12 * H, 13 * H))), "2026-11-02 11:00", False),
        (When(between=((9 * H, 10 * H), (12 * H, 13 * H))), "2026-11-02 12:30", True),
        (When(between=((0, 24 * H),)), "2026-11-02 00:00", True),
        (When(between=((0, 24 * H),)), "2026-11-02 23:59:59", True),
        (When(between=NIGHT), "2026-11-02 21:59:59", False),
        (When(between=NIGHT), "2026-11-02 22:00", True),
        (When(between=NIGHT), "2026-11-03 00:00", True),
        (When(between=NIGHT), "2026-11-03 05:59:59", True),
        (When(between=NIGHT), "2026-11-03 06:00", False),
        (When(days=frozenset({0}), between=NIGHT), "2026-11-02 05:00", False),  # Sunday's night
        (When(days=frozenset({0}), between=NIGHT), "2026-11-02 23:00", True),
        (When(days=frozenset({0}), between=NIGHT), "2026-11-03 05:00", True),
        (When(days=frozenset({0}), between=NIGHT), "2026-11-03 23:00", False),
        (When(days=frozenset({6})), "2026-11-01 23:59:59", True),
        (When(days=frozenset({6})), "2026-11-02 00:00", False),
        (When(days=frozenset()), "2026-11-02 12:00", False),
        (When(dates=on("2026-12-24/2026-12-26")), "2026-12-23 23:59:59", False),
        (When(dates=on("2026-12-24/2026-12-26")), "2026-12-24 00:00", True),
        (When(dates=on("2026-12-24/2026-12-26")), "2026-12-26 23:59:59", True),
        (When(dates=on("2026-12-24/2026-12-26")), "2026-12-27 00:00", False),
        (When(dates=on("2026-12-24"), between=NIGHT), "2026-12-25 05:00", True),
        (When(dates=on("2026-12-24"), between=NIGHT), "2026-12-24 05:00", False),
        (When(days=frozenset({5}), dates=on("2026-12-24/2026-12-26")), "2026-12-26 12:00", True),
        (When(days=frozenset({5}), dates=on("2026-12-24/2026-12-26")), "2026-12-25 12:00", False),
        (When(calendar=SHIFT), "2026-11-02 08:59:59", False),
        (When(calendar=SHIFT), "2026-11-02 09:00", True),
        (When(calendar=SHIFT), "2026-11-02 16:59:59", True),
        (When(calendar=SHIFT), "2026-11-02 17:00", False),
        (When(calendar=SHIFT, between=((12 * H, 13 * H),)), "2026-11-02 12:30", True),
        (When(calendar=SHIFT, between=((12 * H, 13 * H),)), "2026-11-02 10:30", False),
        (When(calendar=SHIFT, days=frozenset({1})), "2026-11-02 10:30", False),
        (When(calendar=FEAST), "2026-12-25 12:00", True),
        (When(calendar=FEAST), "2026-12-27 00:00", False),
        (When(calendar=FEAST), "2026-12-31 23:59:59", False),
        (When(calendar=FEAST), "2027-01-01 00:00", True),
        (When(calendar=FEAST), "2027-01-02 00:00", False),
        (When(calendar=BOTH), "2026-11-03 01:14:59", True),
        (When(calendar=BOTH), "2026-11-03 01:15", False),
        (When(calendar=BOTH), "2026-11-04 23:59:59", True),
        (When(negated=When(calendar=BOTH)), "2026-11-04 12:00", False),
        (When(days=WORKDAYS, negated=When(calendar=FEAST)), "2026-12-25 12:00", False),
        (When(days=WORKDAYS, negated=When(calendar=FEAST)), "2026-12-28 12:00", True),
        (When(), "2026-11-02 12:00", True),
        (When(negated=When()), "2026-11-02 12:00", False),
    ],
)
def test_whether_a_condition_holds(when: When, instant: str, holds: bool) -> None:
    """At the instant that London's clock shows; a `not` round it turns the answer round."""
    assert fits(when, RULES, at(instant)) is holds
    assert fits(When(negated=when), RULES, at(instant)) is not holds
    assert fits(when, RULES, at(instant) + 0.9) is holds  # nothing changes within a second


@pytest.mark.parametrize(
    ("when", "instant", "change"),
    [
        (When(between=((9 * H, 17 * H),)), "2026-11-02 09:00", "2026-11-02 17:00"),
        (When(between=((9 * H, 17 * H),)), "2026-11-02 17:00", "2026-11-03 09:00"),
        (When(between=((9 * H, 12 * H), (12 * H, 17 * H))), "2026-11-02 09:00", "2026-11-02 17:00"),
        (When(between=((9 * H, 9 * H),)), "2026-11-02 09:00", None),
        (When(between=NIGHT), "2026-11-02 22:00", "2026-11-03 06:00"),
        (When(days=WORKDAYS, between=NIGHT), "2026-11-06 22:00", "2026-11-07 06:00"),
        (When(days=WORKDAYS, between=NIGHT), "2026-11-07 06:00", "2026-11-09 22:00"),
        (When(days=WORKDAYS), "2026-11-02 00:00", "2026-11-07 00:00"),
        (When(days=frozenset({5, 6})), "2026-11-02 00:00", "2026-11-07 00:00"),
        (When(dates=on("2026-12-24")), "2026-11-02 00:00", "2026-12-24 00:00"),
        (When(dates=on("2026-12-24")), "2026-12-24 12:00", "2026-12-25 00:00"),
        (When(dates=on("2026-12-24")), "2026-12-25 00:00", None),
        (When(dates=on("2026-12-24"), between=NIGHT), "2026-12-24 12:00", "2026-12-24 22:00"),
        (When(dates=on("2026-12-24"), between=NIGHT), "2026-12-24 22:00", "2026-12-25 06:00"),
        (When(calendar=SHIFT), "2026-11-01 00:00", "2026-11-02 09:00"),
        (When(calendar=SHIFT), "2026-11-02 09:00", "2026-11-02 17:00"),
        (When(calendar=SHIFT), "2026-11-02 17:00", None),
        (When(calendar=SHIFT, between=((12 * H, 20 * H),)), "2026-11-02 09:00", "2026-11-02 12:00"),
        (When(calendar=SHIFT, between=((12 * H, 20 * H),)), "2026-11-02 12:00", "2026-11-02 17:00"),
        (When(calendar=SHIFT, between=((12 * H, 20 * H),)), "2026-11-02 17:00", None),
        (When(calendar=SHIFT, days=frozenset({1})), "2026-11-02 08:00", None),
        (When(calendar=BOTH), "2026-11-02 22:00", "2026-11-02 22:30"),
        (When(calendar=BOTH), "2026-11-02 22:30", "2026-11-03 01:15"),
        (When(calendar=BOTH), "2026-11-03 01:15", "2026-11-04 00:00"),
        (When(calendar=BOTH), "2026-11-04 00:00", "2026-11-05 00:00"),
        (When(calendar=FEAST), "2026-12-26 23:00", "2026-12-27 00:00"),
        (When(days=WORKDAYS, negated=When(calendar=FEAST)), "2026-12-23 00:00", "2026-12-24 00:00"),
        (When(days=WORKDAYS, negated=When(calendar=FEAST)), "2026-12-24 00:00", "2026-12-28 00:00"),
        (When(negated=When(calendar=SHIFT)), "2026-11-01 00:00", "2026-11-02 09:00"),
        (When(calendar=Calendar(("none",))), "2026-11-01 00:00", None),
    ],
)
def test_when_a_condition_changes_next(when: When, instant: str, change: str | None) -> None:
    """The first instant after this one with the other answer; that of its `not` is the same."""
    expected = None if change is None else at(change)
    assert next_change(when, RULES, at(instant)) == expected
    assert next_change(When(negated=when), RULES, at(instant)) == expected
    if expected is not None:
        assert fits(when, RULES, expected) is not fits(when, RULES, at(instant))
        assert fits(when, RULES, expected - 1) is fits(when, RULES, at(instant))


def test_a_change_at_this_very_instant_is_not_the_next_one() -> None:
    """Asked at an edge, and within the second after it, the answer is the edge after."""
    lunch = When(between=((12 * H, 13 * H),))
    for instant in (at("2026-11-02 12:00"), at("2026-11-02 12:00") + 0.5):
        assert next_change(lunch, RULES, instant) == at("2026-11-02 13:00")
    assert next_change(lunch, RULES, at("2026-11-02 12:00") - 0.25) == at("2026-11-02 12:00")


@pytest.mark.parametrize(
    ("horizon", "found"),
    [(3600.0, None), (7200.0, None), (7201.0, "2026-11-02 12:00"), (90_000.0, "2026-11-02 12:00")],
)
def test_the_horizon_is_where_the_search_ends(horizon: float, found: str | None) -> None:
    """A change two hours ahead is seen from two hours and a second on."""
    lunch = When(between=((12 * H, 13 * H),))
    seen = next_change(lunch, RULES, at("2026-11-02 10:00"), horizon)
    assert seen == (None if found is None else at(found))


def test_a_yearly_date_is_always_in_sight() -> None:
    """The horizon is longer than a leap year."""
    assert HORIZON == 370 * 86_400.0
    feast = When(dates=on("2028-02-29"))
    assert next_change(feast, RULES, at("2027-03-01 00:00")) == at("2028-02-29 00:00")


def test_a_day_of_the_calendar_is_asked_without_a_zone() -> None:
    """`holds_on` reads days, dates and times; hours of a calendar are instants and never hold
    there."""
    day = date(2026, 12, 24).toordinal()  # a Thursday
    eve = When(dates=on("2026-12-24"), between=NIGHT)
    assert [holds_on(eve, day, second) for second in (0, 22 * H - 1, 22 * H)] == [
        False,
        False,
        True,
    ]
    assert [holds_on(eve, day + 1, second) for second in (0, 6 * H - 1, 6 * H)] == [
        True,
        True,
        False,
    ]
    assert holds_on(When(days=frozenset({3})), day, 0)
    assert not holds_on(When(days=frozenset({4})), day, 0)
    assert holds_on(When(calendar=FEAST), day, 0)
    monday = date(2026, 11, 2).toordinal()
    assert not any(holds_on(When(calendar=SHIFT), monday, hour * H) for hour in range(24))
    assert holds_on(When(negated=When(calendar=SHIFT)), monday, 12 * H)


START = at("2026-10-22 00:00")
quarter = st.integers(0, 8 * 96).map(lambda n: START + n * 900.0)
edges = st.integers(0, 96).map(lambda n: n * 900)
some_dates = st.lists(
    st.tuples(st.integers(20, 31), st.integers(0, 3)).map(
        lambda pair: (date(2026, 10, pair[0]), date(2026, 10, pair[0]) + timedelta(pair[1]))
    ),
    max_size=2,
).map(tuple)
calendars = st.none() | st.builds(
    Calendar,
    st.just(("c",)),
    st.integers(22, 29).map(lambda day: on(f"2026-10-{day}")) | st.just(()),
    st.lists(
        st.builds(lambda start, n: Interval(start, start + n * 900.0), quarter, st.integers(1, 60)),
        max_size=3,
    ).map(normalise),
)
plain = st.builds(
    When,
    days=st.none() | st.frozensets(st.integers(0, 6), min_size=1),
    between=st.lists(st.tuples(edges, edges), max_size=2).map(tuple),
    dates=some_dates,
    calendar=calendars,
)
conditions = st.builds(
    lambda one, other: When(one.days, one.between, one.dates, other, one.calendar),
    plain,
    st.none() | plain,
)


@quick
@given(conditions, quarter)
def test_a_walk_by_the_quarter_of_an_hour_finds_the_same_change(when, now):
    """Over the night in which the clock is put back, with dates and calendars: the first other
    answer, or none."""
    horizon = 4 * 86_400.0
    steps = (now + n * 900.0 for n in range(1, 4 * 96))
    first = next((t for t in steps if fits(when, RULES, t) is not fits(when, RULES, now)), None)
    found = next_change(when, RULES, now, horizon)
    assert found == first or (first is None and found is not None and found >= now + horizon)


@quick
@given(conditions, conditions, quarter)
def test_not_and_parts_are_a_logic(one, other, now):
    """A `not` twice is the condition itself, and a condition with a `not` is both of them at
    once."""
    assert fits(When(negated=When(negated=one)), RULES, now) is fits(one, RULES, now)
    both = When(negated=When(negated=one))
    assert next_change(both, RULES, now) == next_change(one, RULES, now)
    with_other = When(one.days, one.between, one.dates, other, one.calendar)
    without = When(one.days, one.between, one.dates, None, one.calendar)
    expected = fits(without, RULES, now) and not fits(other, RULES, now)
    assert fits(with_other, RULES, now) is expected


@quick
@given(plain, quarter)
def test_more_days_and_dates_never_close_a_condition(when, now):
    """Where the condition holds it also holds without its days, and without its dates."""
    if fits(when, RULES, now):
        assert fits(When(None, when.between, when.dates, None, when.calendar), RULES, now)
        assert fits(When(when.days, when.between, (), None, when.calendar), RULES, now)
        assert fits(When(when.days, (), when.dates, None, when.calendar), RULES, now) or any(
            start > end for start, end in when.between
        )


@quick
@given(plain.filter(lambda when: when.calendar is None), quarter, zones)
def test_a_clock_on_the_wall_is_all_that_counts(when, now, zone):
    """In every zone `fits` is `holds_on` at the local date and time, when no calendar is named."""
    rs = rules(zone)
    local = datetime.fromtimestamp(now, rs.zone)
    second = local.hour * H + local.minute * 60 + local.second
    assert fits(when, rs, now) is holds_on(when, local.toordinal(), second)
