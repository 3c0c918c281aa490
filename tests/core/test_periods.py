"""Windows tile time in every zone, and a condition changes exactly when the clock on the wall says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core import period_table
from proxy_addon.core.periods import HORIZON, fits, next_change, previous, window
from proxy_addon.core.ruleset import Limit, People, Period, RuleSet, When

LONDON = "Europe/London"  # clock changes at 01:00 UTC
ZONES = (
    LONDON,
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Africa/Casablanca",  # winter time in Ramadan
    "Pacific/Apia",  # left out 30 December 2011
    "America/Havana",  # changes at midnight: a midnight that is skipped, one that is shown twice
    "America/St_Johns",  # until 2011 one minute past midnight
    "Asia/Kathmandu",  # no change, 45 minutes
)
CALENDAR = period_table.CALENDAR
HOUR, DAY, WEEK, MONTH, QUARTER, YEAR = (Limit(900, period) for period in CALENDAR)
WEEKDAYS = frozenset(range(5))
H = 3600

quick = settings(max_examples=80, deadline=None)
zones = st.sampled_from(ZONES)
# Whole quarters of an hour from 2005 to 2030: clock changes and windows fall on them, so equality is tried.
quarters = st.integers(1_104_537_600 // 900, 1_893_456_000 // 900).map(
    lambda quarter: quarter * 900.0
)


def rules(zone: str = LONDON, day_starts: int = 0, week_starts: int = 0) -> RuleSet:
    """A rule set of which only the calendar matters."""
    return RuleSet(
        ZoneInfo(zone), day_starts, week_starts, {}, {}, {}, (), People("staff", {"staff": ()})
    )


def at(text: str, zone: str = LONDON, fold: int = 0) -> float:
    """The instant at which the clock of the zone shows `text`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def shown(instant: float, rs: RuleSet) -> str:
    """What the clock of the zone shows."""
    return datetime.fromtimestamp(instant, rs.zone).strftime("%Y-%m-%d %H:%M:%S")


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
    """Every instant is in its window, all instants of a window name the same one, and neighbours touch."""
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
    """Before the end of a window its edge has never been shown; from then on it is, or has been passed."""
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
    """An hour ends with the clock's hour or with its offset, so it never has more than sixty minutes."""
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
    """A day of a clock change has an hour more or less (half of one on Lord Howe), others have 24."""
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
    """`day_starts: 01:30` in London: 02:00 on the day in spring, the first 01:30 on the day in autumn."""
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
    """In St John's, 7 November 2010, 00:01 became 23:01: the new day goes on, and so do the hours."""
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


LUNCH = When(days=WEEKDAYS, between=((12 * H, 13 * H + 1800),))


def test_lunch_opens_and_closes_to_the_second():
    """Begin included, end not; on working days only."""
    rs = rules()
    times = ("11:59:59", "12:00:00", "13:29:59", "13:30:00")
    assert [fits(LUNCH, rs, at(f"2026-11-02 {time}")) for time in times] == [
        False,
        True,
        True,
        False,
    ]
    assert not fits(LUNCH, rs, at("2026-11-01 12:30"))
    assert fits(LUNCH, rs, at("2026-11-02 13:29:59") + 0.999_999_5)
    assert next_change(LUNCH, rs, at("2026-11-02 12:00")) == at("2026-11-02 13:30")
    assert next_change(LUNCH, rs, at("2026-11-06 13:30")) == at("2026-11-09 12:00")


def test_a_night_belongs_to_the_day_it_began_on():
    """`fri 22:00-02:00` holds on Saturday at 01:00, and not on Friday at 01:00; dates likewise."""
    rs = rules()
    night = When(days=frozenset({4}), between=((22 * H, 2 * H),))
    assert fits(night, rs, at("2026-11-06 23:00"))
    assert fits(night, rs, at("2026-11-07 01:59:59"))
    assert not fits(night, rs, at("2026-11-06 01:00"))
    assert next_change(night, rs, at("2026-11-06 22:00")) == at("2026-11-07 02:00")
    eve = When(dates=((date(2026, 12, 31), date(2026, 12, 31)),), between=((22 * H, 2 * H),))
    assert fits(eve, rs, at("2027-01-01 01:00"))
    assert not fits(eve, rs, at("2026-12-31 01:00"))


def test_day_starts_does_not_move_conditions():
    """Saturday begins at midnight, whatever hour balances begin at."""
    saturday = When(days=frozenset({5}))
    assert fits(saturday, rules(day_starts=4 * H), at("2026-11-07 00:00"))


def test_dates_are_inclusive_and_end_for_good():
    """A range holds from the first midnight to the one after its last day, and then never changes again."""
    rs = rules()
    feast = When(
        dates=((date(2026, 12, 24), date(2026, 12, 26)), (date(2027, 1, 1), date(2027, 1, 1)))
    )
    assert next_change(feast, rs, at("2026-11-02 09:00")) == at("2026-12-24 00:00")
    assert next_change(feast, rs, at("2026-12-24 00:00")) == at("2026-12-27 00:00")
    assert next_change(feast, rs, at("2026-12-27 00:00")) == at("2027-01-01 00:00")
    assert next_change(feast, rs, at("2027-01-02 00:00")) is None


