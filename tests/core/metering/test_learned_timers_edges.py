"""Known timers of proxy_addon/core/metering/learned_timers.py on both sides of each of their
spans."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.metering import learned_timers
from proxy_addon.core.metering.learned_timers import LearnedTimer
from proxy_addon.core.metering.periodicity import Timer

quick = settings(max_examples=80, deadline=None, derandomize=True)
FAR = 1e9


def minute(tolerance: float = 2.5, **more: Any) -> LearnedTimer:
    """A timer of a minute that was last heard of at 600."""
    made = LearnedTimer(60.0, tolerance, 600.0)
    return made._replace(**more)


COMBINED_TIMER = LearnedTimer(60.0, 5.0, 660.0, combined=True)
SHRUNK = LearnedTimer(40.0, 65.0, 600.0)  # so loose that its ticks have shortened its period


def explains(timer: LearnedTimer, at: float) -> bool:
    """Whether what comes at this instant is the timer's."""
    return learned_timers.after_best_match((timer,), at) is not None


@pytest.mark.parametrize(
    ("tolerance", "inside", "outside"),
    [
        # A tick may be off by 1.8 tolerances, early or late ...
        (2.5, 664.5, 664.75),
        (2.5, 655.5, 655.25),
        # ... by half as much again for each that was lost before ...
        (2.5, 726.75, 727.0),
        (2.5, 789.0, 789.25),
        # ... by three tenths of the period at most, but for a timer that varies more than that.
        (10.0, 678.0, 678.25),
        (10.0, 738.0, 738.25),
        (20.0, 680.0, 680.25),
        # Twelve ticks of a precise timer may be lost, of another three.
        (6.0, 600.0 + 12 * 60.0, 600.0 + 13 * 60.0),
        (6.25, 780.0, 840.0),
    ],
)
def test_how_far_off_a_tick_may_be(tolerance: float, inside: float, outside: float) -> None:
    """What is a little further off than a timer varies is still its own, what is further is not."""
    assert explains(minute(tolerance), inside)
    assert not explains(minute(tolerance), outside)


def test_a_combined_timer_is_a_little_early_or_forty_intervals_late() -> None:
    """Of several timers the next event may be early by what their count strays."""
    assert explains(COMBINED_TIMER, 655.0)
    assert not explains(COMBINED_TIMER, 654.75)
    assert explains(COMBINED_TIMER, 660.0 + 40 * 60.0)
    assert not explains(COMBINED_TIMER, 660.25 + 40 * 60.0)


@pytest.mark.parametrize(("at", "due"), [(656.0, 720.0), (660.0, 720.0), (700.0, 760.0)])
def test_the_next_of_a_combined_timer_is_due_an_interval_later(at: float, due: float) -> None:
    """An early one does not bring the next one forward, a late one puts it off."""
    assert learned_timers.after_best_match((COMBINED_TIMER,), at) == (
        COMBINED_TIMER._replace(last_tick=due),
    )


def test_a_combined_timer_that_is_learned_is_due_after_all_that_it_asked() -> None:
    """Each event is owed an interval: many at once put the next off, a pause does not bring it
    nearer."""
    quick_ones, paused = (
        learned_timers.learn(Timer(60.0, 5.0, times, combined=True))
        for times in ((0.0, 1.0, 2.0), (0.0, 60.0, 200.0))
    )
    assert quick_ones == LearnedTimer(60.0, 5.0, 180.0, True)
    assert paused == LearnedTimer(60.0, 5.0, 260.0, True)


@pytest.mark.parametrize(
    ("at", "period", "tolerance"),
    [
        (662.0, 60.2, 2.5),
        (662.5, 60.25, 2.5),
        (664.0, 60.4, 2.875),  # further off than it varied so far
        (656.0, 59.6, 2.875),
        (724.0, 60.2, 2.5),  # two ticks later: no news of how it varies
    ],
)
def test_each_tick_adjusts_the_timer(at: float, period: float, tolerance: float) -> None:
    """The period follows by a tenth of what each interval was off; a timer that varies more is
    known to vary more."""
    after = learned_timers.after_best_match((minute(),), at)
    assert after == (
        LearnedTimer(pytest.approx(period), pytest.approx(tolerance), at),  # type: ignore[arg-type]
    )


