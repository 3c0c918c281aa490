"""Runs planned tests on a virtual clock, through the enforcer that the proxy runs.

A visit is traffic: pages that a person opens one after the other, each let through or stopped by
the enforcer and charged by the real clock. So that a visit of ten minutes is charged ten minutes,
and `left` is exact to the second also in the middle of it, pages are opened not only as often as a
reader opens them but also

* when a step of the test happens, just before it;
* just before the rule may change, and when the allowance may run out;
* so shortly before the end that the tail of the clock ends there. What is still open then is
  closed.

Nothing here decides or charges anything.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from proxy_addon.core.catalogue import Hit
from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.rules.problems import Place
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Decision, Grant, Person, Visit
from proxy_addon.metering.assembly import assemble
from proxy_addon.metering.flight import Asked, Flight
from proxy_addon.rule_tests.coverage import Coverage, Reached
from proxy_addon.rule_tests.loader import read_tests
from proxy_addon.rule_tests.plan import DayStep, Given, Opens, Plan, Visits
from proxy_addon.rule_tests.problems import Problem
from proxy_addon.rules.lookup import UrlLookup, person_of, refused

PAGE_EVERY = (
    120.0  # seconds at most between two pages of a visit; the clock charges the reading in between
)
SHORTEST = 0.05  # seconds between two looks at an allowance that is nearly used up
JUST_BEFORE = 0.001  # seconds before a rule changes at which the last page under it is opened
EXACT = 0.5  # seconds: lengths and times in tests are to the second


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an answer that is not what the test expects; lengths in seconds, times as
    instants."""

    place: Place
    step: DayStep
    field: str
    expected: object
    got: object
    decision: Decision


