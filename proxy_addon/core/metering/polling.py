"""A machine's rhythm, learned, for one person on one platform.

A page left open asks again and again: for news, for badges, for a fresh feed with new pictures, for the next
advertisement. What comes is filed in *series* of instants: one for each endpoint that scripts ask, one for the
bursts in which content came (`CONTENT`, whatever asked for it), one for all that no endpoint explains (`ANY`: paths
that change each time). `periodicity.py` says when a series is a timer's, `learned_timers.py` keeps it. Then:

* the timer is kept with the series, and what it asks from now on, on its beat, is a machine's;
* what it asked so far is named in `PollingJudgement.withdrawn`, so that the clock gives the time back;
* the rest of the series is what no timer explains yet. It may hide a further timer, which is found the same way.

Off the beat the same endpoint may still be used by a person. What a machine's request brings (pictures, scripts
within seconds) is the machine's, if that request is known to bring something.

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
LOOK_EVERY = (
    4  # unexplained events between two looks for hidden timers: the tests cost more than the rest
)
CONTENT = "+"
ANY = "*"
BURST_GAP = 1.5  # seconds between the loads of one burst
BURST_SPAN = 6.0
BRINGS = 0.04  # share of a timer's requests that brought content, above which content after it is its own
BRINGS_PACE = 0.04  # how quickly that share follows
BRINGS_SPAN = 5.0  # seconds within which content still belongs to a machine's request
PACE = 1.6  # times as often as its timers ask now, an endpoint was asked by them before
SEVERAL = (
    2  # a timer asks for one thing at a time: more that no timer explains, at once, is a person
)
RARE = 5  # an endpoint seen more often without a rhythm of its own is not part of another
WAKING = 10.0  # seconds in which everything catches up afterwards

type Root = tuple[float, bool]
"""One piece of evidence: when its burst began, and whether it is the content that came in it."""


class Series(NamedTuple):
    """What no timer explains (ascending), the timers, and which share of their events brings content.

    `fed`: those of `times` that brought content; `entered` counts what no timer explained at once;
    `entered_alone` is when content last came that no request had asked for.
    """

    times: tuple[float, ...] = ()
    fed: tuple[float, ...] = ()
    models: tuple[LearnedTimer, ...] = ()
    brings: float = 0.0
    entered: int = 0
    entered_alone: float = float("-inf")


class PollingState(NamedTuple):
    """What is known of one person's machines on one platform, and of the burst that is going on."""

    series: Mapping[str, Series]
    key: str = ""
    begun: float = float("-inf")
    last: float = float("-inf")
    person: float = float("-inf")  # when a person was last seen for certain
    woke: float = float("-inf")  # when something came after a long silence of everything
    asked: float = float(
        "-inf"
    )  # when a machine last asked for something that is known to bring content
    content: bool | None = None  # None: none came yet; else whether it was a machine's
    doubtful: bool = False  # whether machines are known to bring such content, only not now
    strays: int = 0  # requests of this burst that no timer explains


class PollingJudgement(NamedTuple):
    """Judgement on one load: a machine's or not, the evidence it belongs to, and what is taken back.

    `doubtful`: machines are known to ask the same, only not now. `novel`: nobody asked this endpoint before.
    """

    machine: bool
    root: Root
    withdrawn: frozenset[Root] = frozenset()
    doubtful: bool = False
    novel: bool = False


EMPTY = PollingState({})
_NOTHING: frozenset[Root] = frozenset()
_NEW = Series()


def beat(
    rhythm: PollingState, key: str, at: float, *, leads: bool
) -> tuple[PollingState, PollingJudgement]:
    """Enter one load of endpoint `key` at the instant `at` (never before the last one).

    `leads` tells a request that code or a person made (fetch, message, frame) from content that only follows one.
    """
    if at - rhythm.last > BURST_GAP or at - rhythm.begun > BURST_SPAN:
        rhythm = _burst(rhythm, key if leads else CONTENT, at)
    after, found = _lead(rhythm, key, at) if leads else _content(rhythm, at)
    if at - rhythm.woke <= WAKING:
        found = found._replace(doubtful=True)
    return after, found