def test_two_at_the_same_instant_are_not_two_ticks() -> None:
    """Not even for a timer so loose that any interval would be its own."""
    assert explains(SHRUNK, 600.5)
    assert not explains(SHRUNK, 600.0)
    assert not explains(SHRUNK, 599.5)


def test_the_most_precise_of_those_it_fits_explains_an_instant() -> None:
    """It is then the one used last; the others stay as they were, in their order."""
    loose, precise, other = minute(10.0), minute(2.5), LearnedTimer(47.0, 1.0, 600.0)
    tick = precise._replace(last_tick=660.0)
    for models in ((loose, precise, other), (precise, loose, other), (precise, other, loose)):
        rest = tuple(m for m in models if m is not precise)
        assert learned_timers.after_best_match(models, 660.0) == (*rest, tick)
    assert learned_timers.after_best_match((other, loose), 660.0) == (
        other,
        loose._replace(last_tick=660.0),
    )
    assert learned_timers.after_best_match((other,), 660.0) is None


def test_of_two_as_precise_the_one_that_waits_for_longer() -> None:
    """Two tabs of the same page take turns."""
    first, second = minute(last_tick=598.0), minute(last_tick=600.0)
    after = learned_timers.after_best_match((first, second), 659.0)
    assert after is not None
    assert after[0] == second
    assert after[1].last_tick == 659.0


def test_a_timer_that_is_found_again_was_silent_for_two_periods_and_a_half() -> None:
    """Until then the new one may be a second tab."""
    assert not learned_timers.is_superseded(minute(), minute(last_tick=750.0), 750.0)
    assert learned_timers.is_superseded(minute(), minute(last_tick=750.5), 750.5)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (90.0, 100.0, True),
        (110.0, 100.0, True),
        (89.75, 100.0, False),
        (110.25, 100.0, False),
    ],
)
def test_a_timer_that_is_found_again_has_about_its_period(
    old: float, new: float, same: bool
) -> None:
    """A tenth more or less is the same timer."""
    assert learned_timers.is_superseded(minute(period=old), minute(period=new), FAR) is same


def test_a_combined_timer_is_replaced_by_combined_timers_only() -> None:
    """That several timers ask once a minute together says nothing about one."""
    single, combined_timer = minute(), COMBINED_TIMER._replace(last_tick=600.0)
    assert learned_timers.is_superseded(combined_timer, combined_timer, FAR)
    assert not learned_timers.is_superseded(combined_timer, single, FAR)
    assert not learned_timers.is_superseded(single, combined_timer, FAR)


def test_a_timer_runs_for_five_periods_and_asks_every_two_minutes() -> None:
    """A slower one, or one that has been silent for longer, makes nothing doubtful."""
    assert learned_timers.any_running((minute(),), 900.0)
    assert not learned_timers.any_running((minute(),), 900.5)
    assert learned_timers.any_running((minute(period=120.0),), 700.0)
    assert not learned_timers.any_running((minute(period=120.5),), 700.0)
    assert learned_timers.any_running((minute(last_tick=0.0), minute()), 900.0)
    assert not learned_timers.any_running((), 0.0)


def test_a_timer_wakes_after_four_minutes_of_silence() -> None:
    """The first in the order of use does, and only that one."""
    awake, combined_timer, first, second = (
        minute(last_tick=800.0),
        COMBINED_TIMER,
        minute(),
        minute(tolerance=1.0),
    )
    assert learned_timers.after_sleep((minute(),), 840.0) is None
    assert learned_timers.after_sleep((minute(),), 840.5) == (minute(last_tick=840.5),)
    assert learned_timers.after_sleep((awake, combined_timer, first, second), 900.5) == (
        awake,
        combined_timer,
        second,
        first._replace(last_tick=900.5),
    )


