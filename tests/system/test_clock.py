"""Twin of proxy_addon/system/clock.py: time that follows the wall clock and never runs
backwards."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.system.clock import SLEW, STEP, SystemClock
from tests.virtual_clock import VirtualClock

START = 1_793_610_000.0


class Machine:
    """A machine whose clocks a test sets: `sleep` moves both, `set_wall` only the one that can be
    set."""

    def __init__(self) -> None:
        self.mono, self.shift = 5.0, START - 5.0
        self.steps: list[tuple[float, float]] = []
        self.clock = SystemClock(
            on_step=lambda before, after: self.steps.append((before, after)),
            wall=lambda: self.mono + self.shift,
            monotonic=lambda: self.mono,
        )

    def sleep(self, seconds: float, ticks: int = 1) -> float:
        for _ in range(ticks):
            self.mono += seconds / ticks
            now = self.clock.now()
        return now

    def set_wall(self, by: float) -> None:
        self.shift += by

    @property
    def wall(self) -> float:
        return self.mono + self.shift


def test_follows_undisturbed_clocks():
    """While nobody sets the wall clock, time is wall time."""
    machine = Machine()
    assert machine.clock.now() == START
    assert machine.sleep(90) == pytest.approx(START + 90)
    assert machine.steps == []


def test_sleep_is_a_gap_and_no_step():
    """A laptop that slept all night just finds it later: both clocks counted the sleep."""
    machine = Machine()
    assert machine.sleep(8 * 3600) == pytest.approx(START + 8 * 3600)
    assert machine.clock.steps == 0


def test_forward_jump_is_a_step():
    """A wall clock set forward is followed at once, and the time that nobody spent is reported."""
    machine = Machine()
    machine.sleep(10)
    machine.set_wall(3600)
    assert machine.sleep(1) == pytest.approx(START + 3611)
    assert machine.steps == [(pytest.approx(START + 11), pytest.approx(START + 3611))]
    assert machine.sleep(1) == pytest.approx(START + 3612)
    assert machine.clock.steps == 1


def test_small_forward_difference_is_made_good_slowly():
    """A second's difference is not a step: time runs a little faster until it is gone."""
    machine = Machine()
    machine.set_wall(1)
    assert machine.sleep(10) == pytest.approx(START + 10 + 10 * SLEW)
    assert machine.sleep(60) == pytest.approx(machine.wall)
    assert machine.steps == []


def test_backward_jump_is_made_good_slowly_and_reported_once():
    """A wall clock set back never turns time back: it runs a little slower, and the jump is
    reported once."""
    machine = Machine()
    machine.sleep(10)
    machine.set_wall(-60)
    assert machine.sleep(10) == pytest.approx(START + 20 - 10 * SLEW)
    machine.sleep(1000, ticks=1000)
    assert machine.steps == [(pytest.approx(START + 20), pytest.approx(START - 40))]
    machine.sleep(2100, ticks=50)
    assert machine.clock.now() == pytest.approx(machine.wall)
    assert machine.clock.steps == 1


def test_back_and_forth_is_no_step_forward():
    """A wall clock set back an hour and then right again moves nothing: time had gone on as it
    should."""
    machine = Machine()
    machine.set_wall(-3600)
    machine.sleep(10)
    machine.set_wall(3600)
    assert machine.sleep(10) == pytest.approx(START + 20, abs=0.5)
    assert [after < before for before, after in machine.steps] == [True]


def test_two_backward_jumps_are_two_steps():
    """Each further setting back is reported."""
    machine = Machine()
    for _ in range(2):
        machine.set_wall(-100)
        machine.sleep(1)
        machine.sleep(1)
    assert machine.clock.steps == 2


moves = st.lists(
    st.tuples(st.floats(0, 10_000), st.one_of(st.just(0.0), st.floats(-1e5, 1e5))),
    min_size=1,
    max_size=30,
)


@given(moves)
def test_never_backwards_and_every_leap_is_reported(moves):
    """Whatever is done to the wall clock, time never runs back, and without a step it keeps real
    pace."""
    machine = Machine()
    before = machine.clock.now()
    for elapsed, jump in moves:
        machine.set_wall(jump)
        forward = sum(after > start for start, after in machine.steps)
        now = machine.sleep(elapsed)
        assert now >= before
        if sum(after > start for start, after in machine.steps) == forward:
            assert now - before == pytest.approx(elapsed, rel=SLEW * 1.01, abs=1e-5)
        else:
            assert now == pytest.approx(machine.wall)
            assert machine.wall - before > STEP
        before = now


def test_stopped_between_two_readings_is_no_step():
    """A process that is stopped in the middle of reading the clocks sees no jump."""
    stalls = iter([0.0, 0.0, 30.0])
    state = {"mono": 0.0}

    def wall() -> float:
        # Stopped before the wall clock is read: the reading belongs to a later moment than the
        # first one.
        state["mono"] += next(stalls, 0.0)
        return START + state["mono"]

    clock = SystemClock(wall=wall, monotonic=lambda: state["mono"])
    clock.now()
    assert clock.now() == pytest.approx(START + 30)
    assert clock.steps == 0


def test_callback_may_ask_for_the_time():
    """The step callback runs outside the lock, so that it can read the clock it belongs to."""
    machine = Machine()
    seen: list[float] = []
    machine.clock.on_step = lambda before, after: seen.append(machine.clock.now())
    machine.set_wall(100)
    machine.sleep(1)
    assert seen == [pytest.approx(START + 101)]


def test_real_clocks_and_threads():
    """On the real clocks of this machine, time is wall time and goes forward in every thread."""
    clock = SystemClock()
    failures: list[float] = []

    def read() -> None:
        last = 0.0
        for _ in range(2000):
            now = clock.now()
            if now < last:
                failures.append(now)
            last = now

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert clock.now() == pytest.approx(time.time(), abs=1)  # noqa: TID251
    assert clock.steps == 0


def test_virtual_clock():
    """A virtual clock stands still until it is moved, and refuses to go back."""
    clock = VirtualClock(START)
    assert clock.now() == clock.now() == START
    assert clock.advance(5) == clock.now() == START + 5
    with pytest.raises(ValueError, match="does not run backwards"):
        clock.move_to(START)
    with pytest.raises(ValueError, match="does not run backwards"):
        clock.advance(-1)
    assert clock.now() == START + 5


def test_another_clock_is_followed_by_the_same_rules() -> None:
    """One that is ahead at once and as a step, one that is behind slowly; the wall clock of this
    host means nothing any more."""
    machine = Machine()
    machine.sleep(10)
    machine.clock.follow(START + 60)
    assert machine.sleep(1) == pytest.approx(START + 60 + machine.mono)
    assert len(machine.steps) == 1
    machine.set_wall(-3600)
    machine.clock.follow(START + 50)
    began = machine.clock.now()
    assert machine.sleep(100) - began == pytest.approx(100 * (1 - SLEW))


def test_another_clock_is_begun_with_at_once() -> None:
    """Also back, and nothing is reported."""
    machine = Machine()
    machine.clock.begin(START - 500)
    assert machine.sleep(1) == pytest.approx(START - 500 + machine.mono)
    assert machine.steps == []
