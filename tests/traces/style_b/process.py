"""Style B: when people are there, when they act, when machines act. All times in seconds."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from tests.traces.day import Span


def presences(
    rng: random.Random, start: float, end: float, typical: float, share: float
) -> Iterator[Span]:
    """Alternating stretches of being there (Weibull) and away (Pareto), there for about `share` of
    it."""
    away = typical * (1 - share) / share
    at = start + rng.uniform(10, min(away, (end - start) / 2))
    while at < end - 120:
        stay = min(max(4.0, rng.weibullvariate(typical, 1.2)), end - 60 - at)
        yield at, at + stay
        at += stay + max(300.0, away * 0.4 * rng.paretovariate(1.7))


def acts(rng: random.Random, span: Span, mean: float) -> list[float]:
    """A self-exciting process: one action makes the next likelier for a while. The first is at the
    start."""
    start, end = span
    base, boost, decay = 0.5 / mean, rng.uniform(0.2, 0.6), rng.uniform(0.08, 0.5)
    times, at = [start], start
    while True:
        bound = base + boost * decay * sum(math.exp(-decay * (at - t)) for t in times[-30:]) + 1e-9
        at += rng.expovariate(bound)
        # Nobody who is there sits still for ever: what would be a silence of minutes is broken.
        at = min(at, times[-1] + rng.uniform(40, 150))
        if at >= end:
            return times
        now = base + boost * decay * sum(math.exp(-decay * (at - t)) for t in times[-30:])
        if rng.random() * bound <= now and at - times[-1] > 0.3:
            times.append(at)


def ticks(
    rng: random.Random, start: float, end: float, period: float, jitter: float
) -> Iterator[float]:
    """A machine: renewal or anchored to a grid, uniform or normal, sometimes thrown out of
    phase."""
    anchored, normal, resets = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.3
    at = anchor = start + rng.random() * period
    number = 0
    while at < end:
        yield at
        number += 1
        noise = rng.gauss(0, jitter / 1.8) if normal else rng.uniform(-jitter, jitter)
        noise = max(-0.6, min(0.6, noise))
        at = (
            max(at + 0.05, anchor + (number + noise) * period)
            if anchored
            else at + period * (1 + noise)
        )
        if resets and rng.random() < 0.01:
            at = anchor = at + rng.random() * period
            number = 0


def period_of(rng: random.Random, low: float = 5.0, high: float = 600.0) -> float:
    """A period as programmers write it (a round number) or not."""
    drawn = math.exp(rng.uniform(math.log(low), math.log(high)))
    rounds = [
        value
        for value in (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
        if low <= value <= high
    ]
    return float(rng.choice(rounds)) if rounds and rng.random() < 0.5 else drawn
