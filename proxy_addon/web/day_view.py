"""One day of somebody in visits: rows, a line of the day, sums. Finished texts and positions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import measure, normalise
from proxy_addon.core.metering.evidence import is_estimated
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Interval, Visit
from proxy_addon.presentation import allowance_names, target_names
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import visit_evidence as evidence
from proxy_addon.presentation.languages import gettext as _

_HOUR = 3600
_SPANS = (4, 8, 12, 16, 20, 24, 28)  # hours of a line: each has whole hours at its quarters


class VisitView(NamedTuple):
    """One visit. `estimated`: free time in connections that were not opened. `why`: what opened,
    extended and closed it; `key` identifies it."""

    platform: str
    section: str | None
    start: str
    end: str
    length: str
    charged: str | None
    rule: str | None
    key: str
    estimated: bool
    why: tuple[str, ...]


class TimelineSegment(NamedTuple):
    """A visit on the timeline; per mille of its width."""

    x: float
    width: float
    charged: bool


class DayTimeline(NamedTuple):
    """The part of the day in which something happened. `ticks` are the times at its quarters."""

    marks: tuple[TimelineSegment, ...]
    ticks: tuple[str, ...]


class DayVisits(NamedTuple):
    """A day: the newest visit first, its line, and what was charged and free; None: nothing."""

    rows: tuple[VisitView, ...]
    timeline: DayTimeline | None
    charged: str | None
    free: str | None


class Sums(NamedTuple):
    """Seconds of a day; what overlaps is counted once."""

    charged: float
    free: float


def until(visits: Iterable[Visit], now: float) -> list[Visit]:
    """What was used up to now, oldest first: the tail of what is running lies ahead, and is not
    counted yet."""
    cut = (visit if visit.end <= now else replace(visit, end=now) for visit in visits)
    return sorted((visit for visit in cut if visit.end > visit.start), key=lambda v: v.start)


def running(visits: Iterable[Visit], now: float) -> list[Visit]:
    """Those that go on."""
    return [visit for visit in visits if visit.end > now >= visit.start]


def sums(visits: Sequence[Visit], start: float = -math.inf, end: float = math.inf) -> Sums:
    """What was charged and what was free within `[start, end)`."""
    spans: dict[bool, list[Interval]] = {True: [], False: []}
    for visit in visits:
        first, last = max(visit.start, start), min(visit.end, end)
        if last > first:
            spans[visit.allowance is not None].append(Interval(first, last))
    return Sums(measure(normalise(spans[True])), measure(normalise(spans[False])))


def visits_of(visits: Sequence[Visit], now: float, rules: RuleSet, charged: str = "") -> DayVisits:
    """A day's visits. `charged`: what was charged, where the page has put it into words already."""
    going = {visit.id for visit in running(visits, now)}
    own = until(visits, now)
    total = sums(own)
    return DayVisits(
        rows=tuple(_row(visit, visit.id in going, now, rules) for visit in reversed(own)),
        timeline=_timeline(own, now, rules.zone) if own else None,
        charged=(charged or words.spent(total.charged)) if total.charged else None,
        free=words.duration(total.free) if total.free else None,
    )


def _row(visit: Visit, goes_on: bool, now: float, rules: RuleSet) -> VisitView:
    name = visit.allowance
    return VisitView(
        platform=target_names.platform(rules, visit.platform),
        section=target_names.section(visit.section) if visit.section else None,
        start=words.time_of_day(visit.start, rules.zone),
        end=_("now") if goes_on else words.time_of_day(visit.end, rules.zone),
        length=words.duration(visit.end - visit.start),
        charged=allowance_names.title(rules, name) if name else None,
        rule=visit.rule,
        key=visit.id,
        estimated=is_estimated(visit.evidence),
        why=evidence.sentences(visit, now if not goes_on else now - 1, rules.zone),
    )


def _timeline(visits: Sequence[Visit], now: float, zone: ZoneInfo) -> DayTimeline:
    start = _full_hour(visits[0].start, zone)
    end = max(visit.end for visit in visits)
    if now - start < _SPANS[-1] * _HOUR:
        end = max(now, end)
    hours = next((span for span in _SPANS if start + span * _HOUR >= end), _SPANS[-1])
    length = hours * _HOUR
    quarters = (start + length * quarter / 4 for quarter in range(5))
    return DayTimeline(
        tuple(_marks(visits, start, length)),
        tuple(words.time_of_day(instant, zone) for instant in quarters),
    )


def _marks(visits: Iterable[Visit], start: float, length: float) -> Iterable[TimelineSegment]:
    for visit in visits:
        x = 1000 * (visit.start - start) / length
        # even the shortest visit stays visible
        width = max(4.0, 1000 * (visit.end - visit.start) / length)
        yield TimelineSegment(
            round(x, 1), round(min(width, 1000 - x), 1), visit.allowance is not None
        )


def _full_hour(instant: float, zone: ZoneInfo) -> float:
    """The last full hour on the wall clock at or before `instant`."""
    offset = datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    return math.floor((instant + shift) / _HOUR) * _HOUR - shift