def exact_times(period: float, intervals: int, start: float = 5000.0) -> tuple[float, ...]:
    """A run of exact ticks."""
    return tuple(start + period * n for n in range(intervals + 1))


@pytest.mark.parametrize(
    ("period", "tolerance", "intervals"),
    [
        (60.0, 9.0, 2),
        (60.0, 9.25, 4),  # loose: more than 15 % of the period
        (8.0, 0.5, 2),
        (7.75, 0.5, 4),  # quick
        (3.0, 0.25, 4),
    ],
)
def test_how_many_intervals_a_timer_is_known_again_by(
    period: float, tolerance: float, intervals: int
) -> None:
    """Two will do for a precise timer of eight seconds or more; a loose or quick one needs four."""
    timer, run = LearnedTimer(period, tolerance, 600.0), exact_times(period, intervals)
    assert learned_timers.resumed((timer,), run, 0.0) == Timer(period, tolerance, run)
    assert learned_timers.resumed((timer,), run[1:], 0.0) is None


def test_who_is_too_quick_or_several_is_not_known_again() -> None:
    """Bursts and combined timers have no phase to lose; timers after them in the order are looked
    at all the same."""
    burst, run = LearnedTimer(2.75, 0.25, 600.0), exact_times(2.75, 9)
    assert learned_timers.resumed((burst,), run, 0.0) is None
    assert learned_timers.resumed((COMBINED_TIMER,), exact_times(60.0, 9), 0.0) is None
    assert (
        learned_timers.resumed((burst, COMBINED_TIMER, minute()), exact_times(60.0, 2), 0.0)
        is not None
    )


def test_a_loose_timer_is_known_again_only_while_nobody_is_seen() -> None:
    """Since its first tick, that is; a precise one is known in any case."""
    run = exact_times(60.0, 4)
    assert learned_timers.resumed((minute(9.25),), run, 4999.5) is not None
    assert learned_timers.resumed((minute(9.25),), run, 5000.0) is None
    assert learned_timers.resumed((minute(9.0),), run, FAR) is not None


@pytest.mark.parametrize(
    ("tolerance", "late", "known"),
    [(1.0, 1.75, True), (1.0, 2.0, False), (2.5, 2.5, True), (2.5, 2.75, False)],
)
def test_how_far_off_the_intervals_may_be(tolerance: float, late: float, known: bool) -> None:
    """By what the timer varied before, or by 3 % of its period."""
    run = (1000.0, 1060.0, 1120.0 + late)
    assert (learned_timers.resumed((minute(tolerance),), run, 0.0) is not None) is known


def test_a_few_events_at_once_revive_no_timer_that_would_take_any_interval() -> None:
    """A tick is never its own predecessor."""
    assert learned_timers.resumed((SHRUNK,), (1000.0, 1010.0, 1020.0), 0.0) is None


@quick
@given(
    st.lists(st.tuples(st.integers(30, 200), st.integers(1, 60)), min_size=1, max_size=5),
    st.integers(0, 2000),
    st.integers(-(10**6), 10**6),
)
def test_known_timers_do_not_ask_what_time_it_is(
    made: list[tuple[int, int]], after: int, shift: int
) -> None:
    """The same timers, moved by some hours, explain, wake and run as before."""
    here = tuple(LearnedTimer(float(p), min(t, 0.65 * p), 600.0) for p, t in made)
    there = tuple(m._replace(last_tick=m.last_tick + shift) for m in here)
    at = 600.0 + after
    for ask in (learned_timers.after_best_match, learned_timers.after_sleep):
        found, moved = ask(here, at), ask(there, at + shift)
        assert (found is None) is (moved is None)
        assert [m.last_tick + shift for m in found or ()] == [m.last_tick for m in moved or ()]
    assert learned_timers.any_running(here, at) is learned_timers.any_running(there, at + shift)
