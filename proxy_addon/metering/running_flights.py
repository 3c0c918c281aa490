"""Everything that runs, by person and target, each with the instant of its next check."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from proxy_addon.core.audience import keep
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.next_refusal import earliest_refusal
from proxy_addon.core.types import Decision, Person
from proxy_addon.metering.check_schedule import CheckSchedule, Running
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.usage_book import PersonUsage, UsageBook

_MOST = 20_000  # decisions whose end is remembered; beyond that all are forgotten


class _Holds(NamedTuple):
    """Until when a decision cannot become a refusal, an instant, as it was when `entered` seconds
    of this usage had been entered."""

    decision: Decision
    usage: PersonUsage
    until: float
    entered: float


class RunningFlights:
    """The flights of one proxy. Event loop only."""

    def __init__(self, book: UsageBook) -> None:
        self._book = book
        self._flights: dict[Running, set[Flight]] = {}
        self._schedule = CheckSchedule()
        self._holds: dict[Running, _Holds] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, running: Running) -> bool:
        return running in self._flights

    def add(
        self,
        flight: Flight,
        engine: Engine,
        decision: Decision,
        until: float = math.inf,
    ) -> None:
        """A flight begins. `decision` lets it run: it was made just now, or it is the one of a
        moment ago, which still holds. Something else about it may change at `until`."""
        running = (flight.person, flight.target)
        flights = self._flights.get(running)
        if flights is not None:
            flights.add(flight)
            if until == math.inf:
                return
        else:
            self._flights[running] = {flight}
        usage = self._book.of(flight.person.name)
        at = min(until, self._holds_until(engine, running, decision, usage, flight.at))
        self._schedule.begin(running, usage, at, flight.at)

    def check(self, flight: Flight, now: float) -> None:
        """Decide about a flight with the next look, which was not watched until now."""
        running = (flight.person, flight.target)
        self._flights.setdefault(running, set()).add(flight)
        self._schedule.begin(running, self._book.of(flight.person.name), now, now)

    def _holds_until(
        self, engine: Engine, running: Running, decision: Decision, usage: PersonUsage, now: float
    ) -> float:
        """The instant until which a decision cannot become a refusal."""
        known = self._holds.get(running)
        if known is None or known.decision is not decision or known.usage is not usage:
            until = _until(engine, running, decision, usage, now)
            known = _Holds(decision, usage, until, usage.entered)
            keep(self._holds, running, known, _MOST)
        return known.until - (usage.entered - known.entered)

    def remove(self, flight: Flight) -> None:
        """A flight is over. May be called twice."""
        running = (flight.person, flight.target)
        flights = self._flights.get(running)
        if flights is None:
            return
        flights.discard(flight)
        if not flights:
            del self._flights[running]
            self._schedule.end(running, self._book.of(flight.person.name))

    def go_on(
        self,
        running: Running,
        engine: Engine,
        decision: Decision,
        now: float,
        until: float = math.inf,
    ) -> None:
        """What was due was decided at `now` and goes on: until the decision may change, or
        something else about it at `until`."""
        usage = self._book.of(running[0].name)
        at = min(until, _until(engine, running, decision, usage, now))
        self._schedule.go_on(running, usage, at, now)

    def reassign(self, who: Callable[[Flight], Person]) -> None:
        """Give every flight to the person that `who` names, and decide about all of them again."""
        before, self._flights = self._flights, {}
        for running, flights in before.items():
            self._schedule.end(running, self._book.of(running[0].name))
            for flight in flights:
                flight.person = who(flight)
                self._flights.setdefault((flight.person, flight.target), set()).add(flight)
        self.check_all()

    def check_all(self) -> None:
        """Decide about everything again, a portion with each look."""
        for running in self._flights:
            self._schedule.begin(running, self._book.of(running[0].name), math.inf, -math.inf)
        self._schedule.again(self._flights)

    def due(self, now: float) -> Iterator[tuple[Running, list[Flight]]]:
        """What has to be decided now. Whoever lets it run on calls `go_on`."""
        for running in self._schedule.due(now):
            flights = self._flights.get(running)
            if flights:
                yield running, list(flights)
            else:
                self._schedule.forget(running)


def _until(
    engine: Engine, running: Running, decision: Decision, usage: PersonUsage, now: float
) -> float:
    """The instant until which a decision that was made at `now` cannot become a refusal."""
    name = decision.allowance
    known = name is not None and name in engine.rule_set.allowances
    limits = engine.limits(running[0], name, now) if name is not None and known else ()
    return earliest_refusal(engine.rule_set, decision, limits, usage, now)
