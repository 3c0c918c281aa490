"""Windows tile time in every zone, for every period."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.period_table import CALENDAR
from proxy_addon.core.periods import previous, window
from proxy_addon.core.ruleset import Limit, Period, RuleSet
from tests.core.clocks import LONDON, H, at, quarters, quick, rules, shown, zones

HOUR, DAY, WEEK, MONTH, QUARTER, YEAR = (Limit(900, period) for period in CALENDAR)


def length(limit: Limit, rs: RuleSet, instant: float) -> float:
    """The length of the window, hours."""
    start, end = window(limit, rs, instant)
    return (end - start) / H


@quick
@given(
    zones,
    quarters,
    st.sampled_from(CALENDAR),
    st.sampled_from((0, 2 * H, 4 * H, 86_399)),
    st.integers(0, 6),
)
def test_windows_tile_time(zone, instant, period, day_starts, week_starts):
    """Every instant is in its window, all instants of a window name the same one, and neighbours
    touch."""
    rs, limit = rules(zone, day_starts, week_starts), Limit(900, period)
    now = window(limit, rs, instant)
    assert now.start <= instant < now.end
    assert window(limit, rs, now.start) == window(limit, rs, now.end - 0.001) == now
    assert previous(limit, rs, now) == window(limit, rs, now.start - 0.001)
    assert previous(limit, rs, now).end == now.start
    assert previous(limit, rs, window(limit, rs, now.end)) == now


@quick
@given(
    zones,
    quarters,
    st.sampled_from(CALENDAR[1:]),
    st.sampled_from((0, 2 * H, 4 * H)),
)
def test_windows_end_when_the_clock_first_shows_the_edge_or_has_passed_it(
    zone, instant, period, day_starts
):
    """Before the end of a window its edge has never been shown; from then on it is, or has been
    passed."""
    rs = rules(zone, day_starts)
    end = window(Limit(900, period), rs, instant).end
    before, after = (
        datetime.fromtimestamp(t, rs.zone).replace(tzinfo=None) for t in (end - 1, end)
    )
    edge = datetime.combine(after.date(), datetime.min.time()) + timedelta(seconds=day_starts)
    assert before < edge <= after


@quick
@given(zones, quarters)
def test_hours_are_never_longer_than_an_hour(zone, instant):
    """An hour ends with the clock's hour or with its offset, so it never has more than sixty
    minutes."""
    rs = rules(zone)
    start, end = window(HOUR, rs, instant)
    assert 0 < end - start <= H
    offsets = {datetime.fromtimestamp(t, rs.zone).utcoffset() for t in (start, instant, end - 1)}
    assert len(offsets) == 1


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (LONDON, "2026-03-29", 23),
        (LONDON, "2026-10-25", 25),
        (LONDON, "2026-11-02", 24),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Africa/Casablanca", "2026-02-15", 25),
        ("Africa/Casablanca", "2026-03-22", 23),
        ("America/Havana", "2026-03-08", 23),
        ("America/Havana", "2026-11-01", 25),
    ],
)
def test_days_are_as_long_as_the_clock_makes_them(zone, day, hours):
    """A day of a clock change has an hour more or less (half of one on Lord Howe), others have
    24."""
    assert length(DAY, rules(zone), at(f"{day} 12:00", zone)) == hours


def test_a_day_that_was_left_out_is_in_no_window():
    """In Apia 29 December 2011 is followed by the 31st; the days touch, and both have 24 hours."""
    rs = rules("Pacific/Apia")
    last = window(DAY, rs, at("2011-12-29 12:00", "Pacific/Apia"))
    first = window(DAY, rs, at("2011-12-31 12:00", "Pacific/Apia"))
    assert last.end == first.start
    assert shown(first.start, rs) == "2011-12-31 00:00:00"
    assert (last.end - last.start, first.end - first.start) == (24 * H, 24 * H)
    assert previous(DAY, rs, first) == last


def test_a_midnight_in_a_gap_is_the_first_instant_after_it():
    """Havana's clock goes from 23:59:59 to 01:00: the day begins at 01:00."""
    rs = rules("America/Havana")
    assert (
        shown(window(DAY, rs, at("2026-03-08 12:00", "America/Havana")).start, rs)
        == "2026-03-08 01:00:00"
    )


def test_a_day_start_in_a_gap_and_in_a_fold():
    """`day_starts: 01:30` in London: 02:00 on the day in spring, the first 01:30 on the day in
    autumn."""
    rs = rules(day_starts=5400)
    assert window(DAY, rs, at("2026-03-29 12:00")).start == at("2026-03-29 02:00")
    assert window(DAY, rs, at("2026-10-25 12:00")).start == at("2026-10-25 01:30", fold=0)
    assert window(DAY, rs, at("2026-10-25 01:15", fold=1)).start == at("2026-10-25 01:30", fold=0)


def test_day_starts_moves_days_weeks_and_months():
    """With `day_starts: 04:00` the small hours belong to the day, week and month before."""
    rs = rules(day_starts=4 * H)
    early = at("2026-06-01 03:59")  # a Monday, the first of a month
    assert window(DAY, rs, early) == (at("2026-05-31 04:00"), at("2026-06-01 04:00"))
    assert window(WEEK, rs, early) == (at("2026-05-25 04:00"), at("2026-06-01 04:00"))
    assert window(MONTH, rs, early) == (at("2026-05-01 04:00"), at("2026-06-01 04:00"))
    assert window(MONTH, rs, early + 60) == (at("2026-06-01 04:00"), at("2026-07-01 04:00"))
    assert window(HOUR, rs, early) == (at("2026-06-01 03:00"), at("2026-06-01 04:00"))


