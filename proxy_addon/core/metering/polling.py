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

from proxy_addon.core.metering import learned_timers
from proxy_addon.core.metering.polling_series import (
    WAKE_SPAN,
    Seen,
    Series,
    add_instant,
    brings_content,
    with_content,
    without,
)

SERIES_KEPT = 40
CONTENT = "+"
ANY = "*"
BURST_GAP = 1.5  # seconds between the loads of one burst
BURST_SPAN = 6.0
CONTENT_SPAN = 5.0  # seconds within which content still belongs to an automatic request
# earlier requests are the timers' too while they came at most this many times as often as now
FASTER = 1.6
UNEXPLAINED_LIMIT = (
    2  # a timer makes one request at a time: more unexplained ones at once are a person's
)
SHARED_AT_MOST = (
    5  # an endpoint asked more often than this without a timer of its own is not part of another's
)

type Root = tuple[float, bool]
"""One piece of evidence: when its burst began, and whether it is the content that came in it."""


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

    @property
    def seen(self) -> Seen:
        """When a person was last seen, and when traffic last resumed."""
        return Seen(self.person, self.woke_at)


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


def observe_poll(state: PollingState, key: str, at: float) -> tuple[PollingState, PollingJudgement]:
    """Add a request to endpoint `key`, which the catalogue lists as polling. It owns the content
    after it only when a timer explains it: pages ask some of these endpoints at every action of a
    person.
    """
    old = state.series.get(key, _NEW)
    updated, automatic, times = add_instant(old, at, state.seen)
    series = _with(state.series, key, updated)
    brings = brings_content(updated, 0)
    after = _new_burst(state, key, at)._replace(series=series)
    if automatic and brings:
        after = after._replace(content_poll_at=at)
    return after, PollingJudgement(True, (at, False), _roots(times, brings))


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
        doubtful = learned_timers.any_running(polled.timers, at)
        series = _with(series, state.key, with_content(polled, state.burst_at, state.size))
    if is_poll_content(state, at) and state.unexplained < UNEXPLAINED_LIMIT:
        return state._replace(series=series, last=at, content=True), PollingJudgement(True, root)
    updated, automatic, times = add_instant(
        series.get(CONTENT, _NEW), state.burst_at, state.seen, content=True
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
    updated, automatic, times = add_instant(old, at, state.seen, size=size)
    series = _with(state.series, key, updated)
    brings = brings_content(updated, size)
    withdrawn = _roots(times, brings)
    if len(times) > 1:
        earlier = _earlier_polls(state, key, updated, times[0])
        if earlier:
            times = (*earlier, *times)
            series = _with(series, key, without(updated, frozenset(earlier)))
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
        at if automatic and brings else state.content_poll_at,
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
    updated, automatic, times = add_instant(old, at, state.seen)
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


def _without_explained(
    series: Mapping[str, Series], times: tuple[float, ...]
) -> Mapping[str, Series]:
    """The series without the instants in `ANY` that an endpoint's timer explains now."""
    old = series.get(ANY, _NEW)
    explained = frozenset(times)
    return _with(series, ANY, without(old, explained))


def _with(series: Mapping[str, Series], key: str, value: Series) -> Mapping[str, Series]:
    after = dict(series)
    after.pop(key, None)
    after[key] = value  # most recently used last
    if len(after) > SERIES_KEPT:
        oldest = next(k for k in after if k not in (CONTENT, ANY))
        del after[oldest]
    return after
