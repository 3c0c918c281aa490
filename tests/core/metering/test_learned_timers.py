"""Twin of proxy_addon/core/metering/learned_timers.py: which instants a known timer explains, and
when it is back."""

from __future__ import annotations

import pytest

from proxy_addon.core.metering.learned_timers import (
    LONGEST_RUNNING,
    MISSED_PRECISE,
    MISSED_TICKS,
    RUNNING_PERIODS,
    SLEEP_SECONDS,
    LearnedTimer,
    after_best_match,
    after_sleep,
    any_running,
    is_superseded,
    learn,
    resumed,
)
from proxy_addon.core.metering.periodicity import Timer

MINUTE = LearnedTimer(60.0, 2.0, 600.0)
LOOSE = LearnedTimer(60.0, 10.0, 600.0)
COMBINED = LearnedTimer(60.0, 5.0, 660.0, combined=True)


@pytest.mark.parametrize(
    ("timer", "at", "explained"),
    [
        (MINUTE, 660.0, True),
        (MINUTE, 663.0, True),
        (MINUTE, 625.0, False),
        (MINUTE, 600.0, False),
        (MINUTE, 600.0 + 60.0 * MISSED_PRECISE, True),
        (MINUTE, 600.0 + 60.0 * (MISSED_PRECISE + 1), False),
        (LOOSE, 600.0 + 60.0 * MISSED_TICKS, True),
        (LOOSE, 600.0 + 60.0 * (MISSED_TICKS + 1), False),
        (COMBINED, 656.0, True),
        (COMBINED, 654.0, False),
    ],
)
def test_what_a_timer_explains(timer: LearnedTimer, at: float, explained: bool) -> None:
    """Its ticks within the tolerance, also after some that were lost; a combined timer nothing that
    comes too early."""
    assert (after_best_match((timer,), at) is not None) is explained


def test_a_tick_moves_the_timer_on() -> None:
    """The period follows, and a tick that was off widens the tolerance."""
    (after,) = after_best_match((MINUTE,), 663.0) or ()
    assert after.last_tick == 663.0
    assert after.period > MINUTE.period
    assert after.tolerance > MINUTE.tolerance


def test_the_more_precise_timer_explains_it() -> None:
    """The other one stays as it was."""
    assert (after_best_match((LOOSE, MINUTE), 660.0) or ())[0] == LOOSE


def test_a_timer_is_kept_from_its_last_tick_and_a_combined_timer_from_when_the_next_is_due() -> (
    None
):
    """What was found becomes what is known."""
    times = (0.0, 60.0, 120.0)
    assert learn(Timer(60.0, 2.0, times)) == LearnedTimer(60.0, 2.0, 120.0)
    assert learn(Timer(60.0, 2.0, times, combined=True)) == LearnedTimer(60.0, 2.0, 180.0, True)


def test_a_silent_timer_that_is_found_again_is_replaced() -> None:
    """Only by one of about its own period, and only when it was silent."""
    again = LearnedTimer(62.0, 2.0, 1000.0)
    assert is_superseded(MINUTE, again, 1000.0)
    assert not is_superseded(MINUTE, again, 700.0)
    assert not is_superseded(MINUTE, again._replace(period=90.0), 1000.0)


def test_running() -> None:
    """Heard of lately, and quick enough to matter."""
    assert any_running((MINUTE,), 600.0 + RUNNING_PERIODS * 60.0)
    assert not any_running((MINUTE,), 601.0 + RUNNING_PERIODS * 60.0)
    assert not any_running((MINUTE._replace(period=LONGEST_RUNNING + 1),), 601.0)


def test_the_first_after_a_long_silence_wakes_a_timer() -> None:
    """A combined timer has no phase to wake with."""
    at = 601.0 + SLEEP_SECONDS
    assert after_sleep((MINUTE,), at) == (MINUTE._replace(last_tick=at),)
    assert after_sleep((MINUTE,), at - 2) is None
    assert after_sleep((COMBINED._replace(last_tick=600.0),), at) is None


def test_another_phase_is_known_after_two_intervals_and_a_loose_timer_after_four_alone() -> None:
    """While somebody is seen, a loose one may be a person."""
    times = tuple(1000.0 + 60.0 * n for n in range(5))
    assert resumed((MINUTE,), times[:2], 0.0) is None
    assert resumed((MINUTE,), times[:3], 2000.0) == Timer(60.0, 2.0, times[:3])
    assert resumed((LOOSE,), times[:4], 0.0) is None
    assert resumed((LOOSE,), times, 0.0) == Timer(60.0, 10.0, times)
    assert resumed((LOOSE,), times, 1100.0) is None