def test_not_turns_its_part_round():
    """`not` alone, with other parts, and twice over."""
    rs = rules()
    work = When(days=WEEKDAYS, between=((9 * H, 17 * H),))
    free = When(negated=work)
    twice = When(negated=free)
    some = When(days=frozenset({0}), negated=LUNCH)
    for text in ("2026-11-02 08:00", "2026-11-02 09:00", "2026-11-02 12:15", "2026-11-07 10:00"):
        assert fits(free, rs, at(text)) is not fits(work, rs, at(text))
        assert fits(twice, rs, at(text)) is fits(work, rs, at(text))
        assert next_change(free, rs, at(text)) == next_change(work, rs, at(text))
    assert next_change(some, rs, at("2026-11-02 10:00")) == at("2026-11-02 12:00")
    assert next_change(some, rs, at("2026-11-02 12:00")) == at("2026-11-02 13:30")


def test_what_always_or_never_holds_does_not_change():
    """An empty condition, all seven days, and a whole day have no next change."""
    rs = rules()
    for when in (
        When(),
        When(days=frozenset(range(7))),
        When(between=((0, 24 * H),)),
        When(days=frozenset()),
    ):
        assert next_change(when, rs, at("2026-03-20 09:00")) is None


def test_a_condition_in_a_gap_is_not_met_that_day():
    """01:15-01:45 does not exist in London on 29 March 2026, and comes twice on 25 October."""
    rs = rules()
    early = When(between=((4500, 6300),))
    assert next_change(early, rs, at("2026-03-28 01:45")) == at("2026-03-30 01:15")
    flips = [at("2026-10-25 00:30")]
    for _ in range(4):
        flips.append(next_change(early, rs, flips[-1]) or 0.0)
    twice = [at(f"2026-10-25 01:{minute}", fold=fold) for fold in (0, 1) for minute in (15, 45)]
    assert flips[1:] == twice


def test_a_change_of_clock_in_the_middle_of_a_condition():
    """A condition that holds on one side of a clock change only flips at the change, to the second."""
    rs = rules()
    assert next_change(When(between=((5400, 9000),)), rs, at("2026-03-29 00:30")) == at(
        "2026-03-29 02:00"
    )
    late = When(between=((5400, 10_800),))
    assert next_change(late, rs, at("2026-10-25 01:45", fold=0)) == at("2026-10-25 01:00", fold=1)
    assert next_change(late, rs, at("2026-10-25 01:00", fold=1)) == at("2026-10-25 01:30", fold=1)


def test_the_horizon_bounds_the_search():
    """What lies further ahead than asked for is not reported."""
    rs = rules()
    feast = When(dates=((date(2026, 12, 24), date(2026, 12, 24)),))
    start = at("2026-11-02 09:00")
    assert next_change(feast, rs, start, horizon=86_400.0) is None
    assert next_change(feast, rs, at("2025-12-01 09:00"), horizon=HORIZON) is None
    assert next_change(feast, rs, at("2025-12-01 09:00"), horizon=400 * 86_400.0) is not None


edges = st.integers(0, 96).map(lambda quarter: quarter * 900)
spans = st.lists(st.tuples(edges, edges), max_size=2).map(tuple)
some_days = st.none() | st.frozensets(st.integers(0, 6), max_size=4)
plain = st.builds(When, days=some_days, between=spans)
conditions = st.builds(When, days=some_days, between=spans, negated=st.none() | plain)
# Around every kind of clock change, and one day without any.
NEAR = [
    (LONDON, "2026-03-28T09:00"),
    (LONDON, "2026-10-24T12:00"),
    ("Australia/Lord_Howe", "2026-04-04T00:00"),
    ("Australia/Lord_Howe", "2026-10-03T00:00"),
    ("America/Havana", "2026-03-07T12:00"),
    ("America/Havana", "2026-10-31T12:00"),
    ("Pacific/Apia", "2011-12-29T06:00"),
    ("Asia/Kathmandu", "2026-06-01T00:00"),
]


@quick
@given(conditions, st.sampled_from(NEAR), st.integers(0, 150))
def test_the_next_change_is_the_first_one(when, place, quarter):
    """A walk in steps of a quarter of an hour finds the same flip, or none in three days."""
    zone, start = place
    rs = rules(zone)
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() + quarter * 900
    steps = [begin + i * 900 for i in range(3 * 96)]
    expected = next(
        (b for a, b in pairwise(steps) if fits(when, rs, a) is not fits(when, rs, b)), None
    )
    found = next_change(when, rs, begin, horizon=3 * 86_400.0)
    assert found == expected
    if found is not None:
        assert fits(when, rs, found - 1) is fits(when, rs, begin) is not fits(when, rs, found)
        assert next_change(when, rs, begin + 0.5) == found


@quick
@given(conditions, quarters, zones)
def test_conditions_read_the_clock_on_the_wall(when, instant, zone):
    """`fits` agrees with a plain reading of the local date and time."""
    rs = rules(zone)
    local = datetime.fromtimestamp(instant, rs.zone)
    assert fits(when, rs, instant) is _plainly(when, local)


def _plainly(when: When, local: datetime) -> bool:
    """The definition, written out over whole days."""

    def day_fits(day: date) -> bool:
        return when.days is None or day.weekday() in when.days

    second = local.hour * H + local.minute * 60 + local.second
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    holds = not when.between and day_fits(today)
    for start, end in when.between:
        if start <= end:
            holds = holds or (start <= second < end and day_fits(today))
        else:
            holds = (
                holds
                or (second >= start and day_fits(today))
                or (second < end and day_fits(yesterday))
            )
    return holds and not (when.negated is not None and _plainly(when.negated, local))
