"""Periodic requests of one person on one platform: learned, so that a page left open costs no time.

An open page polls: for news, for badges, for a new feed with new pictures, for the next
advertisement. Loads are recorded in *series* of instants: one for each endpoint that scripts ask,
one for the bursts in which content came (`CONTENT`, whatever asked for it), and one for everything
that no endpoint explains (`ANY`: paths that change each time). `periodicity.py` decides whether a
timer is behind a series, `learned_timers.py` keeps the timer. Then:

* the timer is stored with the series, and requests that fall on its ticks from now on are
  automatic;
* its requests so far are listed in `PollingJudgement.withdrawn`, so that the meter gives their time
  back;
* the rest of the series is what no timer explains yet. Another timer may be found in it later, in
  the same way.

Between ticks a person may still use the same endpoint. Content that follows an automatic request
within seconds (pictures, scripts) is automatic too, if that request is known to bring content.

Everything is bounded: series per person and platform, instants and timers per series.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from proxy_addon.core.metering import learned_timers, periodicity
from proxy_addon.core.metering.learned_timers import LearnedTimer
from proxy_addon.core.metering.periodicity import Timer

SERIES_KEPT = 40
TIMES_KEPT = 96
TIMERS_KEPT = 8
# unexplained events between two searches for hidden timers: the tests cost more than the rest
SEARCH_EVERY = 4
CONTENT = "+"
ANY = "*"
BURST_GAP = 1.5  # seconds between the loads of one burst
BURST_SPAN = 6.0
# share of a timer's requests that brought content, above which it owns the content after it
CONTENT_SHARE = 0.04
CONTENT_SHARE_RATE = 0.04  # how quickly that share adapts
LARGE_ANSWER = 4_096  # bytes; smaller ones say "nothing new", and seldom bring content
CONTENT_SPAN = 5.0  # seconds within which content still belongs to an automatic request
# earlier requests are the timers' too while they came at most this many times as often as now
FASTER = 1.6
UNEXPLAINED_LIMIT = (
    2  # a timer makes one request at a time: more unexplained ones at once are a person's
)
LOOSE_KEPT = 48  # instants of loose timers, among which a precise one is looked for
ALIKE = 3.0  # answers at most this many times as large or as small are alike
SHARED_AT_MOST = (
    5  # an endpoint asked more often than this without a timer of its own is not part of another's
)
WAKE_SPAN = 10.0  # seconds after a sleep in which every timer catches up

type Root = tuple[float, bool]
"""One piece of evidence: when its burst began, and whether it is the content that came in it."""


type Shares = tuple[float, float]
"""Of the small answers and of the large ones: the share after which content came."""


class Series(NamedTuple):
    """The instants that no timer explains (`times`, ascending), the timers, and the share of their
    requests that brings content.

    `content_times`: those of `times` that brought content; `added`: how many instants no timer
    explained at first; `unrequested_at`: when content last came without a request before it.
    """

    times: tuple[float, ...] = ()
    content_times: tuple[float, ...] = ()
    timers: tuple[LearnedTimer, ...] = ()
    content_share: Shares = (0.0, 0.0)
    added: int = 0
    unrequested_at: float = float("-inf")
    sizes: tuple[int, ...] = ()
    loose: tuple[tuple[float, int], ...] = ()


class PollingState(NamedTuple):
    """What is known of the timers of one person on one platform, and of the current burst.
    Instants."""

    series: Mapping[str, Series]
    key: str = ""
    burst_at: float = float("-inf")
    last: float = float("-inf")
    person: float = float("-inf")  # when a person was last seen for certain
    woke_at: float = float("-inf")  # when traffic last resumed after a long silence
    content_poll_at: float = float(
        "-inf"
    )  # the last automatic request that is known to bring content
    content: bool | None = None  # None: none came in this burst; else whether it was automatic
    doubtful: bool = False  # whether timers bring such content at other times
    unexplained: int = 0  # requests of this burst that no timer explains
    size: int = 0  # bytes of the answer to the request that this burst began with


class PollingJudgement(NamedTuple):
    """The judgement of one load: automatic or not, the evidence it belongs to, and the evidence
    that is withdrawn.

    `doubtful`: timers ask for the same, but were not due. `novel`: this endpoint was never asked
    before. `precise`: what is withdrawn are the ticks of a precise timer.
    """

    automatic: bool
    root: Root
    withdrawn: frozenset[Root] = frozenset()
    doubtful: bool = False
    novel: bool = False
    precise: bool = False


EMPTY = PollingState({})
_NOTHING: frozenset[Root] = frozenset()
_NEW = Series()


def observe(
    state: PollingState, key: str, at: float, *, leads: bool, size: int = 0
) -> tuple[PollingState, PollingJudgement]:
    """Add one load of endpoint `key` at the instant `at` (never before the last one).

    `leads`: a script or a person made the request (fetch, message, frame); else it is content that
    follows one.
    """
    if at - state.last > BURST_GAP or at - state.burst_at > BURST_SPAN:
        state = _new_burst(state, key if leads else CONTENT, at)
    after, found = _observe_lead(state, key, at, size) if leads else _observe_content(state, at)
    if at - state.woke_at <= WAKE_SPAN:
        found = found._replace(doubtful=True)
    return after, found


def _new_burst(state: PollingState, key: str, at: float) -> PollingState:
    """The state at the start of a new burst."""
    slept = at - state.last > learned_timers.SLEEP_SECONDS and any(
        learned_timers.any_running(s.timers, state.last) for s in state.series.values()
    )
    woke_at = at if slept else state.woke_at
    return PollingState(state.series, key, at, at, state.person, woke_at, state.content_poll_at)


def is_poll_content(state: PollingState, at: float) -> bool:
    """Whether content at the instant `at` follows an automatic request that is known to bring
    content."""
    return at - state.content_poll_at <= CONTENT_SPAN


def _with_content(polled: Series, at: float, size: int) -> Series:
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


def _brings_content(polled: Series, size: int) -> bool:
    """Whether answers of `size` bytes (0 = not known) are known to bring content."""
    small, large = polled.content_share
    share = max(small, large) if not size else large if size >= LARGE_ANSWER else small
    return share >= CONTENT_SHARE


def observe_poll(state: PollingState, key: str, at: float) -> tuple[PollingState, PollingJudgement]:
    """Add a request to endpoint `key`, which the catalogue lists as polling. It owns the content
    after it only when a timer explains it: pages ask some of these endpoints at every action of a
    person.
    """
    old = state.series.get(key, _NEW)
    updated, automatic, times = _add_instant(old, at, state)
    series = _with(state.series, key, updated)
    brings_content = _brings_content(updated, 0)
    after = _new_burst(state, key, at)._replace(series=series)
    if automatic and brings_content:
        after = after._replace(content_poll_at=at)
    return after, PollingJudgement(True, (at, False), _roots(times, brings_content))


def person_seen(state: PollingState, at: float) -> PollingState:
    """A person was seen for certain at the instant `at`."""
    return state._replace(person=max(state.person, at))


def _observe_content(state: PollingState, at: float) -> tuple[PollingState, PollingJudgement]:
    root = (state.burst_at, True)
    if state.content is not None:
        after = PollingState._make(
            (*state[:3], at, *state[4:])
        )  # by far the most common case, so no _replace
        return after, PollingJudgement(state.content, root, _NOTHING, state.doubtful)
    series = state.series
    doubtful = False
    if (
        state.key != CONTENT
        and state.unexplained < UNEXPLAINED_LIMIT
        and (polled := series.get(state.key)) is not None
    ):
        doubtful = learned_timers.any_running(
            polled.timers, at
        )
        series = _with(series, state.key, _with_content(polled, state.burst_at, state.size))
    if is_poll_content(state, at) and state.unexplained < UNEXPLAINED_LIMIT:
        return state._replace(series=series, last=at, content=True), PollingJudgement(True, root)
    updated, automatic, times = _add_instant(
        series.get(CONTENT, _NEW), state.burst_at, state, content=True
    )
    doubtful = doubtful or learned_timers.any_running(updated.timers, at)
    if state.key == CONTENT and not automatic:
        updated = updated._replace(unrequested_at=state.burst_at)
    series = _with(series, CONTENT, updated)
    after = state._replace(series=series, last=at, content=automatic, doubtful=doubtful)
    withdrawn = frozenset((t, True) for t in times) if times else _NOTHING
    precise = bool(withdrawn) and not updated.timers[-1].loose
    return after, PollingJudgement(automatic, root, withdrawn, doubtful, precise=precise)


def _observe_lead(
    state: PollingState, key: str, at: float, size: int
) -> tuple[PollingState, PollingJudgement]:
    root = (at, False)
    old = state.series.get(key, _NEW)
    updated, automatic, times = _add_instant(old, at, state, size=size)
    series = _with(state.series, key, updated)
    brings_content = _brings_content(updated, size)
    withdrawn = _roots(times, brings_content)
    if len(times) > 1:
        earlier = _earlier_polls(state, key, updated, times[0])
        if earlier:
            times = (*earlier, *times)
            series = _with(series, key, _without(updated, frozenset(earlier)))
            withdrawn |= _roots(earlier, brings_content=True)
        series = _without_explained(series, times)
    if not automatic:
        if (
            at - state.content_poll_at <= BURST_GAP and not old.timers
        ):  # part of what an automatic request started
            return state._replace(series=series, last=at), PollingJudgement(True, root)
        if len(updated.times) <= SHARED_AT_MOST:
            series, automatic, withdrawn = _match_page_timer(state, series, at)
    after = PollingState(
        series,
        state.key,
        state.burst_at,
        at,
        state.person,
        state.woke_at,
        at if automatic and brings_content else state.content_poll_at,
        state.content,
        state.doubtful,
        state.unexplained if automatic else state.unexplained + 1,
        size if at == state.burst_at else state.size,
    )
    doubtful = after.unexplained < UNEXPLAINED_LIMIT and learned_timers.any_running(old.timers, at)
    precise = bool(withdrawn and updated.timers) and not updated.timers[-1].loose
    return after, PollingJudgement(automatic, root, withdrawn, doubtful, old is _NEW, precise)


def _roots(times: tuple[float, ...], brings_content: bool) -> frozenset[Root]:
    if not times:
        return _NOTHING
    found = {(t, False) for t in times}
    return frozenset(found | {(t, True) for t in times}) if brings_content else frozenset(found)


def _match_page_timer(
    state: PollingState, series: Mapping[str, Series], at: float
) -> tuple[Mapping[str, Series], bool, frozenset[Root]]:
    """Requests that no endpoint's timer explains may still be periodic for the page as a whole."""
    old = series.get(ANY, _NEW)
    if old.times and at - old.times[-1] <= BURST_GAP:
        return series, False, _NOTHING
    updated, automatic, times = _add_instant(old, at, state)
    return _with(series, ANY, updated), automatic, _roots(times, brings_content=False)


