"""One series of instants: those that no timer explains yet, and the timers behind the others.

A timer is known by its period and by the sizes of its answers. An answer that is larger than any of
a timer's, or much smaller, is somebody else's: a person who scrolls on the very endpoint that a tab
polls, or another timer. A precise timer may bring any size, because nothing else comes just then. A
large answer in place of a tick is the timer's after all.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.metering import learned_timers, periodicity
from proxy_addon.core.metering.learned_timers import LearnedTimer
from proxy_addon.core.metering.periodicity import Timer

TIMES_KEPT = 96
TIMERS_KEPT = 8
# unexplained events between two searches for hidden timers: the tests cost more than the rest
SEARCH_EVERY = 4
# share of a timer's requests that brought content, above which it owns the content after it
CONTENT_SHARE = 0.04
CONTENT_SHARE_RATE = 0.04  # how quickly that share adapts
LARGE_ANSWER = 4_096  # bytes; smaller ones say "nothing new", and seldom bring content
LOOSE_KEPT = 48  # instants of loose timers, among which a precise one is looked for
ALIKE = 3.0  # answers at most this many times as large or as small are alike
WAKE_SPAN = 10.0  # seconds after a sleep in which every timer catches up

type Shares = tuple[float, float]
"""Of the small answers and of the large ones: the share after which content came."""


class Seen(NamedTuple):
    """When a person was last seen for certain, and when traffic last resumed after a long silence;
    instants."""

    person: float
    woke_at: float


class Series(NamedTuple):
    """The instants that no timer explains (`times`, ascending), the timers, and the share of their
    requests that brings content.

    `content_times`: those of `times` that brought content; `added`: how many instants no timer
    explained at first; `unrequested_at`: when content last came without a request before it;
    `sizes` of the answers in `times`, in bytes, 0 = not known; `loose`: instants and sizes of late
    that only a loose timer explains.
    """

    times: tuple[float, ...] = ()
    content_times: tuple[float, ...] = ()
    timers: tuple[LearnedTimer, ...] = ()
    content_share: Shares = (0.0, 0.0)
    added: int = 0
    unrequested_at: float = float("-inf")
    sizes: tuple[int, ...] = ()
    loose: tuple[tuple[float, int], ...] = ()


def with_content(polled: Series, at: float, size: int) -> Series:
    """The series after the request at the instant `at` brought content."""
    if polled.times and polled.times[-1] == at:
        return polled._replace(content_times=(*polled.content_times[-(TIMES_KEPT - 1) :], at))
    return polled._replace(content_share=_adapted(polled.content_share, size, 1.0, 1.0))


def _adapted(shares: Shares, size: int, kept: float, more: float) -> Shares:
    """The shares after one more answer: `kept` of the old one, and `more` of one answer."""
    small, large = shares
    if size < LARGE_ANSWER:
        small = kept * small + CONTENT_SHARE_RATE * more
    if size >= LARGE_ANSWER or not size:
        large = kept * large + CONTENT_SHARE_RATE * more
    return small, large


def brings_content(polled: Series, size: int) -> bool:
    """Whether answers of `size` bytes (0 = not known) are known to bring content."""
    small, large = polled.content_share
    share = max(small, large) if not size else large if size >= LARGE_ANSWER else small
    return share >= CONTENT_SHARE


def without(old: Series, explained: frozenset[float]) -> Series:
    """The series without these instants."""
    kept = [i for i, t in enumerate(old.times) if t not in explained]
    return old._replace(
        times=tuple(old.times[i] for i in kept), sizes=tuple(old.sizes[i] for i in kept)
    )


def add_instant(
    old: Series, at: float, seen: Seen, *, content: bool = False, size: int = 0
) -> tuple[Series, bool, tuple[float, ...]]:
    """The series with `at`; whether a timer explains it; and the earlier instants that a new timer
    explains."""
    best = learned_timers.after_best_match(old.timers, at, size)
    if best is not None:
        shares = _adapted(old.content_share, size, 1.0 - CONTENT_SHARE_RATE, 0.0)
        updated = old._replace(timers=best, content_share=shares)
        if not best[-1].loose:
            return updated, True, ()
        missed = _in_missed_slot(old, best, at)
        if missed:
            updated = _grown(updated, missed)
        return _loosely(updated, at, size), True, missed
    if (
        at - seen.woke_at <= WAKE_SPAN
        and (woken := learned_timers.after_sleep(old.timers, at)) is not None
    ):
        return old._replace(timers=woken), True, ()
    times = (*old.times[-(TIMES_KEPT - 1) :], at)
    sizes = (*old.sizes[-(TIMES_KEPT - 1) :], size)
    series = old._replace(times=times, sizes=sizes, added=old.added + 1)
    timer = learned_timers.resumed(series.timers, times, seen.person, sizes) or _find_timer(
        series, seen.person, content
    )
    if timer is None:
        return series, False, ()
    return _explained(series, timer, at), True, timer.times


def _in_missed_slot(old: Series, after: tuple[LearnedTimer, ...], at: float) -> tuple[float, ...]:
    """The instant of a larger answer where a timer, which ticked at `at`, would have ticked before:
    it brought something new."""
    before = next(timer for timer in old.timers if timer not in after[:-1])
    if before.combined or round((at - before.last_tick) / before.period) != 2:
        return ()
    due = (before.last_tick + at) / 2.0
    near = min(learned_timers.TOLERANCE_FACTOR * before.tolerance, 0.5 * before.period)
    sized = zip(old.times, old.sizes, strict=True)
    found = [t for t, size in sized if abs(t - due) <= near and size > before.largest]
    return (min(found, key=lambda t: abs(t - due)),) if found else ()


def _grown(series: Series, ticks: tuple[float, ...]) -> Series:
    """The series in which the last timer brought the answers at `ticks`, too."""
    explained = frozenset(ticks)
    sizes = [n for t, n in zip(series.times, series.sizes, strict=True) if t in explained]
    timer = series.timers[-1]
    grown = timer._replace(largest=max(timer.largest, *sizes))
    shares = series.content_share
    if any(t in explained for t in series.content_times):
        shares = _adapted(shares, max(sizes), 1.0, 1.0)
    return without(series, explained)._replace(
        timers=(*series.timers[:-1], grown), content_share=shares
    )


def _loosely(series: Series, at: float, size: int) -> Series:
    """The series after an instant that only a loose timer explains: a precise one may be behind
    it."""
    loose = (*series.loose[-(LOOSE_KEPT - 1) :], (at, size))
    series = series._replace(loose=loose, added=series.added + 1)
    if not size or series.added % SEARCH_EVERY:
        return series
    least, most = size / ALIKE, size * ALIKE
    among = (*zip(series.times, series.sizes, strict=True), *loose)
    times = tuple(sorted(t for t, other in among if least <= other <= most))
    timer = periodicity.steady(times, at) or periodicity.chain(times)
    if timer is None:
        return series
    explained = frozenset(timer.times)
    found = [n for t, n in among if t in explained]
    learned = learned_timers.learn(timer, max(found), min(found))
    if any(m.period == learned.period for m in series.timers) or learned.loose:
        return series
    return without(series, explained)._replace(
        timers=(*series.timers[-(TIMERS_KEPT - 1) :], learned),
        loose=tuple(item for item in loose if item[0] not in explained),
    )


def _explained(series: Series, timer: Timer, at: float) -> Series:
    """The series with a timer that was found, and without its ticks."""
    explained = frozenset(timer.times)
    found = [size for t, size in zip(series.times, series.sizes, strict=True) if t in explained]
    largest = max(found) if all(found) else learned_timers.UNKNOWN
    learned = learned_timers.learn(timer, largest, min(found))
    kept = tuple(m for m in series.timers if not learned_timers.is_superseded(m, learned, at))[
        -(TIMERS_KEPT - 1) :
    ]
    share = _shares(series, explained)
    before = series.content_share
    return without(series, explained)._replace(
        content_times=tuple(t for t in series.content_times if t not in explained),
        timers=(*kept, learned),
        content_share=share if not kept else (max(share[0], before[0]), max(share[1], before[1])),
    )


def _shares(series: Series, explained: frozenset[float]) -> Shares:
    """How many of the small and of the large answers among these instants brought content."""
    found = [
        (t in series.content_times, size)
        for t, size in zip(series.times, series.sizes, strict=True)
        if t in explained
    ]
    small = [brought for brought, size in found if size < LARGE_ANSWER]
    large = [brought for brought, size in found if size >= LARGE_ANSWER or not size]
    return sum(small) / max(1, len(small)), sum(large) / max(1, len(large))


def _find_timer(series: Series, person: float, content: bool) -> Timer | None:
    """A timer behind the instants whose answers are no larger than the newest, or behind all."""
    times, newest = series.times, series.sizes[-1]
    thorough = series.added % SEARCH_EVERY == 0
    if newest:
        limit = learned_timers.SIZE_FACTOR * newest + learned_timers.SIZE_SLACK
        alike = tuple(t for t, size in zip(times, series.sizes, strict=True) if size <= limit)
        if len(alike) < len(times):
            found = periodicity.steady(alike, person)
            if found is None and thorough:
                found = periodicity.chain(alike)
            if found is not None:
                return found
    timer = periodicity.steady(times, person)
    if timer is None and thorough:
        timer = periodicity.chain(times) or periodicity.combined(times, person, strict=content)
    return timer
