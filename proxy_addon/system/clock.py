"""Time. The only module that reads a clock.

`SystemClock.now()` is wall time made monotonic. It runs on the machine's monotonic clock (on Linux
one that goes on while the machine sleeps, so that sleep is just a long gap between two readings)
and follows the wall clock by these rules:

* It never runs backwards, whatever is done to the wall clock.
* As long as both clocks agree, or differ by less than `STEP`, it follows the wall clock by running
  up to `SLEW` faster or slower: 2 seconds are made good in 100 seconds, and a charged minute is
  wrong by 1.2 seconds at most.
* A wall clock that was set *forward* by more is followed at once, because "today" depends on it.
  That is a *step*: time nobody spent. It is counted, and reported to `on_step(before, after)` so
  that whoever charges time can end what is open at `before`: a step charges nothing.
* A wall clock that was set *back* by more is followed slowly by the second rule: an hour takes two
  days. It is reported too (`after < before`, while `now()` itself goes on from `before`), once for
  each change, because a person may want to restart the proxy, which follows at once.

Proxies that share a ledger go by the clock of its server instead of the wall clocks of their hosts
(`runtime/clock_offset.py`): `follow` says how far that one is ahead of the monotonic clock, and the
same rules apply to it. `begin` is the same for a start, when nothing rests on the time yet: back is
followed at once as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

STEP = 2.0  # seconds
SLEW = 0.02  # seconds a second
_BRACKET = 0.05  # seconds; readings further apart than this say nothing about each other
_TRIES = 5

type ClockSource = Callable[[], float]
type OnStep = Callable[[float, float], None]


def _monotonic() -> float:
    """Seconds on a clock that cannot be set; it counts sleep where the system has such a clock."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def readings() -> tuple[float, float]:
    """The wall clock and the one that cannot be set, as they are: to compare the two."""
    return time.time(), _monotonic()  # noqa: TID251 (this is the module that may)


class SystemClock:
    """Wall time that never runs backwards. Safe to use from several threads."""

    def __init__(
        self,
        *,
        on_step: OnStep | None = None,
        wall: ClockSource = time.time,  # noqa: TID251 (this is the module that may)
        monotonic: ClockSource = _monotonic,
    ) -> None:
        self.on_step = on_step
        self.steps = 0  # jumps of the wall clock so far, forward and back
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._lead: float | None = None  # of the clock that is followed; None: it is the wall clock
        self._read_at, self._now = self._monotonic(), self._wall()
        self._behind = 0.0  # what is still to be made good of a jump back that has been reported

    def now(self) -> float:
        """The instant, seconds since the epoch."""
        with self._lock:
            step = self._advance()
            now = self._now
        # Outside the lock: the callback may ask for the time.
        if step is not None and self.on_step is not None:
            self.on_step(*step)
        return now

    def follow(self, lead: float) -> None:
        """Follow a clock that is `lead` seconds ahead of the monotonic clock of this host."""
        with self._lock:
            self._lead = lead

    def begin(self, lead: float) -> None:
        """The same, at once in both directions, before anybody has asked for the time."""
        with self._lock:
            self._lead, self._behind = lead, 0.0
            self._read_at = self._monotonic()
            self._now = self._read_at + lead

    def _advance(self) -> tuple[float, float] | None:
        """Move to the present; the step that was found on the way, if any."""
        at, ahead = self._readings()
        elapsed = max(0.0, at - self._read_at)
        self._read_at = max(self._read_at, at)
        straight = self._now + elapsed
        difference = ahead + at - straight
        if difference > STEP:
            return self._forward(straight, difference)
        self._now = straight + _clamp(difference, SLEW * elapsed)
        return self._back(straight, difference)

    def _readings(self) -> tuple[float, float]:
        """The monotonic clock, and how far the clock that is followed is ahead of it.

        A process that is stopped between the two readings would see a jump that never was: both
        readings are taken again until they lie close together, and if they never do we go straight
        on.
        """
        if self._lead is not None:
            return self._monotonic(), self._lead
        for _ in range(_TRIES):
            before = self._monotonic()
            wall = self._wall()
            after = self._monotonic()
            if after - before < _BRACKET:
                return after, wall - after
        return after, self._now - self._read_at

    def _forward(self, straight: float, difference: float) -> tuple[float, float]:
        self._now = straight + difference
        self._behind = 0.0
        self.steps += 1
        return straight, self._now

    def _back(self, straight: float, difference: float) -> tuple[float, float] | None:
        """Report a jump back once: only what comes on top of the one reported before is a new
        one."""
        if difference > self._behind - STEP:
            self._behind = min(0.0, max(self._behind, difference))
            return None
        self._behind = difference
        self.steps += 1
        return straight, straight + difference


def _clamp(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))


timer: ClockSource = time.perf_counter
"""A stopwatch: seconds from an arbitrary start, for measuring how long our own code takes."""

processor_timer: ClockSource = time.thread_time
"""Seconds of the processor that the thread which asks has used."""


class Clock(Protocol):
    """Tells the time: `now()` is wall time made monotonic, so it never runs backwards."""

    def now(self) -> float:
        """The instant, seconds since the epoch."""