def _earlier_polls(
    state: PollingState, key: str, polled: Series, first: float
) -> tuple[float, ...]:
    """Requests to a timer's endpoint before the timer was found, back to the last request
    elsewhere. They are the timers' too if they came at no higher rate; a timer may run differently
    while its page is visible.
    """
    if polled.timers[-1].tolerance > learned_timers.RESUMED_PRECISE * polled.timers[-1].period:
        return ()  # a loose timer may still be a person
    others = (
        s.times[-1] for k, s in state.series.items() if s.times and k not in (key, ANY, CONTENT)
    )
    since = max(
        state.person, state.series.get(CONTENT, _NEW).unrequested_at, *others, float("-inf")
    )
    timer = polled.timers[-1]
    found = tuple(
        t
        for t, size in zip(polled.times, polled.sizes, strict=True)
        if since < t < first and timer.brings(size)
    )
    rate = sum(1.0 / m.period for m in polled.timers)
    return found if found and len(found) <= 1 + FASTER * rate * (first - found[0]) else ()


def _without(old: Series, explained: frozenset[float]) -> Series:
    """The series without these instants."""
    kept = [i for i, t in enumerate(old.times) if t not in explained]
    return old._replace(
        times=tuple(old.times[i] for i in kept), sizes=tuple(old.sizes[i] for i in kept)
    )