def _burst(rhythm: PollingState, key: str, at: float) -> PollingState:
    """A new burst begins."""
    asleep = at - rhythm.last > learned_timers.ASLEEP and any(
        learned_timers.running(s.models, rhythm.last) for s in rhythm.series.values()
    )
    woke = at if asleep else rhythm.woke
    return PollingState(rhythm.series, key, at, at, rhythm.person, woke, rhythm.asked)


def brought(rhythm: PollingState, at: float) -> bool:
    """Whether what comes at the instant `at` was brought by a machine's request that is known to bring something."""
    return at - rhythm.asked <= BRINGS_SPAN


def _fed(asked: Series, at: float) -> Series:
    """What was asked at the instant `at` brought content."""
    if asked.times and asked.times[-1] == at:
        return asked._replace(fed=(*asked.fed[-(TIMES_KEPT - 1) :], at))
    return asked._replace(brings=asked.brings + BRINGS_PACE)


def polled(rhythm: PollingState, key: str, at: float) -> tuple[PollingState, PollingJudgement]:
    """Endpoint `key`, known to be asked by machines, was asked. Only on a rhythm does it own what comes after it:
    some of these are asked at every move of a person.
    """
    old = rhythm.series.get(key, _NEW)
    entered, machine, times = _enter(old, at, rhythm)
    series = _with(rhythm.series, key, entered)
    brings = entered.brings >= BRINGS
    after = _burst(rhythm, key, at)._replace(series=series)
    if machine and brings:
        after = after._replace(asked=at)
    return after, PollingJudgement(True, (at, False), _roots(times, brings))


def seen(rhythm: PollingState, at: float) -> PollingState:
    """A person was seen for certain at the instant `at`."""
    return rhythm._replace(person=max(rhythm.person, at))


def _content(rhythm: PollingState, at: float) -> tuple[PollingState, PollingJudgement]:
    root = (rhythm.begun, True)
    if rhythm.content is not None:
        after = PollingState._make(
            (*rhythm[:3], at, *rhythm[4:])
        )  # the commonest case by far, so no _replace
        return after, PollingJudgement(rhythm.content, root, _NOTHING, rhythm.doubtful)
    series = rhythm.series
    doubtful = False
    if (
        rhythm.key != CONTENT
        and rhythm.strays < SEVERAL
        and (asked := series.get(rhythm.key)) is not None
    ):
        doubtful = asked.brings >= BRINGS and learned_timers.running(asked.models, at)
        series = _with(series, rhythm.key, _fed(asked, rhythm.begun))
    if brought(rhythm, at) and rhythm.strays < SEVERAL:
        return rhythm._replace(series=series, last=at, content=True), PollingJudgement(True, root)
    entered, machine, times = _enter(series.get(CONTENT, _NEW), rhythm.begun, rhythm, content=True)
    doubtful = doubtful or learned_timers.running(entered.models, at)
    if rhythm.key == CONTENT and not machine:
        entered = entered._replace(entered_alone=rhythm.begun)
    series = _with(series, CONTENT, entered)
    after = rhythm._replace(series=series, last=at, content=machine, doubtful=doubtful)
    withdrawn = frozenset((t, True) for t in times) if times else _NOTHING
    return after, PollingJudgement(machine, root, withdrawn, doubtful)


def _lead(rhythm: PollingState, key: str, at: float) -> tuple[PollingState, PollingJudgement]:
    root = (at, False)
    old = rhythm.series.get(key, _NEW)
    entered, machine, times = _enter(old, at, rhythm)
    series = _with(rhythm.series, key, entered)
    brings = entered.brings >= BRINGS
    withdrawn = _roots(times, brings)
    if times:
        earlier = _earlier(rhythm, key, entered, times[0])
        if earlier:
            times = (*earlier, *times)
            rest = tuple(t for t in entered.times if t > earlier[-1] or t < earlier[0])
            series = _with(series, key, entered._replace(times=rest))
            withdrawn |= _roots(earlier, brings=True)
        series = _forgotten(series, times)
    if not machine:
        if (
            at - rhythm.asked <= BURST_GAP and not old.models
        ):  # asked in passing by what a machine began
            return rhythm._replace(series=series, last=at), PollingJudgement(True, root)
        if len(entered.times) <= RARE:
            series, machine, withdrawn = _among_all(rhythm, series, at)
    first = at == rhythm.begun
    after = rhythm._replace(
        series=series,
        last=at,
        key=key if first else rhythm.key,
        asked=at if machine and brings else rhythm.asked,
        strays=rhythm.strays if machine else rhythm.strays + 1,
    )
    doubtful = after.strays < SEVERAL and learned_timers.running(old.models, at)
    return after, PollingJudgement(machine, root, withdrawn, doubtful, old is _NEW)


