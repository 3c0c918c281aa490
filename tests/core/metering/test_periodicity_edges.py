"""The tests of proxy_addon/core/metering/periodicity.py on both sides of each threshold, by series
made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.metering import periodicity
from proxy_addon.core.metering.periodicity import Timer


def about(value: float, rel: float = 1e-6) -> Any:
    """A number, but for what sums are rounded."""
    return pytest.approx(value, rel=rel)


# The same examples each time: where a tick is off by just as much as it may be, the last bit of a
# sum decides.
quick = settings(max_examples=100, deadline=None, derandomize=True)


def instants(gaps: Sequence[float], start: float = 0.0) -> list[float]:
    """A series from its intervals."""
    return list(accumulate(gaps, initial=start))


def even(period: float, intervals: int) -> list[float]:
    """A timer without any jitter."""
    return instants([period] * intervals)


# How far each interval is from a mean of 100 s, the newest last: the standard deviation is a whole
# number of seconds, and that of the newest few is larger than a shorter run may have.
FIVE = [0, 4, -4, 12, -12]  # 320 / 5 = 8 * 8
SIX = [12, -12] * 3
EIGHT = [18, -18] * 4
ELEVEN = [0, 0, 0, 0, 0, 40, -40, 28, -28, 28, -28]  # 6336 / 11 = 24 * 24
SIXTEEN = [31, -31] * 8


@pytest.mark.parametrize(
    ("off", "tolerance"),
    [(FIVE, 28.0), (SIX, 42.0), (EIGHT, 63.0), (ELEVEN, 65.0), (SIXTEEN, 65.0)],
)
def test_the_less_precise_a_timer_the_more_intervals(off: list[float], tolerance: float) -> None:
    """Each spread is a timer's with just so many intervals, not with one fewer, and not if it is a
    little larger."""
    times = instants([100.0 + each for each in off])
    found = periodicity.steady(times)
    assert found == Timer(100.0, about(tolerance), tuple(times))
    assert periodicity.steady(times[1:]) is None
    assert periodicity.steady(instants([100.0 + 1.01 * each for each in off])) is None


def test_four_precise_intervals_after_something_else() -> None:
    """Four intervals that vary by a twentieth are a timer, but what came before them is not its."""
    times = instants([300.0, 95.0, 105.0, 95.0, 105.0])
    found = periodicity.steady(times)
    assert found == Timer(100.0, about(17.5), tuple(times[1:]))
    assert periodicity.steady(times[1:]) is None  # nothing before it
    assert periodicity.steady(instants([300.0, 94.9, 105.1, 94.9, 105.1])) is None


def test_who_scrolls_fast_has_to_be_even_for_longer() -> None:
    """From 25 s on four intervals will do; at ten seconds it takes ten, and never more than
    sixteen."""
    assert periodicity.steady(instants([70.0, *[25.0] * 4])) is not None
    assert periodicity.steady(instants([70.0, *[24.5] * 4])) is None
    assert periodicity.steady(instants([9.5, 10.5] * 5)) is not None
    assert periodicity.steady(instants([9.5, 10.5] * 5)[1:]) is None
    assert periodicity.steady(instants([4.75, 5.25] * 8)) is not None
    assert periodicity.steady(instants([4.75, 5.25] * 8)[1:]) is None


def test_nobody_is_as_exact_as_a_machine() -> None:
    """Five exact intervals are a timer's however quick, but for those of a burst, which are shorter
    than 2.5 s."""
    assert periodicity.steady(even(2.5, 5)) == Timer(2.5, 0.6, tuple(even(2.5, 5)))
    assert periodicity.steady(even(2.5, 4)) is None
    assert periodicity.steady(even(2.25, 30)) is None


def test_a_person_since_the_first_interval_ends_a_loose_run() -> None:
    """Intervals that vary by 18 % count while nobody is seen after the first of them; those by 12 %
    in any case."""
    loose, precise = (instants([100.0 + off for off in offs], 50.0) for offs in (EIGHT, SIX))
    assert periodicity.steady(loose, alone_since=50.0) is not None
    assert periodicity.steady(loose, alone_since=50.5) is None
    assert periodicity.steady(precise, alone_since=600.0) is not None


@pytest.mark.parametrize(
    ("period", "earlier", "explained"),
    [
        (100.0, 105.0, True),  # a twentieth
        (100.0, 95.0, True),
        (100.0, 105.5, False),
        (100.0, 94.5, False),
        (8.0, 8.5, True),  # little more than half a second
        (8.0, 8.75, False),
    ],
)
def test_an_exact_timer_is_followed_back(period: float, earlier: float, explained: bool) -> None:
    """The ticks before the run that proved it are the timer's as far back as they are hardly
    off."""
    times = instants([earlier, earlier, *[period] * 5])
    found = periodicity.steady(times)
    assert found is not None
    assert found.times == tuple(times if explained else times[2:])


def test_a_jittered_timer_is_followed_back_by_what_it_varies() -> None:
    """A spread of 5 % allows ticks that are 17.5 % off, and no spread allows more than 65 %."""
    run = [95.0, 105.0] * 2
    near, far = (instants([300.0, each, *run]) for each in (117.0, 118.0))
    assert (found := periodicity.steady(near)) is not None
    assert found.times == tuple(near[1:])
    assert (found := periodicity.steady(far)) is not None
    assert found.times == tuple(far[2:])
    wild = [100.0 + off for off in SIXTEEN]
    assert (found := periodicity.steady(instants([164.0, *wild]))) is not None
    assert len(found.times) == 18
    assert (found := periodicity.steady(instants([166.0, *wild]))) is not None
    assert len(found.times) == 17


def test_the_run_that_proves_a_timer_is_its_as_a_whole() -> None:
    """Also its first interval, if that alone is longer than a tick may be off."""
    times = instants([172.0, 75.0, *[125.0, 75.0] * 7])
    found = periodicity.steady(times)
    assert found is not None
    assert found.period == about(1647.0 / 16)
    assert 172.0 - found.period > found.tolerance
    assert found.times == tuple(times)


def test_a_chain_is_six_ticks() -> None:
    """Among nothing else five ticks may be chance, six are not, and a tick may then be off by 1.8
    %."""
    assert periodicity.chain(even(1000.0, 4)) is None
    times = even(1000.0, 5)
    assert periodicity.chain(times) == Timer(1000.0, about(18.0), tuple(times))


def test_a_chain_is_of_eight_seconds_at_least() -> None:
    """Ten ticks of a timer of eight seconds are one, of a quicker timer they are not."""
    times = even(8.0, 9)
    assert periodicity.chain(times) == Timer(8.0, about(0.6), tuple(times))
    assert periodicity.chain(even(7.75, 9)) is None


def test_a_chain_needs_room_for_its_ticks() -> None:
    """Five periods of the newest interval have to fit, but for what a tick may be off: 12 s of
    1,000 s."""
    times = instants([997.0] * 4 + [1000.0])
    assert periodicity.chain(times) == Timer(997.6, about(18.0), tuple(times))
    assert periodicity.chain(instants([996.0] * 4 + [1000.0])) is None


def test_the_denser_the_events_the_more_ticks() -> None:
    """Five ticks are a chain where seven events fall into ten periods; with eight there it has to
    be six."""
    ticks = even(1000.0, 4)
    sparse = [-8300.0, *ticks, 2400.0, 3400.0]
    found = periodicity.chain(sorted(sparse))
    assert found is not None
    assert found.times == tuple(ticks)
    assert periodicity.chain(sorted([*sparse, 1450.0])) is None
    assert periodicity.chain(sorted([*sparse, 1450.0, -1000.0])) is not None


def test_six_ticks_among_one_other() -> None:
    """One event that is no tick, in five periods, does not hide a timer."""
    ticks = even(1000.0, 5)
    found = periodicity.chain(sorted([*ticks, 2400.0]))
    assert found is not None
    assert found.times == tuple(ticks)


def test_what_is_older_than_ten_periods_hides_no_chain() -> None:
    """A dense run of events is long past when the ticks come, so it makes none of them likelier."""
    ticks = even(1000.0, 4)
    past = [-6100.0 - 37.0 * n for n in range(20)]
    found = periodicity.chain(sorted([*past, *ticks]))
    assert found is not None
    assert found.times == tuple(ticks)


@pytest.mark.parametrize(("others", "hidden"), [(39, False), (40, True)])
def test_a_chain_is_looked_for_forty_events_back(others: int, hidden: bool) -> None:
    """The tick before the newest is found among the last forty events."""
    ticks = even(3600.0, 14)
    dense = [ticks[-1] - 100.0 - 0.1 * n for n in range(others)]
    found = periodicity.chain(sorted([*ticks, *dense]))
    assert (found is None) is hidden
    assert found is None or found.times == tuple(ticks)


def test_a_chain_goes_over_one_lost_tick_and_not_over_two() -> None:
    """What comes before two ticks that are missing is not the chain's."""
    ticks = even(1000.0, 11)
    one, two = [*ticks[:3], *ticks[4:]], [*ticks[:3], *ticks[5:]]
    assert periodicity.chain(one) == Timer(1000.0, about(18.0), tuple(one))
    assert periodicity.chain(two) == Timer(1000.0, about(18.0), tuple(two[3:]))


