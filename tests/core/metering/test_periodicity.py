"""Is a series a machine's? Timers with jitter, hidden timers, combined timers; people never."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.metering.periodicity import LOOSE, SHORTEST, chain, combined, nearest, steady

T = 1_000_000.0
quick = settings(max_examples=80, deadline=None)


def timer(period: float, count: int, jitter: float = 0.0, seed: int = 1) -> list[float]:
    """Instants of a timer; each interval is off by up to `jitter` of the period."""
    rng = random.Random(seed)
    gaps = [period * (1.0 + rng.uniform(-jitter, jitter)) for _ in range(count - 1)]
    return list(accumulate(gaps, initial=T))


def person(count: int, seed: int, pace: float = 20.0) -> list[float]:
    """Instants of somebody who reads: many short pauses, a few long ones."""
    rng = random.Random(seed)
    return list(
        accumulate((pace * rng.lognormvariate(0.0, 1.0) for _ in range(count - 1)), initial=T)
    )


@quick
@given(st.floats(SHORTEST, 900), st.integers(30, 60))
def test_an_exact_timer_is_found(period: float, count: int) -> None:
    """Whatever its period; all of it is explained, and the period is right."""
    times = timer(period, count)
    found = steady(times)
    assert found is not None
    assert found.times == tuple(times)
    assert found.period == pytest.approx(period)


@pytest.mark.parametrize(("jitter", "within"), [(0.0, 6), (0.1, 9), (0.2, 14), (0.3, 20)])
def test_the_more_precise_the_sooner(jitter: float, within: int) -> None:
    """A timer that is jittered by 30 % is known after a few more of its ticks."""
    for seed in range(10):
        times = timer(60.0, 40, jitter, seed)
        known = next(n for n in range(1, 41) if steady(times[:n]) is not None)
        assert known <= within


@pytest.mark.parametrize(
    "times", [[], [T], [T, T], [T, T + 60, T + 120], [T] * 30, timer(SHORTEST / 2, 60)]
)
def test_too_little_or_too_quick_is_no_timer(times: Sequence[float]) -> None:
    """Nothing, a few, all at once, and what is a burst."""
    assert steady(times) is None


def test_what_came_before_the_timer_is_not_its() -> None:
    """A person first, then a tab left open: only the ticks are explained."""
    before = [T - 900, T - 870, T - 866, T - 700]
    found = steady([*before, *timer(30.0, 20)])
    assert found is not None
    assert found.times == tuple(timer(30.0, 20))


def test_a_loose_timer_counts_only_while_nobody_is_there() -> None:
    """A precise one is a machine's in any case."""
    loose, precise = timer(60.0, 40, 0.3), timer(60.0, 40)
    assert steady(loose, alone_since=T - 1) is not None
    assert steady(loose, alone_since=loose[-2]) is None
    assert steady(precise, alone_since=precise[-2]) is not None
    assert LOOSE < 0.3


@pytest.mark.parametrize("seed", range(40))
def test_people_are_seldom_taken_for_machines(seed: int) -> None:
    """Forty actions, looked at after each: no test finds a timer in them."""
    times = person(40, seed)
    for count in range(2, 41):
        seen = times[:count]
        assert steady(seen) is None
        assert count < 5 or chain(seen) is None
        assert combined(seen) is None


def test_an_even_scroller_is_no_timer() -> None:
    """Somebody who scrolls every few seconds is even for a while, but not as exact as a machine."""
    for seed in range(20):
        assert steady(timer(4.0, 16, 0.25, seed)) is None


@pytest.mark.parametrize("period", [25.0, 47.0, 120.0])
def test_a_timer_among_other_events(period: float) -> None:
    """A hidden one is found by its chain, which ends with the newest."""
    ticks = timer(period, 24)
    rng = random.Random(3)
    others = [rng.uniform(ticks[0], ticks[-1]) for _ in range(10)]
    found = chain(sorted([*ticks, *others]))
    assert found is not None
    assert not found.combined
    assert found.period == pytest.approx(period, rel=0.02)
    assert found.times[-1] == ticks[-1]
    assert len(set(found.times) & set(ticks)) >= 8


def test_a_chain_may_miss_a_tick() -> None:
    """One lost answer does not break it."""
    ticks = timer(60.0, 24)
    found = chain([*ticks[:20], *ticks[21:]])
    assert found is not None
    assert found.period == pytest.approx(60.0)


def test_a_chain_needs_enough_ticks() -> None:
    """A few that fit are chance."""
    assert chain(timer(60.0, 4)) is None


def test_events_too_dense_hide_everything() -> None:
    """Where every instant is near some event, a chain says nothing."""
    rng = random.Random(5)
    assert chain(sorted(T + rng.uniform(0, 300) for _ in range(96))) is None


def test_several_timers_are_told_by_their_number() -> None:
    """No interval is regular, but their count is a straight line."""
    tabs = [
        timer(period, int(3000 / period), 0.1, seed)
        for seed, period in enumerate((60.0, 75.0, 90.0, 110.0))
    ]
    times = sorted(at for tab in tabs for at in tab if at < T + 2800)
    found = combined(times)
    assert found is not None
    assert found.combined
    assert found.times[-1] == times[-1]
    assert found.period == pytest.approx(
        (found.times[-1] - found.times[0]) / (len(found.times) - 1)
    )
    assert combined(times, alone_since=times[-10]) is None


def test_a_combined_timer_is_not_a_few_nor_a_burst() -> None:
    """Fewer than thirty are not judged, and quick ones are one load."""
    assert combined(timer(30.0, 29)) is None
    assert combined(timer(2.0, 96)) is None
    assert combined([]) is None


@quick
@given(
    st.lists(st.floats(0, 1000), max_size=20).map(sorted), st.floats(-10, 1010), st.floats(0, 100)
)
def test_nearest(times: list[float], target: float, off: float) -> None:
    """The one with the least distance, if that is no more than asked for."""
    distances = [abs(at - target) for at in times if abs(at - target) <= off]
    found = nearest(times, target, off)
    assert (found is None) is (not distances)
    if found is not None:
        assert abs(found - target) == min(distances)


@quick
@given(st.floats(8, 300), st.integers(0, 1000), st.floats(-1e6, 1e6))
def test_the_hour_does_not_matter(period: float, seed: int, shift: float) -> None:
    """The same series at another time of day is judged the same."""
    times = [round(at, 3) for at in timer(round(period), 30, 0.05, seed)]
    here, there = steady(times), steady([at + round(shift) for at in times])
    assert (here is None) is (there is None)
    if here is not None and there is not None:
        assert len(here.times) == len(there.times)
        assert here.period == pytest.approx(there.period)
