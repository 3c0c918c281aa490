"""Timers learned from periodic requests: which of them explains an instant, and how they resume
after a silence.

`periodicity.py` finds a timer in a series of instants. Here it is kept: its next ticks are
recognised, its period is adjusted, and after a silence (a laptop slept, a page was reloaded) it is
recognised again.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.metering import periodicity
from proxy_addon.core.metering.periodicity import Timer

TOLERANCE_FACTOR = 1.8  # a tick may be off by this many tolerances; it then widens the tolerance
MISSED_TICKS = (
    3  # a few ticks may be missed; after more a loose timer is ignored until it is found again
)
MISSED_PRECISE = 12  # the same for a precise timer
PRECISE = 0.1  # of its period
SLEEP_SECONDS = 240.0  # seconds of silence of running timers that mean the computer slept
LONGEST_RUNNING = 120.0  # seconds; requests of a slower timer between its ticks cost little
RUNNING_PERIODS = 5.0  # periods for which a silent timer makes requests between its ticks doubtful
RESUMED_PRECISE = 0.15  # of its period
RESUMED_LONG = 8.0  # seconds; two intervals of a shorter timer easily occur by chance
RESUMED_SHORTEST = 3.0
# of so many ticks by chance, at the density of the requests, above which a timer is not resumed
RESUMED_PROBABILITY = 0.05


ANY_SIZE = 0.15  # of its period: the ticks of a more precise timer may bring any size
SIZE_BELOW = 3.0  # times smaller than its smallest answer, another one is not a timer's
UNKNOWN = float("inf")
SIZE_FACTOR = 1.5  # times larger than its largest answer, and
SIZE_SLACK = 1_000.0  # bytes more, another one is not a timer's


class LearnedTimer(NamedTuple):
    """A learned timer, in seconds. `last_tick` is the instant of its last tick; for combined timers
    it is the instant at which the next event is due. `largest` and `smallest` of its answers, in
    bytes.
    """

    period: float
    tolerance: float
    last_tick: float
    combined: bool = False
    largest: float = UNKNOWN
    smallest: float = 0.0

    @property
    def loose(self) -> bool:
        """Whether its ticks are so uncertain that a person's requests are among them."""
        return self.combined or self.tolerance > ANY_SIZE * self.period

    def brings(self, size: int) -> bool:
        """Whether an answer of `size` bytes may be this timer's; 0 = not known, may be."""
        if not size:
            return True
        return self.smallest / SIZE_BELOW <= size <= SIZE_FACTOR * self.largest + SIZE_SLACK


def learn(timer: Timer, largest: float = UNKNOWN, smallest: float = 0.0) -> LearnedTimer:
    """A timer that was found, as it is stored; `largest` of its answers, in bytes."""
    if not timer.combined:
        return LearnedTimer(
            timer.period, timer.tolerance, timer.times[-1], False, largest, smallest
        )
    due = timer.times[0]
    for at in timer.times:
        due = max(due, at) + timer.period
    return LearnedTimer(timer.period, timer.tolerance, due, True, largest, smallest)


def is_superseded(old: LearnedTimer, new: LearnedTimer, at: float) -> bool:
    """True when `old` was silent and `new` is the same timer, found again with another phase."""
    silent = at - old.last_tick > 2.5 * old.period
    return (
        old.combined == new.combined and silent and abs(old.period - new.period) <= 0.1 * new.period
    )


def any_running(timers: tuple[LearnedTimer, ...], at: float) -> bool:
    """Whether one of the timers ticked recently, and asks so often that requests between its ticks
    would add up."""
    return any(
        m.period <= LONGEST_RUNNING and at - m.last_tick <= RUNNING_PERIODS * m.period
        for m in timers
    )