def test_one_early_tick_does_not_carry_a_chain_away() -> None:
    """The period follows slowly: after a tick that came 5 % early the one before may still be 3.5 %
    late."""
    times = instants([100.0] * 20 + [103.5, 95.0, 100.0])
    found = periodicity.chain(times)
    assert found is not None
    assert found.times == tuple(times)
    assert found.period == about(2298.5 / 23)


def test_a_chain_follows_a_timer_that_slows_down() -> None:
    """In a hidden tab intervals grow, a little each time; the period that is told is the mean."""
    times = instants([90.0 + 0.05 * n for n in range(24)])
    found = periodicity.chain(times)
    assert found is not None
    assert found.times == tuple(times)
    assert found.period == about(times[-1] / 24)


def paced(size: int, strays: float, mean: float = 20.0) -> list[float]:
    """So many events, the first half a little quicker, so that their count strays by so many from a
    line."""
    half = (size - 1) // 2
    off = round(mean * strays / half * 4096.0) / 4096.0  # of each interval; a sum without rounding
    middle = [mean] * ((size - 1) % 2)
    return instants([mean - off] * half + middle + [mean + off] * half)


@pytest.mark.parametrize(
    ("size", "strays"),
    [(30, 0.24 * 5.477), (44, 0.26 * 6.633), (64, 0.29 * 8.0), (96, 0.32 * 9.798)],
)
def test_the_count_of_a_combined_timer_strays_only_so_far(size: int, strays: float) -> None:
    """A count of so many events may stray a little less, not a little more; with fewer events
    neither."""
    times = paced(size, 0.99 * strays)
    found = periodicity.combined(times)
    tolerance = 20.0 * (1.3 * 0.99 * strays + 0.8)
    assert found == Timer(20.0, about(tolerance, rel=1e-3), tuple(times), True)
    for other in (paced(size, 1.01 * strays), times[1:]):
        less = periodicity.combined(other)
        assert less is None or len(less.times) < size - 1


