"""People: how long they pause, how long they stay, and how a sitting ends."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from tests.traces.day import Span, Spans

LONGEST_PAUSE = 180.0
ENDS = ("closed", "hidden", "left", "asleep")
"""The tab is closed, another window covers it, it stays in view of nobody, the laptop sleeps."""


def lognormal(
    rng: random.Random, median: float, sigma: float, low: float = 0.0, high: float = math.inf
) -> float:
    """A log-normal draw around `median`, drawn anew (up to 50 times) until within bounds."""
    for _ in range(50):
        found = median * math.exp(rng.gauss(0.0, sigma))
        if low <= found <= high:
            return found
    return min(max(median, low), high)


@dataclass(frozen=True, slots=True)
class Person:
    """`pace`: median seconds between two acts in a feed; `reading`: median seconds of a pause in a
    text; `spread`: sigma of both; `flicks`: chance that an act is followed by another at once."""

    pace: float
    reading: float
    spread: float
    flicks: float

    def pause(self, rng: random.Random) -> float:
        """Seconds until the next act in a feed."""
        if rng.random() < self.flicks:
            return lognormal(rng, 1.1, 0.4, 0.4, 4.0)
        if rng.random() < 0.04:  # something held them
            return min(LONGEST_PAUSE, self.pace * rng.paretovariate(1.3) * 1.5)
        return lognormal(rng, self.pace, self.spread, 0.8, LONGEST_PAUSE)

    def read(self, rng: random.Random) -> float:
        """Seconds until the next act in a long text."""
        return lognormal(rng, self.reading, self.spread, 4.0, LONGEST_PAUSE)


def person(rng: random.Random) -> Person:
    """From skimmers (4 s) to slow readers (40 s)."""
    pace = 4.0 * 10.0 ** rng.betavariate(1.2, 1.6)
    return Person(pace, rng.uniform(20.0, 60.0), rng.uniform(0.6, 1.1), rng.uniform(0.05, 0.4))


def sitting(rng: random.Random, median: float = 280.0) -> float:
    """Seconds of one sitting: half a minute to half an hour."""
    return lognormal(rng, median, 0.95, 30.0, 1800.0)


def plan(rng: random.Random, span: Span, lengths: list[float], shortest_gap: float = 45.0) -> Spans:
    """Sittings of these lengths inside `span`, with heavy-tailed absences between them.

    Lengths that do not fit are left out from the end.
    """
    start, end = span
    while lengths and sum(lengths) + shortest_gap * (len(lengths) + 1) > end - start:
        lengths = lengths[:-1]
    weights = [rng.paretovariate(0.9) for _ in range(len(lengths) + 1)]
    free = end - start - sum(lengths) - shortest_gap * (len(lengths) + 1)
    found: Spans = []
    at = start
    for length, weight in zip(lengths, weights, strict=False):
        at += shortest_gap + free * weight / sum(weights)
        found.append((at, at + length))
        at += length
    return found


def parted(rng: random.Random, span: Span, median: float = 240.0) -> Spans:
    """A watch with pauses in it: the stretches of attention, last to first pause 8 s to 10 min."""
    found: Spans = []
    at, end = span
    while at < end:
        stop = min(end, at + lognormal(rng, median, 0.8, 15.0))
        found.append((at, stop))
        at = stop + lognormal(rng, 45.0, 1.0, 8.0, 600.0)
    return found


def arrivals(rng: random.Random, span: Span, an_hour: float) -> list[float]:
    """When others send something: bursts of a few messages, Poisson by the hour."""
    found: list[float] = []
    at = span[0]
    while True:
        at += rng.expovariate(an_hour / 3600.0 / 2.0)
        if at >= span[1]:
            return sorted(each for each in found if each < span[1])
        found.append(at)
        further = at
        while rng.random() < 0.5:
            further += lognormal(rng, 9.0, 0.8, 1.0, 90.0)
            found.append(further)
