"""Windows by example and by law: any zone of the world, any `day_starts`, any first day of the
week."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core import period_table, periods
from proxy_addon.core.period_table import CALENDAR, DAY, EPOCH_DAY, EPOCH_WEEKDAY, HOUR
from proxy_addon.core.ruleset import Limit, Period
from proxy_addon.core.wall_clock import first_instant, offset_at, stretches
from tests.core.clocks import LONDON, H, at, quarters, rules, shown, zones

quick = settings(max_examples=100, deadline=None)
every_zone = st.sampled_from(sorted(available_timezones()))
any_second = st.integers(1_104_537_600, 1_893_456_000)  # 2005 to 2030
any_day_start = st.integers(0, 86_399)
weekdays = st.integers(0, 6)


@pytest.mark.parametrize(
    ("period", "zone", "day_starts", "when", "start", "end"),
    [
        (Period.HOUR, LONDON, 0, "2026-11-02 10:30", "2026-11-02 10:00", "2026-11-02 11:00"),
        (Period.HOUR, LONDON, 1800, "2026-11-02 10:30", "2026-11-02 10:00", "2026-11-02 11:00"),
        (Period.HOUR, LONDON, 0, "2026-11-02 10:00", "2026-11-02 10:00", "2026-11-02 11:00"),
        (
            Period.HOUR,
            "Asia/Kathmandu",
            0,
            "2026-11-02 10:59",
            "2026-11-02 10:00",
            "2026-11-02 11:00",
        ),
        (Period.DAY, LONDON, 0, "2026-11-02 00:00", "2026-11-02 00:00", "2026-11-03 00:00"),
        (Period.DAY, LONDON, 0, "2026-11-02 23:59:59", "2026-11-02 00:00", "2026-11-03 00:00"),
        (Period.DAY, LONDON, 5 * H, "2026-11-02 04:59:59", "2026-11-01 05:00", "2026-11-02 05:00"),
        (Period.DAY, LONDON, 5 * H, "2026-11-02 05:00", "2026-11-02 05:00", "2026-11-03 05:00"),
        (
            Period.DAY,
            LONDON,
            86_399,
            "2026-11-02 12:00",
            "2026-11-01 23:59:59",
            "2026-11-02 23:59:59",
        ),
        (
            Period.DAY,
            "America/New_York",
            2 * H + 1800,
            "2026-03-08 12:00",
            "2026-03-08 03:00",
            "2026-03-09 02:30",
        ),
        (
            Period.DAY,
            "Australia/Lord_Howe",
            0,
            "2026-10-04 12:00",
            "2026-10-04 00:00",
            "2026-10-05 00:00",
        ),
        (
            Period.DAY,
            "America/Havana",
            0,
            "2026-03-08 12:00",
            "2026-03-08 01:00",
            "2026-03-09 00:00",
        ),
        (Period.DAY, "Pacific/Apia", 0, "2011-12-31 12:00", "2011-12-31 00:00", "2012-01-01 00:00"),
        (Period.WEEK, LONDON, 0, "2026-11-02 00:00", "2026-11-02 00:00", "2026-11-09 00:00"),
        (Period.WEEK, LONDON, 0, "2026-11-01 23:59", "2026-10-26 00:00", "2026-11-02 00:00"),
        (Period.WEEK, LONDON, 6 * H, "2026-11-02 05:59", "2026-10-26 06:00", "2026-11-02 06:00"),
        (
            Period.WEEK,
            "Pacific/Apia",
            0,
            "2011-12-31 12:00",
            "2011-12-26 00:00",
            "2012-01-02 00:00",
        ),
        (Period.MONTH, LONDON, 0, "2024-02-29 12:00", "2024-02-01 00:00", "2024-03-01 00:00"),
        (Period.MONTH, LONDON, 0, "2026-12-31 23:59", "2026-12-01 00:00", "2027-01-01 00:00"),
        (Period.MONTH, LONDON, 6 * H, "2026-12-01 05:59", "2026-11-01 06:00", "2026-12-01 06:00"),
        (
            Period.MONTH,
            "Pacific/Apia",
            0,
            "2011-12-31 12:00",
            "2011-12-01 00:00",
            "2012-01-01 00:00",
        ),
        (Period.QUARTER, LONDON, 0, "2026-03-31 23:59", "2026-01-01 00:00", "2026-04-01 00:00"),
        (Period.QUARTER, LONDON, 0, "2026-04-01 00:00", "2026-04-01 00:00", "2026-07-01 00:00"),
        (Period.QUARTER, LONDON, 0, "2026-08-15 00:00", "2026-07-01 00:00", "2026-10-01 00:00"),
        (Period.QUARTER, LONDON, 6 * H, "2026-10-01 05:59", "2026-07-01 06:00", "2026-10-01 06:00"),
        (Period.YEAR, LONDON, 0, "2024-12-31 23:59", "2024-01-01 00:00", "2025-01-01 00:00"),
        (
            Period.YEAR,
            "Asia/Kathmandu",
            6 * H,
            "2026-01-01 05:59",
            "2025-01-01 06:00",
            "2026-01-01 06:00",
        ),
    ],
)
def test_the_window_of_a_time(
    period: Period, zone: str, day_starts: int, when: str, start: str, end: str
) -> None:
    """What the clock of the zone shows at the instant, at the start and at the end of its
    window."""
    rs = rules(zone, day_starts)
    found = periods.window(Limit(900, period), rs, at(when, zone))
    assert (shown(found.start, rs)[: len(start)], shown(found.end, rs)[: len(end)]) == (start, end)
    assert found == (at(start, zone), at(end, zone))


@pytest.mark.parametrize("first", range(7))
@pytest.mark.parametrize("day", range(1, 8))
def test_every_first_day_of_the_week(first: int, day: int) -> None:
    """Of the week from Sunday 1 November 2026 on, each day is in the week that begins on its last
    such day."""
    found = periods.window(
        Limit(900, Period.WEEK), rules(week_starts=first), at(f"2026-11-{day:02} 12:00")
    )
    begins = date(2026, 11, day)
    while begins.weekday() != first:
        begins -= timedelta(days=1)
    assert found == (at(f"{begins} 00:00"), at(f"{begins + timedelta(days=7)} 00:00"))


@quick
@given(every_zone, any_second, st.sampled_from(CALENDAR), any_day_start, weekdays)
def test_windows_tile_time_in_every_zone(zone, instant, period, day_starts, week_starts):
    """In every zone there is, each instant is in exactly one window and neighbouring windows
    touch."""
    rs, limit = rules(zone, day_starts, week_starts), Limit(900, period)
    now = periods.window(limit, rs, instant)
    before, after = (
        periods.previous(limit, rs, now),
        periods.window(limit, rs, now.end),
    )
    assert before.start < before.end == now.start <= instant < now.end == after.start < after.end
    for inside in (now.start, (now.start + now.end) // 2, now.end - 1, now.end - 0.001):
        assert periods.window(limit, rs, inside) == now


@quick
@given(zones, quarters, any_day_start, weekdays)
def test_longer_windows_are_made_of_days(zone, instant, day_starts, week_starts):
    """A week, month, quarter and year begin and end where a day does, and hold the day of the
    instant whole."""
    rs = rules(zone, day_starts, week_starts)
    day = periods.window(Limit(900, Period.DAY), rs, instant)
    for period in CALENDAR[2:]:
        long = periods.window(Limit(900, period), rs, instant)
        assert long.start <= day.start < day.end <= long.end
        for edge in long:
            assert periods.window(Limit(900, Period.DAY), rs, edge).start == edge


@quick
@given(zones, quarters, any_day_start)
def test_months_quarters_and_years_are_made_of_each_other(zone, instant, day_starts):
    """Each is inside the next longer one, with the same edges where they meet."""
    rs = rules(zone, day_starts)
    found = [periods.window(Limit(900, period), rs, instant) for period in CALENDAR[3:]]
    for short, long in pairwise(found):
        assert long.start <= short.start < short.end <= long.end
        assert periods.window(Limit(900, Period.MONTH), rs, long.start).start == long.start


@quick
@given(zones, quarters, st.sampled_from(CALENDAR))
def test_lengths_stay_near_the_table(zone, instant, period):
    """No window is more than a day longer than its row says, which is what memory relies on."""
    limit = Limit(900, period)
    start, end = periods.window(limit, rules(zone), instant)
    assert 0 < end - start <= period_table.longest(limit) + DAY
    assert instant - start <= period_table.reach(limit)


@pytest.mark.parametrize(
    ("period", "rank", "nominal", "longest", "article", "this"),
    [
        (Period.HOUR, 0, 1 / 24, 1 / 24, "an hour", "this hour"),
        (Period.DAY, 1, 1, 1, "a day", "this day"),
        (Period.WEEK, 2, 7, 7, "a week", "this week"),
        (Period.MONTH, 3, 30.4375, 31, "a month", "this month"),
        (Period.QUARTER, 4, 91.3125, 92, "a quarter", "this quarter"),
        (Period.YEAR, 5, 365.25, 366, "a year", "this year"),
        (Period.ROLLING, 6, 2, 2, "the rolling window", "this window"),
    ],
)
def test_the_table_of_periods(
    period: Period, rank: int, nominal: float, longest: float, article: str, this: str
) -> None:
    """Order, average and greatest length in days, and words; a rolling window of two days has its
    own length."""
    limit = Limit(900, period, 2 * DAY if period is Period.ROLLING else 0.0)
    assert period_table.SHORTEST_FIRST.index(period) == period_table.TABLE[period].rank == rank
    assert period_table.nominal(limit) == nominal * DAY
    assert period_table.longest(limit) == longest * DAY
    slack = 0.0 if period is Period.ROLLING else DAY
    assert period_table.reach(limit) == longest * DAY + slack
    assert period_table.reach(limit, 9) == 9 * (longest * DAY + slack)
    assert (period_table.article(period), period_table.this(period)) == (article, this)
    assert (period in CALENDAR) is (period is not Period.ROLLING)


def test_days_are_counted_from_1970() -> None:
    """The first of January 1970 was a Thursday, and the 719,163rd day of the calendar."""
    assert (EPOCH_WEEKDAY, EPOCH_DAY, HOUR, DAY) == (3, 719_163, 3600.0, 86_400.0)
    assert period_table.first_day(Period.WEEK, 0, 0) == -3
    assert period_table.first_day(Period.WEEK, 3, 0) == 0
    assert period_table.first_day(Period.HOUR, 0, 5) == 5
    assert period_table.following_first_day(Period.HOUR, 0, 5) == 6
    assert period_table.following_first_day(Period.MONTH, 0, 30) == 31
    assert period_table.following_first_day(Period.YEAR, 0, 0) == 365


@quick
@given(st.floats(1e9, 2e9), st.integers(1, 400).map(lambda hours: hours * 3600.0))
def test_a_rolling_window_is_the_stretch_before_the_instant(instant, length):
    """It ends at the instant and has its length, and the one before it ends where it begins."""
    limit, rs = Limit(900, Period.ROLLING, length), rules()
    now = periods.window(limit, rs, instant)
    assert now == (instant - length, instant)
    assert periods.previous(limit, rs, now) == (now.start - length, now.start)


@quick
@given(every_zone, any_second, st.integers(0, 2 * 86_400))
def test_later_wall_clock_times_never_stand_for_earlier_instants(zone, wall, more):
    """In every zone and also over clock changes the order of the times is that of their
    instants."""
    zoned = ZoneInfo(zone)
    assert first_instant(zoned, wall) <= first_instant(zoned, wall + more)


@quick
@given(every_zone, any_second)
def test_a_wall_clock_time_is_the_first_that_is_shown_or_passed(zone, wall):
    """At its instant the clock shows it or a later time, and one second before an earlier one."""
    zoned = ZoneInfo(zone)
    instant = first_instant(zoned, wall)
    assert instant + offset_at(zoned, instant) >= wall
    assert instant - 1 + offset_at(zoned, instant - 1) < wall


@quick
@given(every_zone, any_second)
def test_the_offset_is_what_the_clock_shows_more_than_utc(zone, instant):
    """Read off the local and the universal date and time of one instant."""
    zoned = ZoneInfo(zone)
    local = datetime.fromtimestamp(instant, zoned).replace(tzinfo=None)
    utc = datetime.fromtimestamp(instant, UTC).replace(tzinfo=None)
    assert timedelta(seconds=offset_at(zoned, instant)) == local - utc


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        (LONDON, "2026-11-02 10:00", "2026-11-02 10:00"),
        (LONDON, "2026-03-29 00:59:59", "2026-03-29 00:59:59"),
        (LONDON, "2026-03-29 01:00", "2026-03-29 01:00"),  # the first second of the gap is the jump
        (LONDON, "2026-03-29 01:59:59", "2026-03-29 01:00"),
        (LONDON, "2026-03-29 02:00", "2026-03-29 01:00"),
        (LONDON, "2026-03-29 02:00:01", "2026-03-29 01:00:01"),
        (LONDON, "2026-10-25 01:00", "2026-10-25 00:00"),  # shown twice: the first showing
        (LONDON, "2026-10-25 01:59:59", "2026-10-25 00:59:59"),
        (LONDON, "2026-10-25 02:00", "2026-10-25 02:00"),
        ("Asia/Kathmandu", "2026-06-01 05:45", "2026-06-01 00:00"),
        ("Pacific/Apia", "2011-12-29 23:59:59", "2011-12-30 09:59:59"),
        ("Pacific/Apia", "2011-12-30 00:00", "2011-12-30 10:00"),  # a day that was left out
        ("Pacific/Apia", "2011-12-30 17:00", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-31 00:00", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-31 00:00:01", "2011-12-30 10:00:01"),
        ("America/Havana", "2026-03-08 00:30", "2026-03-08 05:00"),
        ("America/Havana", "2026-11-01 00:30", "2026-11-01 04:30"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),
    ],
)
def test_the_instant_of_a_wall_clock_time(zone: str, wall: str, instant: str) -> None:
    """Times in a gap are the jump, times that come twice the first showing; instants are in UTC."""
    seconds = int(datetime.fromisoformat(wall).replace(tzinfo=UTC).timestamp())
    expected = datetime.fromisoformat(instant).replace(tzinfo=UTC).timestamp()
    assert first_instant(ZoneInfo(zone), seconds) == expected


def test_stretches_are_cut_at_each_change_of_the_clock() -> None:
    """Over the night in which London's summer time ends: a day, the part before the change, a day,
    the rest."""
    zone, start = ZoneInfo(LONDON), int(at("2026-10-24 01:30"))
    change = int(at("2026-10-25 01:00", fold=1))
    assert list(stretches(zone, start, start + 3 * 86_400)) == [
        (start, start + 86_400, 3600),
        (start + 86_400, change, 3600),
        (change, change + 86_400, 0),
        (change + 86_400, start + 3 * 86_400, 0),
    ]
    assert list(stretches(zone, start, start)) == []
    assert list(stretches(zone, start, start + 1)) == [(start, start + 1, 3600)]