def test_thirty_events_are_the_fewest_of_a_combined_timer() -> None:
    """Twenty-nine even ones prove nothing."""
    assert periodicity.combined(even(20.0, 29)) is not None
    assert periodicity.combined(even(20.0, 28)) is None


@pytest.mark.parametrize(
    ("mean", "strict", "strays"),
    [(15.0, False, 1.314), (14.5, False, 0.92), (20.0, True, 0.92), (2.5, False, 0.92)],
)
def test_a_quick_or_doubtful_combined_timer_has_to_be_more_even(
    mean: float, strict: bool, strays: float
) -> None:
    """Below fifteen seconds, or where a person is likely, only seven tenths of the straying are
    allowed."""
    assert periodicity.combined(paced(30, 0.99 * strays, mean), strict=strict) is not None
    assert periodicity.combined(paced(30, 1.01 * strays, mean), strict=strict) is None


def test_a_combined_timer_of_less_than_two_and_a_half_seconds_is_a_burst() -> None:
    """However evenly it comes."""
    assert periodicity.combined(even(2.5, 29)) is not None
    assert periodicity.combined(even(2.25, 95)) is None


def test_a_person_since_the_first_event_ends_a_combined_timer() -> None:
    """Who is seen just as it begins is not in it."""
    times = instants([20.0] * 29, 50.0)
    assert periodicity.combined(times, alone_since=50.0) is not None
    assert periodicity.combined(times, alone_since=50.5) is None


@pytest.mark.parametrize(
    ("target", "off", "found"),
    [(9.0, 1.0, 10.0), (8.5, 1.0, None), (11.0, 1.0, 10.0), (31.0, 1.0, 30.0), (24.0, 9.0, 20.0)],
)
def test_nearest_at_the_ends_and_just_in_reach(
    target: float, off: float, found: float | None
) -> None:
    """The first and the last are looked at like others, and what is just as far as allowed is
    near."""
    assert periodicity.nearest([10.0, 20.0, 30.0], target, off) == found


timers = st.integers(8, 120).flatmap(
    lambda period: st.lists(
        st.integers(-(period // 12), period // 12).map(lambda off: period + off), min_size=4
    )
)
whole_gaps = st.lists(st.integers(1, 120), min_size=1, max_size=60) | timers


@quick
@given(whole_gaps, st.floats(0.0, 8000.0), st.floats(0.0, 8000.0))
def test_a_person_never_makes_a_machine_likelier(
    gaps: list[int], sooner: float, later: float
) -> None:
    """Whatever is a timer's although somebody was seen would be one had they been seen before
    that."""
    times = instants([float(gap) for gap in gaps])
    first, last = sorted((sooner, later))
    for test in (periodicity.steady, periodicity.combined):
        if test(times, last) is not None:
            assert test(times, first) is not None


@quick
@given(whole_gaps, st.integers(-(10**6), 10**6))
def test_no_test_asks_what_time_it_is(gaps: list[int], shift: int) -> None:
    """The same intervals at another hour give the same timer, at that hour."""
    here = instants([float(gap) for gap in gaps])
    there = [at + shift for at in here]
    for test in (periodicity.steady, periodicity.chain, periodicity.combined):
        found, moved = test(here), test(there)
        assert (found is None) is (moved is None)
        if found is not None and moved is not None:
            assert moved.times == tuple(at + shift for at in found.times)
            assert moved.period == about(found.period)


@quick
@given(whole_gaps)
def test_what_is_explained_is_there_and_newest(gaps: list[int]) -> None:
    """A timer explains only instants of its series, in order, and always the newest."""
    times = instants([float(gap) for gap in gaps])
    for test in (periodicity.steady, periodicity.chain, periodicity.combined):
        if (found := test(times)) is not None:
            assert list(found.times) == sorted(set(found.times))
            assert set(found.times) <= set(times)
            assert found.times[-1] == times[-1]
