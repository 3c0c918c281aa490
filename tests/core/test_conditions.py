"""A condition changes exactly when the clock on the wall says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.conditions import HORIZON, fits, next_change
from proxy_addon.core.ruleset import When
from tests.core.clocks import LONDON, H, at, quarters, quick, rules, zones

WEEKDAYS = frozenset(range(5))
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
    """A range holds from the first midnight to the one after its last day, and then never changes
    again."""
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
    """A condition that holds on one side of a clock change only flips at the change, to the
    second."""
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
