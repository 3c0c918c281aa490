"""Rows of the ledger for use of which it is not certain yet that it will be charged, in case this
process dies before that is known.

A body counts as a stream after two seconds, a tunnel is judged by the bytes of five, a page is
known with the head of its answer, and a small load needs another one. Until then a crash would
take all of it along. So a look each quarter of a second writes what would be charged, if it went
on like this, to the ledger, and to the ledger only: balances, decisions and metrics know nothing
of it. As soon as the clock runs, its visit takes over the row; what turns out not to count is
written again as an empty row, which the next one of that person and platform takes over. What a
visit covers already needs nothing. Event loop only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from proxy_addon.core.metering.activity import Evidence, Judgement, PageMemory, classify
from proxy_addon.core.metering.timeline import Stretch
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Person, Target
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.visit_writer import RowKey, VisitWriter

AHEAD = 2.0  # seconds; what is charged until so long from now needs no provisional row
WINDOW = 3.0  # seconds over which bytes are counted, then from zero again
WEAK_SECONDS = 3.0  # seconds for which a load that needs another one is held to be use
KEPT = 5.0  # seconds after which a row that nothing has extended is withdrawn
LONGEST_PAUSE = 5.0  # seconds between two looks; the clock was set, or the machine slept
REPORT_EVERY = 2  # looks between two in which relayed tunnels tell what has passed

_FILMS = frozenset({"video", "audio"})


class _Passed:
    """The bytes of a flight since an instant."""

    __slots__ = ("base", "since")

    def __init__(self, since: float) -> None:
        self.since, self.base = since, 0

    def again(self, flight: Flight, now: float) -> None:
        """Count from now on."""
        self.since, self.base = now, flight.total


class _Weak(NamedTuple):
    """Loads that have opened nothing so far: the instants of the first and the last."""

    person: Person
    evidence: Evidence
    first: float
    last: float


class ProvisionalVisits:
    """The provisional rows of one proxy."""

    def __init__(self, writer: VisitWriter, covered_until: Callable[[str, Target], float]) -> None:
        """`covered_until`: the instant until which a person is charged for a target already."""
        self._writer = writer
        self._covered_until = covered_until
        self._watched: dict[Flight, _Passed] = {}
        self._weak: dict[RowKey, _Weak] = {}
        self._open: dict[RowKey, Person] = {}  # whose rows are not empty
        self._looked = math.inf
        self._looks = 0

    def watch(self, flight: Flight) -> None:
        """A flight has begun."""
        self._watched[flight] = _Passed(flight.at)

    def forget(self, flight: Flight) -> None:
        """It is over. May be called twice."""
        self._watched.pop(flight, None)

    def weak(
        self, person: Person, target: Target, evidence: Evidence, first: float, last: float
    ) -> None:
        """Loads, the first and the last at these instants, count if another one follows."""
        self._weak[(person.name, *target)] = _Weak(person, evidence, first, last)

    def look(self, engine: Engine, now: float) -> None:
        """Bring the rows up to date; a few times a second."""
        paused, self._looked = now - self._looked > LONGEST_PAUSE, now
        self._looks += 1
        reports = self._looks % REPORT_EVERY == 0
        for flight, passed in list(self._watched.items()):
            if reports and flight.report is not None:
                flight.report()
            if flight.kind == "websocket":  # its messages are charged at once
                del self._watched[flight]
            elif paused or self._covered_until(flight.person.name, flight.target) >= now + AHEAD:
                passed.again(flight, now)
            elif (evidence := _evidence(flight, passed, engine, now)) is not None:
                self._extend(engine, flight.person, flight.target, evidence, passed.since, now)
                if now - passed.since > WINDOW:
                    passed.again(flight, now)
        for key, weak in list(self._weak.items()):
            target = Target(*key[1:])
            if now - weak.last > WEAK_SECONDS or paused:
                del self._weak[key]
            elif self._covered_until(weak.person.name, target) < now + AHEAD:
                self._extend(engine, weak.person, target, weak.evidence, weak.first, now)
        for key, person in list(self._open.items()):
            end = self._writer.provisional_end(key)
            if end is None:  # a visit took the row over
                del self._open[key]
            elif now - end > KEPT or self._covered_until(person.name, Target(*key[1:])) >= end:
                self._withdraw(key, person)

    def withdraw_all(self) -> None:
        """This process ends in an orderly way: nothing is left that it was not certain of."""
        for key, person in list(self._open.items()):
            self._withdraw(key, person)
        self._watched.clear()
        self._weak.clear()

    def drop(self, person: str) -> None:
        """Forget one person's rows: the ledger has erased them."""
        for key in [key for key in (*self._open, *self._weak) if key[0] == person]:
            self._open.pop(key, None)
            self._weak.pop(key, None)
        self._writer.drop_provisional(person)

    def _extend(
        self,
        engine: Engine,
        person: Person,
        target: Target,
        evidence: Evidence,
        since: float,
        now: float,
    ) -> None:
        if target.platform not in engine.rule_set.limited:
            return
        stretch = Stretch(0, since, now, target.section, evidence, evidence)
        pieces = self._writer.pieces(engine, person, target.platform, stretch)
        if pieces:
            self._writer.write_provisional(person, target.platform, pieces[-1], evidence)
            self._open[(person.name, *target)] = person

    def _withdraw(self, key: RowKey, person: Person) -> None:
        self._writer.withdraw_provisional(key, person)
        self._open.pop(key, None)


def _evidence(flight: Flight, passed: _Passed, engine: Engine, now: float) -> Evidence | None:
    """What makes it likely that this flight is being charged, or will be, since `passed.since`."""
    judgement = _judged(flight) if flight.kind == "http" else None
    if flight.kind == "http":
        if judgement is None or not judgement.activity.counts:
            return None
        if not flight.key and _is_awaited(flight, judgement):
            return judgement.evidence
    elif flight.ending is not None and not flight.ending.charged:
        return None
    size, elapsed = flight.total - passed.base, now - passed.since
    if size > 0 and size >= engine.rule_set.metering.busy_rate * elapsed:
        if judgement is not None:
            return Evidence.MEDIA_STREAM
        return Evidence.ESTIMATED if flight.estimated else Evidence.BUSY_TUNNEL
    if size == 0 or elapsed > WINDOW:
        passed.again(flight, now)
    return None


def _judged(flight: Flight) -> Judgement | None:
    """What a request is, as far as is known before its answer is here."""
    if flight.judgement is not None or flight.x is None or flight.hit is None:
        return flight.judgement
    return classify(flight.x, flight.hit, flight.page, PageMemory(), flight.at)


def _is_awaited(flight: Flight, judgement: Judgement) -> bool:
    """Whether somebody waits for this answer. Not so for what scripts ask for: many of them let a
    request wait until there is news."""
    film = flight.x is not None and flight.x.dest in _FILMS
    return film or judgement.evidence is Evidence.PAGE_OPENED
