"""Is a series of instants a machine's? Three tests, each pure, each on a few dozen numbers.

* `steady`: the newest intervals vary no more than those of one timer, jittered by up to 30 %.
* `chain`: among other events there is one timer: t, t-P, t-2P, … each with a hit close by, more often in a row than
  chance would have it at the density of events.
* `crowd`: several jittered timers together. No interval is regular, but their number is: the count never strays from
  a straight line as far as even independent events would (the lower tail of Kolmogorov's statistic). A person's
  actions cluster, so they stray further than independent ones.

Why the thresholds are what they are: docs/metering.md.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# Intervals that must agree, and how far (standard deviation / mean): the less precise, the more of them.
STEADY = ((5, 0.025), (4, 0.05), (5, 0.08), (6, 0.12), (8, 0.18), (11, 0.24), (16, 0.31))
LOOSE = 0.13  # what varies more than this is a timer only while no person is seen in between
EXACT = 0.03  # nobody acts as evenly as this, however quickly
BRISK = 25.0  # seconds; shorter intervals are also a person's, who scrolls evenly: the shorter, the more must agree
BRISK_MOST = 4.0  # times as many intervals at most
SHORTEST = 2.5  # seconds; below that a "period" is a burst
SIGMAS, LOOSEST = (
    3.5,
    0.65,
)  # a beat may be off by so many times the spread seen, at most by this share

CHAIN_SHORTEST = 8.0
CHAIN_LOOKS = 40  # how many events back a period may begin
CHAIN_LUCK = 2e-6  # how likely a chain may be by chance, for each period that is tried
CHAIN_FEWEST = 4
TOLERANCES = (0.012, 0.06)  # of the period; timers that are set again after each answer drift

# Events, and how far their count may stray (times the square root of their number): the fewer, the less.
CROWD = ((96, 0.32), (64, 0.29), (44, 0.26), (30, 0.24))
CROWD_BRISK = (
    0.7  # of that, where intervals are shorter than CROWD_SLOW seconds, or a person is likely
)
CROWD_SLOW = 15.0
CROWD_SHORTEST = 2.5


class Timer(NamedTuple):
    """What was found: mean interval, how far a beat may be off (seconds), and the instants it explains.

    `crowd` means several timers, told by their number; `tolerance` is then how early an event may be.
    """

    period: float
    tolerance: float
    times: tuple[float, ...]
    crowd: bool = False


def steady(times: Sequence[float], alone_since: float = -math.inf) -> Timer | None:
    """One timer behind the newest of `times` (ascending). A loose one counts only if all of it is younger than
    `alone_since`, when a person was last seen for certain.
    """
    count = len(times) - 1
    newest = times[-1] if times else 0.0
    for wanted, spread in STEADY:
        if wanted > count:
            return None
        mean = (newest - times[count - wanted]) / wanted
        if mean < SHORTEST:
            continue
        need = (
            wanted
            if spread <= EXACT
            else math.ceil(wanted * min(BRISK_MOST, max(1.0, BRISK / mean)))
        )
        if need > count or (spread > LOOSE and times[count - need] < alone_since):
            continue
        seen = _spread(times[count - need :])
        if seen <= spread:
            return _followed_back(times, (newest - times[count - need]) / need, need, seen)
    return None


def _spread(times: Sequence[float]) -> float:
    gaps = [b - a for a, b in pairwise(times)]
    mean = (times[-1] - times[0]) / len(gaps)
    if mean <= 0.0:
        return math.inf
    return math.sqrt(sum((g - mean) ** 2 for g in gaps) / len(gaps)) / mean


def _followed_back(times: Sequence[float], period: float, need: int, spread: float) -> Timer:
    """Follow the run back for as long as the intervals are those of the same timer."""
    first = len(times) - 1 - need
    off = min(LOOSEST * period, max(SIGMAS * spread * period, 0.05 * period, 0.6))
    while first > 0 and abs(times[first] - times[first - 1] - period) <= off:
        first -= 1
    return Timer(period, off, tuple(times[first:]))


def chain(times: Sequence[float]) -> Timer | None:
    """One timer that the newest of `times` belongs to, with other events in between."""
    count = len(times)
    newest = times[-1]
    for back in range(count - 2, max(-1, count - 2 - CHAIN_LOOKS), -1):
        period = newest - times[back]
        if period < CHAIN_SHORTEST:
            continue
        if newest - CHAIN_FEWEST * period < times[0] - 1.0:
            return None
        for share in TOLERANCES:
            found = _walk(times, period, max(0.4, share * period))
            if found is not None:
                return found
    return None


def _walk(times: Sequence[float], period: float, off: float) -> Timer | None:
    newest, oldest = times[-1], times[0]
    density = (len(times) - bisect_left(times, newest - 10.0 * period)) / min(
        10.0 * period, newest - oldest
    )
    luck = 4.0 * off * density  # one beat may be hidden, so there are two places to look
    if luck >= 0.5:
        return None
    need = max(CHAIN_FEWEST, math.ceil(math.log(CHAIN_LUCK) / math.log(luck)))
    if newest - need * period < oldest - off:
        return None
    found = [newest]
    at = newest
    beats = 0
    while (step := _back(times, at, period, off)) is not None:
        at, count = step
        found.append(at)
        beats += count
        period += 0.2 * ((newest - at) / beats - period)
    if len(found) <= need:
        return None
    found.reverse()
    return Timer((newest - at) / beats, 1.5 * off, tuple(found))


def _back(times: Sequence[float], at: float, period: float, off: float) -> tuple[float, int] | None:
    """The beat before `at`, and how many periods before."""
    for count in (1, 2):
        hit = nearest(times, at - count * period, off)
        if hit is not None and hit < at:
            return hit, count
    return None


def nearest(times: Sequence[float], target: float, off: float) -> float | None:
    """Which of `times` (ascending) is nearest to `target`, at most `off` away."""
    i = bisect_left(times, target)
    best = None
    for j in (i - 1, i):
        if 0 <= j < len(times) and abs(times[j] - target) <= off:
            off = abs(times[j] - target)
            best = times[j]
    return best


def crowd(
    times: Sequence[float], alone_since: float = -math.inf, *, strict: bool = False
) -> Timer | None:
    """Several timers behind the newest of `times`, all after `alone_since`: their number grows evenly.

    `strict` asks for more evenness, as for short intervals.
    """
    for size, line in CROWD:
        if size > len(times) or times[-size] < alone_since:
            continue
        run = times[-size:]
        mean = (run[-1] - run[0]) / (size - 1)
        if mean < CROWD_SHORTEST:
            continue
        line = line * CROWD_BRISK if strict or mean < CROWD_SLOW else line
        strayed = _strayed(run, mean)
        if strayed <= line * math.sqrt(size):
            return Timer(mean, mean * (1.3 * strayed + 0.8), tuple(run), True)
    return None


def _strayed(run: Sequence[float], mean: float) -> float:
    """How far the count is from a straight line at most, in events."""
    start = run[0]
    return max(abs(i - (t - start) / mean) for i, t in enumerate(run))
