"""Timers that were learned from what a machine asked: which of them explains an instant, and how they come back.

`periodicity.py` finds a timer in a series of instants. Here it is kept: its next beats are recognised, its period is
adjusted, and after a silence (a laptop slept, a page was reloaded) it is known again.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.metering import periodicity
from proxy_addon.core.metering.periodicity import Timer

GRACE = 1.8  # a beat that is off by up to so many tolerances is still one, and makes the tolerance wider
MISSED_BEATS = (
    3  # a beat or two may be lost; after more a loose timer stands still until it is found again
)
MISSED_PRECISE = 12  # the same for a timer whose beats are precise
PRECISE = 0.1  # of its period
ASLEEP = 240.0  # seconds of silence of all its timers after which a laptop slept
BUSY = 120.0  # seconds; a slower timer costs little when it strays
RUNNING = 5.0  # periods for which a silent timer may still explain what comes off its beat
REVIVED_PRECISE = 0.15  # of its period
REVIVED_QUICK = 8.0  # seconds; two intervals of a shorter timer are soon there by chance
REVIVED_SHORTEST = 3.0


class LearnedTimer(NamedTuple):
    """A learned timer: `beat` is its last, or, for a crowd, when the next event is due at the earliest."""

    period: float
    tolerance: float
    beat: float
    crowd: bool = False


def learned(timer: Timer) -> LearnedTimer:
    """The timer as it is known from now on."""
    if not timer.crowd:
        return LearnedTimer(timer.period, timer.tolerance, timer.times[-1])
    due = timer.times[0]
    for at in timer.times:
        due = max(due, at) + timer.period
    return LearnedTimer(timer.period, timer.tolerance, due, True)


def replaced(old: LearnedTimer, new: LearnedTimer, at: float) -> bool:
    """A timer that was learned before, fell silent, and is found again with another phase."""
    silent = at - old.beat > 2.5 * old.period
    return old.crowd == new.crowd and silent and abs(old.period - new.period) <= 0.1 * new.period


def running(models: tuple[LearnedTimer, ...], at: float) -> bool:
    """Whether one of the timers was heard of lately, and asks so often that its strays would add up."""
    return any(m.period <= BUSY and at - m.beat <= RUNNING * m.period for m in models)


def best(models: tuple[LearnedTimer, ...], at: float) -> tuple[LearnedTimer, ...] | None:
    """The timers after a beat at `at` of the one that it fits best; None when it fits none."""
    found, place = None, 0
    for i, model in enumerate(models):
        if found is not None and model.tolerance >= models[place].tolerance:
            continue  # the more precise timer explains it better
        moved = _on_beat(model, at)
        if moved is not None:
            found, place = moved, i
    return None if found is None else (*models[:place], *models[place + 1 :], found)


def _on_beat(model: LearnedTimer, at: float) -> LearnedTimer | None:
    """The timer after a beat at `at`; None when this is none of its beats."""
    period, tolerance, last, crowd = model
    if crowd:
        if at < last - tolerance or at > last + 40.0 * period:
            return None
        return model._replace(beat=max(last, at) + period)
    beats = max(1, round((at - last) / period))
    if at <= last or beats > (MISSED_PRECISE if tolerance <= PRECISE * period else MISSED_BEATS):
        return None
    off = at - last - beats * period
    if abs(off) > min(GRACE * tolerance * (1.0 + 0.5 * (beats - 1)), max(tolerance, 0.3 * period)):
        return None
    wider = tolerance * 1.15 if beats == 1 and abs(off) > tolerance else tolerance
    return LearnedTimer(period + 0.1 * off / beats, wider, at)  # timers slow down in hidden tabs


def woken(models: tuple[LearnedTimer, ...], at: float) -> tuple[LearnedTimer, ...] | None:
    """After a long silence the first that comes is the timer's again: what catches up when a laptop wakes."""
    for i, model in enumerate(models):
        if not model.crowd and at - model.beat > ASLEEP:
            return (*models[:i], *models[i + 1 :], model._replace(beat=at))
    return None


def revived(
    models: tuple[LearnedTimer, ...], times: tuple[float, ...], person: float
) -> Timer | None:
    """A known timer that lost its phase (the laptop slept, the page was reloaded) is known after two intervals,
    a loose one after four while nobody was seen.
    """
    if len(times) < 3:
        return None
    for model in models:
        if model.crowd or model.period < REVIVED_SHORTEST:
            continue
        near = max(model.tolerance, 0.03 * model.period)
        precise = near <= REVIVED_PRECISE * model.period
        steps = 2 if precise and model.period >= REVIVED_QUICK else 4
        found = _steps(times, model.period, near, steps)
        if found is not None and (precise or found[0] > person):
            return Timer(model.period, model.tolerance, found)
    return None


def _steps(
    times: tuple[float, ...], period: float, near: float, steps: int
) -> tuple[float, ...] | None:
    """The beats that lead to the newest of `times`, as far back as they go; None when they are fewer than asked."""
    found = [times[-1]]
    while (
        before := periodicity.nearest(times, found[-1] - period, near)
    ) is not None and before < found[-1]:
        found.append(before)
    return tuple(reversed(found)) if len(found) > steps else None
