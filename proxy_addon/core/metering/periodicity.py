"""Is a timer behind a series of instants? Three tests, each a pure function of a few dozen numbers.

* `steady`: the newest intervals vary no more than those of one timer with a jitter of up to 30 %.
* `chain`: one timer among other events: t, t-P, t-2P, … each with an event close by, more often in
  a row than is probable at the density of events.
* `combined`: several timers with jitter together. No interval is regular, but the number of events
  is: the count deviates less from a straight line than that of independent events (the lower tail
  of Kolmogorov's statistic). A person's actions cluster, so their count deviates more.

Why the thresholds are what they are: docs/metering.md.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# Number of intervals that must agree, and how closely (standard deviation / mean): the less
# closely, the more of them.
STEADY = ((5, 0.025), (4, 0.05), (5, 0.08), (6, 0.12), (8, 0.18), (11, 0.24), (16, 0.31))
LOOSE = 0.13  # a series that varies more than this is a timer only while no person is seen
EXACT = 0.03  # no person acts as regularly as this, at any speed
# seconds; a person who scrolls makes shorter intervals too: the shorter, the more of them must
# agree
SHORT = 25.0
SHORT_FACTOR = 4.0  # times as many intervals at most
SHORTEST = 2.5  # seconds; below that a "period" is a burst
SIGMAS, LOOSEST = (
    3.5,
    0.65,
)  # a tick may be off by this many standard deviations, and at most by this share of the period

CHAIN_SHORTEST = 8.0
CHAIN_TRIES = 40  # how many events back a period may start
CHAIN_PROBABILITY = 2e-6  # highest probability of a chain by chance, for each period that is tried
CHAIN_FEWEST = 4
TOLERANCES = (0.012, 0.06)  # shares of the period; timers that restart after each answer drift

# Number of events, and how far their count may deviate (times the square root of the number): the
# fewer, the less.
COMBINED = ((96, 0.32), (64, 0.29), (44, 0.26), (30, 0.24))
# share of that where intervals are shorter than COMBINED_LONG seconds, or a person is likely
COMBINED_SHORT = 0.7
COMBINED_LONG = 15.0
COMBINED_SHORTEST = 2.5


class Timer(NamedTuple):
    """A timer that was found: mean interval, how far a tick may be off (seconds), and the instants
    it explains.

    `combined`: several timers, found by the number of events; `tolerance` is then how early an
    event may be.
    """

    period: float
    tolerance: float
    times: tuple[float, ...]
    combined: bool = False


def steady(times: Sequence[float], alone_since: float = -math.inf) -> Timer | None:
    """One timer behind the newest of `times` (ascending), or None. A loose one counts only if all
    its ticks are later than `alone_since`, when a person was last seen for certain.
    """
    count = len(times) - 1
    for wanted, spread in STEADY:
        if wanted > count:
            return None
        mean = (times[-1] - times[count - wanted]) / wanted
        if mean < SHORTEST:
            continue
        need = (
            wanted
            if spread <= EXACT
            else math.ceil(wanted * min(SHORT_FACTOR, max(1.0, SHORT / mean)))
        )
        if need > count or (spread > LOOSE and times[count - need] < alone_since):
            continue
        seen = _spread(times[count - need :])
        if seen <= spread:
            return _extended_back(times, (times[-1] - times[count - need]) / need, need, seen)
    return None


def _spread(times: Sequence[float]) -> float:
    gaps = [b - a for a, b in pairwise(times)]
    mean = (times[-1] - times[0]) / len(gaps)
    return math.sqrt(sum((g - mean) ** 2 for g in gaps) / len(gaps)) / mean


def _extended_back(times: Sequence[float], period: float, need: int, spread: float) -> Timer:
    """The timer, extended back for as long as the intervals match."""
    first = len(times) - 1 - need
    off = min(LOOSEST * period, max(SIGMAS * spread * period, 0.05 * period, 0.6))
    while first > 0 and abs(times[first] - times[first - 1] - period) <= off:
        first -= 1
    return Timer(period, off, tuple(times[first:]))


def chain(times: Sequence[float]) -> Timer | None:
    """One timer that the newest of `times` belongs to, with other events in between; None when
    there is none."""
    newest = times[-1]
    for before in reversed(times[-1 - CHAIN_TRIES : -1]):
        period = newest - before
        if period < CHAIN_SHORTEST:
            continue
        if newest - CHAIN_FEWEST * period < times[0]:
            return None  # nor would a longer one
        for share in TOLERANCES:
            found = _chain_of_period(times, period, max(0.4, share * period))
            if found is not None:
                return found
    return None


def _chain_of_period(times: Sequence[float], period: float, off: float) -> Timer | None:
    newest, oldest = times[-1], times[0]
    density = (len(times) - bisect_left(times, newest - 10.0 * period)) / min(
        10.0 * period, newest - oldest
    )
    probability = 4.0 * off * density  # one tick may be missing, so two windows are searched
    if probability >= 0.5:
        return None
    need = max(CHAIN_FEWEST, math.ceil(math.log(CHAIN_PROBABILITY) / math.log(probability)))
    if newest - need * period < oldest - off:
        return None
    found = [newest]
    at = newest
    ticks = 0
    while (step := _previous_tick(times, at, period, off)) is not None:
        at, count = step
        found.append(at)
        ticks += count
        period += 0.2 * ((newest - at) / ticks - period)
    if len(found) <= need:
        return None
    found.reverse()
    return Timer((newest - at) / ticks, 1.5 * off, tuple(found))


def _previous_tick(
    times: Sequence[float], at: float, period: float, off: float
) -> tuple[float, int] | None:
    """The tick before `at`, and how many periods earlier it is."""
    for count in (1, 2):
        hit = nearest(times, at - count * period, off)
        if hit is not None:
            return hit, count
    return None


def nearest(times: Sequence[float], target: float, off: float) -> float | None:
    """The one of `times` (ascending) that is nearest to `target`, at most `off` seconds away; None
    when none is."""
    i = bisect_left(times, target)
    best = None
    for j in (i - 1, i):
        if 0 <= j < len(times) and abs(times[j] - target) <= off:
            off = abs(times[j] - target)
            best = times[j]
    return best


def combined(
    times: Sequence[float], alone_since: float = -math.inf, *, strict: bool = False
) -> Timer | None:
    """Several timers behind the newest of `times`, all after `alone_since`; None when the count
    does not grow evenly.

    `strict` requires a smaller deviation, as for short intervals.
    """
    for size, limit in COMBINED:
        if size > len(times) or times[-size] < alone_since:
            continue
        run = times[-size:]
        mean = (run[-1] - run[0]) / (size - 1)
        if mean < COMBINED_SHORTEST:
            continue
        limit = limit * COMBINED_SHORT if strict or mean < COMBINED_LONG else limit
        deviation = _deviation(run, mean)
        if deviation <= limit * math.sqrt(size):
            return Timer(mean, mean * (1.3 * deviation + 0.8), tuple(run), True)
    return None


def _deviation(run: Sequence[float], mean: float) -> float:
    """The largest deviation of the count from a straight line, in events."""
    start = run[0]
    return max(abs(i - (t - start) / mean) for i, t in enumerate(run))
