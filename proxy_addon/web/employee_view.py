"""The employee's day as the template needs it: finished texts and positions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import measure, normalise
from proxy_addon.core.metering.evidence import is_estimated
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Balance, Interval, Visit
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import visit_evidence as evidence
from proxy_addon.presentation.theme import Bar, bar
from proxy_addon.web.interface import ProxyState

_HOUR = 3600
_SPANS = (
    4,
    8,
    12,
    16,
    20,
    24,
    28,
)  # hours a timeline may show: each has whole hours at its quarters


class Visitor(NamedTuple):
    """Who is viewing the page, as identified by the proxy. `reached` is the proxy's own address on
    that connection.

    `signed_in`: the name comes from a password or a trusted front proxy, not from an address alone.
    `newcomer`: has to sign in and has not: pages say nothing about anybody. `direct`: the page came
    from the proxy's port as from a web server.
    """

    name: str
    identified: bool
    address: str
    reached: str | None = None
    signed_in: bool = False
    newcomer: bool = False
    direct: bool = False

    @classmethod
    def of(cls, scope: Mapping[str, object]) -> Self | None:
        """From the ASGI scope, where only our own adapter can write; None when it did not."""
        extensions = scope.get("extensions")
        entry = extensions.get("allowance.person") if isinstance(extensions, Mapping) else None
        if not isinstance(entry, Mapping) or not entry.get("name"):
            return None
        reached = entry.get("reached")
        return cls(
            str(entry["name"]),
            bool(entry.get("identified")),
            str(entry.get("address") or ""),
            str(reached) if reached else None,
            bool(entry.get("signed_in")),
            bool(entry.get("newcomer")),
            bool(entry.get("direct")),
        )


class Card(NamedTuple):
    """One allowance. `observed`: its rules are only observed: nothing is blocked when it is used
    up. `nothing`: the rules give no time, which does not come back either."""

    title: str
    bar: Bar
    changes: str | None
    observed: bool = False
    nothing: bool = False


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


class Day(NamedTuple):
    """The employee's page."""

    person: str
    identified: bool
    address: str
    roles: tuple[str, ...]
    date: str
    at: str
    cards: tuple[Card, ...]
    rows: tuple[VisitView, ...]
    timeline: DayTimeline | None
    charged: str | None
    free: str | None
    tail: str


def day_of(proxy_state: ProxyState, visitor: Visitor) -> Day:
    """The current page of one person."""
    now, rules = proxy_state.now(), proxy_state.rules()
    visits = sorted(
        (visit for visit in proxy_state.visits_today(visitor.name) if visit.end > visit.start),
        key=lambda visit: visit.start,
    )
    charged = measure(
        normalise(Interval(v.start, v.end) for v in visits if v.allowance is not None)
    )
    free = measure(normalise(Interval(v.start, v.end) for v in visits if v.allowance is None))
    return Day(
        person=visitor.name if visitor.identified else "this device",
        identified=visitor.identified,
        address=visitor.address,
        roles=proxy_state.roles(visitor.name),
        date=words.day(now, rules.zone),
        at=words.time_of_day(now, rules.zone),
        cards=tuple(_card(balance, now, rules) for balance in proxy_state.balances(visitor.name)),
        rows=tuple(_row(visit, now, rules) for visit in reversed(visits)),
        timeline=_timeline(visits, now, rules.zone) if visits else None,
        charged=words.duration(charged) if charged else None,
        free=words.duration(free) if free else None,
        tail=words.duration(rules.metering.tail),
    )


def _card(balance: Balance, now: float, rules: RuleSet) -> Card:
    nothing = balance.limit + balance.granted + balance.carried <= 0
    changes = (
        None
        if balance.resets_at is None or nothing
        else words.moment(balance.resets_at, now, rules.zone)
    )
    spending = [rule for rule in rules.rules if rule.allowance == balance.allowance]
    observed = bool(spending) and all(rule.observes for rule in spending)
    return Card(words.label(balance.allowance), bar(balance), changes, observed, nothing)


def _row(visit: Visit, now: float, rules: RuleSet) -> VisitView:
    platform = rules.platforms.get(visit.platform)
    return VisitView(
        platform=platform.title if platform else words.label(visit.platform),
        section=words.label(visit.section) if visit.section else None,
        start=words.time_of_day(visit.start, rules.zone),
        end="now" if visit.end >= now else words.time_of_day(visit.end, rules.zone),
        length=words.duration(visit.end - visit.start),
        charged=words.label(visit.allowance) if visit.allowance else None,
        rule=visit.rule,
        key=visit.id,
        estimated=is_estimated(visit.evidence),
        why=evidence.sentences(visit, now, rules.zone),
    )


def _timeline(visits: Sequence[Visit], now: float, zone: ZoneInfo) -> DayTimeline:
    start = _full_hour(visits[0].start, zone)
    end = max(now, *(visit.end for visit in visits))
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
        width = max(
            4.0, 1000 * (visit.end - visit.start) / length
        )  # even the shortest visit stays visible
        yield TimelineSegment(
            round(x, 1), round(min(width, 1000 - x), 1), visit.allowance is not None
        )


def _full_hour(instant: float, zone: ZoneInfo) -> float:
    """The last full hour on the wall clock at or before `instant`."""
    offset = datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset()
    shift = offset.total_seconds() if offset else 0.0
    return math.floor((instant + shift) / _HOUR) * _HOUR - shift