def _roots(times: tuple[float, ...], brings: bool) -> frozenset[Root]:
    if not times:
        return _NOTHING
    found = {(t, False) for t in times}
    return frozenset(found | {(t, True) for t in times}) if brings else frozenset(found)


def _among_all(
    rhythm: PollingState, series: Mapping[str, Series], at: float
) -> tuple[Mapping[str, Series], bool, frozenset[Root]]:
    """What no endpoint explains may still be a rhythm of the page as a whole."""
    old = series.get(ANY, _NEW)
    if old.times and at - old.times[-1] <= BURST_GAP:
        return series, False, _NOTHING
    entered, machine, times = _enter(old, at, rhythm)
    return _with(series, ANY, entered), machine, _roots(times, brings=False)


def _earlier(rhythm: PollingState, key: str, asked: Series, first: float) -> tuple[float, ...]:
    """What was asked of a machine's endpoint before its timer was found, since anything else was: at no higher pace
    than that of the timers it is theirs too. They may have run otherwise while their page was in view.
    """
    if asked.models[-1].tolerance > learned_timers.REVIVED_PRECISE * asked.models[-1].period:
        return ()  # a loose timer may be a person after all
    others = (
        s.times[-1] for k, s in rhythm.series.items() if s.times and k not in (key, ANY, CONTENT)
    )
    since = max(
        rhythm.person, rhythm.series.get(CONTENT, _NEW).entered_alone, *others, float("-inf")
    )
    found = tuple(t for t in asked.times if since < t < first)
    pace = sum(1.0 / m.period for m in asked.models)
    return found if found and len(found) <= 1 + PACE * pace * (first - found[0]) else ()


def _forgotten(series: Mapping[str, Series], times: tuple[float, ...]) -> Mapping[str, Series]:
    """What an endpoint explains after all is no longer among what none explains."""
    old = series.get(ANY, _NEW)
    explained = frozenset(times)
    return _with(series, ANY, old._replace(times=tuple(t for t in old.times if t not in explained)))


def _with(series: Mapping[str, Series], key: str, value: Series) -> Mapping[str, Series]:
    after = dict(series)
    after.pop(key, None)
    after[key] = value  # most recently used last
    if len(after) > SERIES_KEPT:
        oldest = next(k for k in after if k not in (CONTENT, ANY))
        del after[oldest]
    return after


def _enter(
    old: Series, at: float, since: PollingState, *, content: bool = False
) -> tuple[Series, bool, tuple[float, ...]]:
    """The series with `at`; whether a timer explains it; and which instants are only now explained."""
    best = learned_timers.best(old.models, at)
    if best is not None:
        return old._replace(models=best, brings=(1.0 - BRINGS_PACE) * old.brings), True, ()
    if at - since.woke <= WAKING and (woken := learned_timers.woken(old.models, at)) is not None:
        return old._replace(models=woken), True, ()
    times = (*old.times[-(TIMES_KEPT - 1) :], at)
    series = old._replace(times=times, entered=old.entered + 1)
    timer = learned_timers.revived(series.models, series.times, since.person) or _found(
        series, since.person, content
    )
    if timer is None:
        return series, False, ()
    explained = frozenset(timer.times)
    rest = tuple(t for t in times if t not in explained)
    model = learned_timers.learned(timer)
    kept = tuple(m for m in old.models if not learned_timers.replaced(m, model, at))[
        -(TIMERS_KEPT - 1) :
    ]
    share = sum(t in explained for t in old.fed) / len(timer.times)
    brings = share if not kept else max(share, old.brings)
    fed = tuple(t for t in old.fed if t not in explained and t >= times[0])
    return (
        series._replace(times=rest, fed=fed, models=(*kept, model), brings=brings),
        True,
        timer.times,
    )


def _found(series: Series, person: float, content: bool) -> Timer | None:
    times = series.times
    timer = periodicity.steady(times, person)
    if timer is None and len(times) > periodicity.CHAIN_FEWEST and series.entered % LOOK_EVERY == 0:
        timer = periodicity.chain(times) or periodicity.crowd(times, person, strict=content)
    return timer
