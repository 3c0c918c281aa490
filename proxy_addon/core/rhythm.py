"""A machine's rhythm, learned: near-regular intervals of one endpoint, for one person on one platform.

A page left open asks again and again: for news, for badges, for a fresh feed with new pictures, for the next
advertisement. Timers do that at near-regular intervals, also when they are jittered; a person's actions come in
bursts and at intervals that vary by an order of magnitude. So for each endpoint (host and path with the changing
parts taken out) the last few times are kept. When the intervals between them vary no more than a jittered
timer's would, the endpoint is *learned*: its beats are a machine's from the first regular one on, and what they
brought with them (pictures, scripts) too. Off the beat, the same endpoint may still be used by a person: an
action between two beats is not swallowed.

Everything is bounded: endpoints per person and platform, times per endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

SERIES_KEPT = 48
TIMES_KEPT = 12
LEARN_BEATS = 5  # intervals that must agree
SPREAD = 0.34  # standard deviation / mean of a timer with 30 % jitter stays below; a person's is near 1
SHORTEST = 3.0  # seconds; below that a "period" is a burst
EARLY, LATE = 0.55, 1.6  # a beat comes within these multiples of the period
BURST_GAP = 1.5  # seconds between the loads of one burst
BURST_SPAN = 6.0


class Series(NamedTuple):
    """The last times of one endpoint, and its period once that is known (seconds; 0 = not learned)."""

    times: tuple[float, ...]
    period: float = 0.0
    beat: float = 0.0


class Rhythm(NamedTuple):
    """What is known of one person's machines on one platform."""

    series: Mapping[str, Series]
    lead_key: str = ""
    lead_at: float = float("-inf")
    last_at: float = float("-inf")
    lead_machine: bool = False


class Beat(NamedTuple):
    """Judgement on one load: a machine's or not; the key it is filed under; what has to be taken back.

    `since` is set once, when the endpoint has just been learned: what it extended from that instant on was
    a machine's.
    """

    machine: bool
    key: str
    since: float | None = None


EMPTY = Rhythm({})


def endpoint(host: str, path: str) -> str:
    """Host and path with identifiers, hashes and the query taken out: what a timer asks for again."""
    path = path.partition("?")[0]
    if not _has_changing_part(path):
        return host + path
    return host + "/".join("*" if _changes(part) else part for part in path.split("/"))


def _has_changing_part(path: str) -> bool:
    return len(path) > 40 or any(c.isdigit() for c in path)


def _changes(part: str) -> bool:
    if len(part) > 32:
        return True
    digits = sum(c.isdigit() for c in part)
    return digits >= 3 or (digits > 0 and len(part) >= 12)


def beat(rhythm: Rhythm, key: str, at: float, *, leads: bool) -> tuple[Rhythm, Beat]:
    """Enter one load of endpoint `key` at the instant `at`.

    `leads` tells a request that code or a person made (fetch, message, frame) from a picture, script or style
    that only follows one. Followers of a burst share the fate of the load that began it.
    """
    in_burst = at - rhythm.last_at <= BURST_GAP and at - rhythm.lead_at <= BURST_SPAN
    if in_burst and not leads:
        return rhythm._replace(last_at=at), Beat(rhythm.lead_machine, rhythm.lead_key)
    old = rhythm.series.get(key)
    series, machine, since = _enter(old, at)
    after = _with(rhythm.series, key, series)
    if in_burst:
        return rhythm._replace(series=after, last_at=at), Beat(machine or rhythm.lead_machine, key, since)
    return Rhythm(after, key, at, at, machine), Beat(machine, key, since)


def _with(series: Mapping[str, Series], key: str, value: Series) -> Mapping[str, Series]:
    after = dict(series)
    after.pop(key, None)
    after[key] = value  # most recently used last
    if len(after) > SERIES_KEPT:
        del after[next(iter(after))]
    return after


def _enter(old: Series | None, at: float) -> tuple[Series, bool, float | None]:
    if old is None:
        return Series((at,)), False, None
    times = (*old.times[-(TIMES_KEPT - 1) :], at)
    if old.period:
        return _on_beat(old, times, at)
    run = regular_run(times)
    if run is None:
        return Series(times), False, None
    first, period = run
    return Series(times, period, at), True, times[first]


def _on_beat(old: Series, times: tuple[float, ...], at: float) -> tuple[Series, bool, float | None]:
    """A learned endpoint: on the beat it is the machine, off the beat it is a person."""
    period = old.period
    since_beat, since_last = at - old.beat, at - old.times[-1]
    if EARLY * period <= since_beat <= LATE * period or EARLY * period <= since_last <= LATE * period:
        slow = period + 0.15 * (min(since_beat, LATE * period) - period)  # timers slow down in hidden tabs
        return Series(times, slow, at), True, None
    if since_beat > 3 * period:
        return _missed(times, period, at)
    return Series(times, period, old.beat), False, None


def _missed(times: tuple[float, ...], period: float, at: float) -> tuple[Series, bool, float | None]:
    """Silence of several periods: the laptop slept, or the tab was closed. Learn anew from here."""
    return Series((at,), period, at), False, None


def regular_run(times: tuple[float, ...]) -> tuple[int, float] | None:
    """Index of the first time of the newest regular run and its mean interval; None when there is none."""
    n = LEARN_BEATS
    if len(times) <= n:
        return None
    gaps = [times[i + 1] - times[i] for i in range(len(times) - n - 1, len(times) - 1)]
    mean = sum(gaps) / n
    if mean < SHORTEST:
        return None
    variance = sum((g - mean) ** 2 for g in gaps) / n
    if variance > (SPREAD * mean) ** 2:
        return None
    return _earliest(times, mean), mean


def _earliest(times: tuple[float, ...], mean: float) -> int:
    """Follow the run back for as long as the intervals are those of the same timer."""
    first = len(times) - LEARN_BEATS - 1
    while first > 0 and EARLY * mean <= times[first] - times[first - 1] <= LATE * mean:
        first -= 1
    return first