def after_best_match(
    timers: tuple[LearnedTimer, ...], at: float, size: int = 0
) -> tuple[LearnedTimer, ...] | None:
    """The timers after a tick at `at` of the one that it matches best; None when it matches
    none."""
    found, place = None, 0
    for i, timer in enumerate(timers):
        if found is not None and timer.tolerance >= timers[place].tolerance:
            continue  # the more precise timer is the better match
        if not timer.brings(size) and timer.tolerance > ANY_SIZE * timer.period:
            continue
        updated = _after_tick(timer, at)
        if updated is not None:
            found, place = updated, i
    if found is None:
        return None
    if size > found.largest:
        found = found._replace(largest=size)
    if 0 < size < found.smallest:
        found = found._replace(smallest=size)
    return (*timers[:place], *timers[place + 1 :], found)


def _after_tick(timer: LearnedTimer, at: float) -> LearnedTimer | None:
    """The timer after a tick at `at`; None when `at` is not one of its ticks."""
    period, tolerance, last, combined, largest, smallest = timer
    if combined:
        if at < last - tolerance or at > last + 40.0 * period:
            return None
        return timer._replace(last_tick=max(last, at) + period)
    ticks = max(1, round((at - last) / period))
    if at <= last or ticks > (MISSED_PRECISE if tolerance <= PRECISE * period else MISSED_TICKS):
        return None
    off = at - last - ticks * period
    if abs(off) > min(
        TOLERANCE_FACTOR * tolerance * (1.0 + 0.5 * (ticks - 1)), max(tolerance, 0.3 * period)
    ):
        return None
    wider = tolerance * 1.15 if ticks == 1 and abs(off) > tolerance else tolerance
    slower = period + 0.1 * off / ticks  # timers slow down in hidden tabs
    return LearnedTimer(slower, wider, at, False, largest, smallest)


def after_sleep(timers: tuple[LearnedTimer, ...], at: float) -> tuple[LearnedTimer, ...] | None:
    """The timers after the first request that follows a long silence, which is a timer's: it
    catches up when a computer wakes. None when no timer was silent for so long.
    """
    for i, timer in enumerate(timers):
        if not timer.combined and at - timer.last_tick > SLEEP_SECONDS:
            return (*timers[:i], *timers[i + 1 :], timer._replace(last_tick=at))
    return None


def resumed(
    timers: tuple[LearnedTimer, ...],
    times: tuple[float, ...],
    person: float,
    sizes: tuple[int, ...] = (),
) -> Timer | None:
    """A known timer found with another phase (the computer slept, the page was reloaded): a precise
    one after two intervals, a loose one after four, all later than `person`, when a person was last
    seen. None when none is found.
    """
    if len(times) < 3:
        return None
    for timer in timers:
        if timer.combined or timer.period < RESUMED_SHORTEST:
            continue
        every = times
        if sizes and timer.largest < UNKNOWN:
            if not timer.brings(sizes[-1]):
                continue
            every = tuple(t for t, size in zip(times, sizes, strict=True) if timer.brings(size))
        near = max(timer.tolerance, 0.03 * timer.period)
        precise = near <= RESUMED_PRECISE * timer.period
        steps = 2 if precise and timer.period >= RESUMED_LONG else 4
        found = _ticks_back(every, timer.period, near, steps)
        if found is None or (not precise and found[0] <= person):
            continue
        if _by_chance(every, found, near) <= RESUMED_PROBABILITY:
            return Timer(timer.period, timer.tolerance, found)
    return None


def _by_chance(times: tuple[float, ...], found: tuple[float, ...], near: float) -> float:
    """How probable it is that instants as dense as `times` have such ticks among them by chance."""
    span = found[-1] - found[0]
    others = sum(found[0] < t < found[-1] for t in times) - (len(found) - 2)
    density = (others + 1) / span
    return min(1.0, 2.0 * near * density) ** (len(found) - 1)


def _ticks_back(
    times: tuple[float, ...], period: float, near: float, steps: int
) -> tuple[float, ...] | None:
    """The ticks that lead to the newest of `times`, as far back as they go; None when there are
    fewer than `steps`."""
    found = [times[-1]]
    while (
        before := periodicity.nearest(times, found[-1] - period, near)
    ) is not None and before < found[-1]:
        found.append(before)
    return tuple(reversed(found)) if len(found) > steps else None