def _without_explained(
    series: Mapping[str, Series], times: tuple[float, ...]
) -> Mapping[str, Series]:
    """The series without the instants in `ANY` that an endpoint's timer explains now."""
    old = series.get(ANY, _NEW)
    explained = frozenset(times)
    return _with(series, ANY, _without(old, explained))


def _with(series: Mapping[str, Series], key: str, value: Series) -> Mapping[str, Series]:
    after = dict(series)
    after.pop(key, None)
    after[key] = value  # most recently used last
    if len(after) > SERIES_KEPT:
        oldest = next(k for k in after if k not in (CONTENT, ANY))
        del after[oldest]
    return after


def _add_instant(
    old: Series, at: float, state: PollingState, *, content: bool = False, size: int = 0
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
        at - state.woke_at <= WAKE_SPAN
        and (woken := learned_timers.after_sleep(old.timers, at)) is not None
    ):
        return old._replace(timers=woken), True, ()
    times = (*old.times[-(TIMES_KEPT - 1) :], at)
    sizes = (*old.sizes[-(TIMES_KEPT - 1) :], size)
    series = old._replace(times=times, sizes=sizes, added=old.added + 1)
    timer = learned_timers.resumed(series.timers, times, state.person, sizes) or _find_timer(
        series, state.person, content
    )
    if timer is None:
        return series, False, ()
    return _explained(series, timer, at), True, timer.times


def _in_missed_slot(
    old: Series, after: tuple[LearnedTimer, ...], at: float
) -> tuple[float, ...]:
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
    return _without(series, explained)._replace(
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
    return _without(series, explained)._replace(
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
    return _without(series, explained)._replace(
        content_times=tuple(t for t in series.content_times if t not in explained),
        timers=(*kept, learned),
        content_share=share
        if not kept
        else (max(share[0], before[0]), max(share[1], before[1])),
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