@pytest.mark.parametrize("first", range(7))
def test_weeks_begin_on_their_day(first):
    """A week begins on `week_starts` and has seven days, less or more an hour."""
    rs = rules(week_starts=first)
    start, end = window(WEEK, rs, at("2026-03-27 12:00"))
    assert datetime.fromtimestamp(start, rs.zone).weekday() == first
    assert (end - start) / H in (167, 168)


@pytest.mark.parametrize(
    ("day", "days"),
    [("2024-02-29", 29), ("2026-02-10", 28), ("2000-02-29", 29), ("2026-01-31", 31)],
)
def test_months_know_leap_years(day, days):
    """February has 29 days in a leap year, and the last day of a month is in that month."""
    assert length(MONTH, rules(), at(f"{day} 23:30")) == days * 24


def test_the_hour_that_is_shown_twice_is_two_windows():
    """In autumn 01:00-02:00 comes twice: sixty minutes each, one after the other."""
    rs = rules()
    first = window(HOUR, rs, at("2026-10-25 01:30", fold=0))
    second = window(HOUR, rs, at("2026-10-25 01:30", fold=1))
    assert first.end == second.start
    assert (first.end - first.start, second.end - second.start) == (H, H)


def test_half_an_hour_of_summer_time_cuts_an_hour():
    """On Lord Howe 02:00 becomes 02:30 in spring, and 01:30 in autumn: half hours of their own."""
    zone = "Australia/Lord_Howe"
    rs = rules(zone)
    assert length(HOUR, rs, at("2026-10-04 02:45", zone)) == 0.5
    assert length(HOUR, rs, at("2026-04-05 01:45", zone, fold=0)) == 1
    assert length(HOUR, rs, at("2026-04-05 01:45", zone, fold=1)) == 0.5


def test_a_clock_put_back_over_midnight_does_not_go_back_to_the_old_day():
    """In St John's, 7 November 2010, 00:01 became 23:01: the new day goes on, and so do the
    hours."""
    zone = "America/St_Johns"
    rs = rules(zone)
    midnight = at("2010-11-07 00:00", zone)
    again = at("2010-11-06 23:30", zone, fold=1)
    assert again > midnight
    assert window(DAY, rs, again).start == window(DAY, rs, midnight).start == midnight
    assert window(DAY, rs, again).end == at("2010-11-08 00:00", zone)
    assert window(HOUR, rs, midnight + 30) == (midnight, midnight + 60)
    assert window(HOUR, rs, again) == (midnight + 60, midnight + H)


def test_a_rolling_window_ends_now():
    """It is the stretch before the instant, and the one before that."""
    limit = Limit(900, Period.ROLLING, 4 * H)
    now = window(limit, rules(), 100_000.5)
    assert now == (100_000.5 - 4 * H, 100_000.5)
    assert previous(limit, rules(), now) == (100_000.5 - 8 * H, 100_000.5 - 4 * H)


@pytest.mark.parametrize(
    ("day", "quarter", "days"),
    [
        ("2026-02-14", "2026-01-01", 90),
        ("2024-03-31", "2024-01-01", 91),
        ("2026-12-31", "2026-10-01", 92),
    ],
)
def test_quarters_begin_in_january_april_july_and_october(day, quarter, days):
    """The first has a day more in a leap year; an hour more or less where summer time begins or
    ends in it."""
    start, end = window(QUARTER, rules("Asia/Kathmandu"), at(f"{day} 23:30", "Asia/Kathmandu"))
    assert (start, (end - start) / (24 * H)) == (at(f"{quarter} 00:00", "Asia/Kathmandu"), days)
    in_london = {"2026-02-14": -1, "2024-03-31": -1, "2026-12-31": 1}[day]
    assert length(QUARTER, rules(), at(f"{day} 23:30")) == days * 24 + in_london


@pytest.mark.parametrize(("year", "days"), [(2024, 366), (2026, 365), (2000, 366)])
def test_years_begin_on_the_first_of_january(year, days):
    """Summer time comes and goes within one, so it has whole days; leap years have one more."""
    begins, ends = (at(f"{first}-01-01 00:00") for first in (year, year + 1))
    assert window(YEAR, rules(), ends - 60) == (begins, ends)
    assert length(YEAR, rules(), at(f"{year}-06-30 12:00")) == days * 24


def test_day_starts_moves_quarters_and_years():
    """With `day_starts: 04:00` the first small hours of a year belong to the year before."""
    rs = rules(day_starts=4 * H)
    early = at("2027-01-01 03:59")
    assert window(QUARTER, rs, early) == (at("2026-10-01 04:00"), at("2027-01-01 04:00"))
    assert window(YEAR, rs, early) == (at("2026-01-01 04:00"), at("2027-01-01 04:00"))
    assert window(YEAR, rs, early + 60).start == at("2027-01-01 04:00")
    assert previous(YEAR, rs, window(YEAR, rs, early + 60)) == window(YEAR, rs, early)