@dataclass(frozen=True, slots=True)
class RuleTestOutcome:
    """The result of one test."""

    plan: Plan
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """True when every answer was what the test expects."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Run:
    """The results of all tests, in the order of the files; `coverage` is that of the tests that
    ran."""

    rules: RuleSet
    outcomes: tuple[RuleTestOutcome, ...]
    problems: tuple[Problem, ...]
    coverage: Coverage

    @property
    def ok(self) -> bool:
        """True when all files can be read and all tests passed."""
        return not self.problems and all(outcome.passed for outcome in self.outcomes)


def run_folder(folder: Path, rules: RuleSet) -> Run:
    """Run all tests below a rules folder against a rule set (which need not be that folder's)."""
    machine = CompiledPolicy.of(rules)
    tests = read_tests(folder, machine)
    return run_plans(machine, tests.plans, tests.problems)


def run_plans(
    machine: CompiledPolicy, plans: Iterable[Plan], problems: tuple[Problem, ...] = ()
) -> Run:
    """Run tests that were read before."""
    reached = Reached(machine.engine)
    outcomes = tuple(run(machine, plan, reached) for plan in plans)
    return Run(machine.rules, outcomes, problems, reached.coverage())


def run(machine: CompiledPolicy, plan: Plan, reached: Reached) -> RuleTestOutcome:
    """Run one test."""
    day = _Day(machine, plan, reached)
    differences = [one for step in plan.steps for one in day.take(step)]
    day.go_on_until(math.inf)
    return RuleTestOutcome(plan, tuple(differences))


@dataclass(slots=True)
class _Visit:
    """A visit under way: who, where, when the next page is opened (an instant), and what is still
    open."""

    person: Person
    exchange: Exchange
    hit: Hit
    end: float
    next: float
    flight: Flight | None = None
    seen: tuple[str | None, float | None] = ("", None)


class _Day:
    """The proxy of one test, and the people in front of it."""

    def __init__(self, machine: CompiledPolicy, plan: Plan, reached: Reached) -> None:
        self._machine = machine
        self._plan = plan
        self._reached = reached
        self._written: dict[str, Visit] = {}
        self._grants: list[Grant] = []
        self._going: list[_Visit] = []
        self._ids = itertools.count(1)
        metering = machine.rules.metering
        self._tail = metering.tail
        self._pace = max(1.0, min(PAGE_EVERY, 0.9 * max(metering.navigation_gap, metering.tail)))
        self._start_proxy()

    def _start_proxy(self) -> None:
        """A proxy that knows what the ledger holds, and nothing else."""
        metering = assemble(self._machine, self._write, lambda: f"v{next(self._ids)}", "test")
        self._book, self._attention, self._enforcer = metering
        self._book.load(self._written.values(), self._grants)

    def _write(self, visit: Visit) -> None:
        self._written[visit.id] = visit

    def _person(self, user: str, at: float) -> Person | None:
        roles = self._plan.people.get(user)
        return person_of(self._machine.engine, user, at) if roles is None else Person(user, roles)

    def take(self, step: DayStep) -> Iterable[Difference]:
        """Let everything happen that comes before a step, then the step."""
        self.go_on_until(step.at)
        self._click(step.at)
        does = step.does
        if isinstance(does, Opens):
            return self._opens(step, does)
        if isinstance(does, Visits):
            self._visits(step, does)
        elif isinstance(does, Given):
            self._grant(step, does)
        else:
            self._restart(step.at)
        return ()

    # -- visits

    def _visits(self, step: DayStep, does: Visits) -> None:
        person, hit = self._person(step.user, step.at), does.address.hit
        if person is None or hit is None or hit.platform not in self._machine.rules.limited:
            return  # nobody measures this
        visit = _Visit(person, _page(does.address), hit, step.at + does.seconds, step.at)
        self._going.append(visit)
        self._open_page(visit, step.at)

    def go_on_until(self, at: float) -> None:
        """Open the pages that running visits open up to an instant, and end those that end by
        then."""
        while self._going:
            soonest = min(self._going, key=lambda visit: visit.next)
            if soonest.next > at:
                return
            if soonest.next >= soonest.end:
                self._end(soonest)
            else:
                self._open_page(soonest, soonest.next)

    def _click(self, at: float) -> None:
        """Everybody who is on a platform opens a page now."""
        for visit in self._going:
            self._open_page(visit, at)

    def _open_page(self, visit: _Visit, at: float) -> None:
        asked = self._ask(visit.person, visit.exchange, visit.hit, at)
        decision = asked.decision
        if (decision.rule, decision.until) != visit.seen:
            visit.seen = (decision.rule, decision.until)
            self._reached.note(visit.person, decision, at)
        if asked.flight is None:
            self._stopped(visit, at)
        else:
            self._enforcer.finished(asked.flight, 200, "text/html", 50_000, 0.3)
            self._close(visit)
            visit.flight = asked.flight
        visit.next = self._next(visit, decision, at)

    def _ask(self, person: Person, exchange: Exchange, hit: Hit, at: float) -> Asked:
        asked = self._enforcer.ask(person, exchange, hit, at)
        if asked.notice is not None:  # the person reads the heads-up and goes on
            asked = self._enforcer.ask(person, exchange, hit, at)
        return asked

    def _stopped(self, visit: _Visit, at: float) -> None:
        """Time was up, or a rule began to block: the proxy cuts what is running."""
        for due in self._enforcer.due(at):
            self._enforcer.closed(due.flight)
        self._close(visit)

    def _next(self, visit: _Visit, decision: Decision, at: float) -> float:
        """When the person opens the next page; the end of the visit when none comes before it."""
        last = visit.end - self._tail  # the clock's tail goes on to the end
        until = math.inf if decision.until is None else decision.until
        if decision.blocks:
            return min(visit.end, until)
        soonest = at + self._pace
        if (
            decision.left is not None and decision.would is None
        ):  # what is only observed stops nobody
            soonest = min(soonest, at + max(SHORTEST, decision.left))
        if until <= soonest:
            soonest = until - JUST_BEFORE if until - JUST_BEFORE > at else until
        return min(soonest, last if at < last else visit.end)

    def _end(self, visit: _Visit) -> None:
        """The person closes the page; what they have open elsewhere goes on."""
        self._going.remove(visit)
        self._close(visit)
        person, platform = visit.person, visit.hit.platform
        self._attention.stop(self._machine.engine, person, platform, visit.end)
        for other in self._going:
            if (other.person.name, other.hit.platform) == (
                person.name,
                platform,
            ) and other.end > visit.end:
                self._open_page(other, visit.end)

    def _close(self, visit: _Visit) -> None:
        if visit.flight is not None:
            self._enforcer.closed(visit.flight)
            visit.flight = None

    # -- the other steps

    def _opens(self, step: DayStep, does: Opens) -> Iterable[Difference]:
        decision = self._decision(step, does)
        for field, expected in does.expect:
            got = getattr(decision, field)
            if not _same(expected, got):
                yield Difference(step.place, step, field, expected, got, decision)

    def _decision(self, step: DayStep, does: Opens) -> Decision:
        """The answer of the proxy; looking costs nothing."""
        person, address = self._person(step.user, step.at), does.address
        if person is None:
            return refused(self._machine.engine, address.target)
        if address.hit is None or address.hit.platform not in self._machine.rules.limited:
            usage = self._book.of(person.name)
            return self._machine.engine.decide(person, address.target, usage, step.at)
        asked = self._ask(person, _page(address), address.hit, step.at)
        if asked.flight is not None:
            self._enforcer.closed(asked.flight)
        self._reached.note(person, asked.decision, step.at)
        return asked.decision

    def _grant(self, step: DayStep, does: Given) -> None:
        person = self._person(step.user, step.at)
        if person is None:
            return
        ends = does.until
        if ends is None:
            ends = self._machine.engine.grant_expiry(person, does.allowance, step.at)
        grant = Grant(
            f"g{next(self._ids)}",
            person.name,
            does.allowance,
            does.seconds,
            does.reason,
            "test",
            step.at,
            ends,
        )
        self._grants.append(grant)
        self._book.load((), (grant,))
        self._click(step.at)

    def _restart(self, at: float) -> None:
        """What was open ends with the process; people go on as soon as there is a new one."""
        for visit in self._going:
            self._close(visit)
            self._attention.stop(self._machine.engine, visit.person, visit.hit.platform, at)
        self._start_proxy()
        self._click(at)


def _page(address: UrlLookup) -> Exchange:
    """A page that a person opens, as a browser asks for it."""
    return Exchange(
        "GET",
        address.host,
        address.path,
        "document",
        "navigate",
        "none",
        gesture=True,
        accept="text/html",
    )


def _same(expected: object, got: object) -> bool:
    if isinstance(expected, float) and isinstance(got, float):
        return abs(expected - got) < EXACT
    return expected == got
