"""What falls due: never later than a look at everything would find it, and hardly more often."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.types import Grant, Person, Target, Visit
from proxy_addon.metering.check_schedule import PORTION, RETRY, CheckSchedule
from proxy_addon.metering.flight import Flight
from proxy_addon.metering.usage_book import UsageBook
from tests.metering.two_platforms import START, small_allowance
from tests.shell import Shell

M, H = 60.0, 3600.0
DORA, X = Person("dora", ("staff",)), Target("x")


def visit(number: int, start: float, end: float, rev: int = 1, allowance: str = "a") -> Visit:
    """A visit of dora's that some proxy wrote."""
    return Visit(f"v{number}", "dora", "x", None, allowance, "Little", start, end, "other", rev)


def watched(at: float, now: float = START) -> tuple[CheckSchedule, UsageBook]:
    """One thing that dora runs, to be checked at an instant."""
    schedule, book = CheckSchedule(), UsageBook()
    schedule.begin((DORA, X), book.of("dora"), at, now)
    return schedule, book


def test_due_at_its_instant() -> None:
    """Not before, once then, and after a second again when nobody has scheduled it."""
    schedule, _ = watched(START + 10)
    assert list(schedule.due(START + 9.9)) == []
    assert list(schedule.due(START + 10)) == [(DORA, X)]
    assert list(schedule.due(START + 10 + RETRY / 2)) == []
    assert list(schedule.due(START + 10 + RETRY)) == [(DORA, X)]


def test_time_of_before_the_last_check_brings_it_forward() -> None:
    """Four seconds that were not known at the check are missing at its end."""
    schedule, book = watched(START + 10)
    book.of("dora").apply(visit(1, START - 4, START + 3))
    assert list(schedule.due(START + 5.9)) == []
    assert list(schedule.due(START + 6)) == [(DORA, X)]


def test_time_of_after_the_last_check_was_expected() -> None:
    """Using every second is what the instant was computed with."""
    schedule, book = watched(START + 10)
    for second in range(1, 9):
        book.of("dora").apply(visit(1, START, START + second, rev=second))
    assert list(schedule.due(START + 9.9)) == []


def test_a_grant_is_looked_at_at_once() -> None:
    """And so is whatever else only a decision can judge."""
    schedule, book = watched(math.inf)
    grant = Grant("g", "dora", "a", 60.0, "why", "lead", START, START + H)
    book.of("dora").grant(grant)
    assert list(schedule.due(START)) == [(DORA, X)]


def test_a_ledger_that_is_back_is_looked_at() -> None:
    """Who came while it was away was decided without their balance."""
    schedule, book = CheckSchedule(), UsageBook()
    book.ledger_away(True)
    schedule.begin((DORA, X), book.of("dora"), math.inf, START)
    assert list(schedule.due(START)) == []
    book.ledger_away(False)
    assert list(schedule.due(START)) == [(DORA, X)]


def test_changes_for_all_come_in_portions() -> None:
    """After new rules no look decides about more than a portion."""
    schedule, book = CheckSchedule(), UsageBook()
    many = [(Person(f"p{i}", ("staff",)), X) for i in range(PORTION + 7)]
    for each in many:
        schedule.begin(each, book.of(each[0].name), math.inf, START)
    schedule.again(many)
    schedule.again(many)
    assert list(schedule.due(START)) == many[:PORTION]
    assert list(schedule.due(START + 0.25)) == many[PORTION:]


def test_the_heap_does_not_grow_with_what_is_out_of_date() -> None:
    """A hundred thousand changes of one instant leave a bounded heap."""
    schedule, book = watched(START + 1e6)
    for i in range(100_000):
        schedule.go_on((DORA, X), book.of("dora"), START + 1e6 + i, START)
    assert len(schedule._heap) < 3_000
    assert list(schedule.due(START + 2e6)) == [(DORA, X)]


def test_what_has_ended_and_can_never_change_is_forgotten() -> None:
    """Free platforms of thousands of people leave nothing behind."""
    schedule, book = watched(math.inf)
    schedule.end((DORA, X), book.of("dora"))
    assert len(schedule) == 0


class AgainstALookAtEverything(RuleBasedStateMachine):
    """Random use, grants, news from other proxies and new rules: with each look everything that a
    decision about all would end is ended, and nothing else."""

    @initialize(limit=st.sampled_from([20.0, 90.0, 5 * M]))
    def begin(self, limit: float) -> None:
        """An office with one small allowance."""
        self.rules = small_allowance(limit)
        self.shell = Shell(self.rules)
        self.now = START
        self.number = 0
        self.running: list[Flight] = []

    @rule(platform=st.sampled_from(["x", "facebook"]), who=st.sampled_from(["dora", "emil"]))
    def open(self, platform: str, who: str) -> None:
        """A tunnel begins, if it may."""
        enforcer = self.shell.enforcer
        asked = enforcer.tunnel(enforcer.person(who, None, self.now), platform, self.now)
        if asked.flight is not None:
            self.running.append(asked.flight)

    @rule(seconds=st.sampled_from([0.25, 1.0, 6.0, 20.0, 100.0]), busy=st.booleans())
    def wait(self, seconds: float, busy: bool) -> None:
        """Time passes, and bytes pass in what runs."""
        self.now += seconds
        for flight in self.running:
            self.shell.enforcer.tunnel_bytes(flight, 10**8 if busy else 10, self.now)

    @rule(back=st.sampled_from([0.0, 3.0, 30.0]), length=st.sampled_from([1.0, 10.0, 40.0]))
    def news(self, back: float, length: float) -> None:
        """Another proxy wrote what dora used there."""
        self.number += 1
        start = self.now - back - length
        self.shell.book.load([visit(self.number, start, self.now - back)], [])

    @rule(seconds=st.sampled_from([5.0, 60.0]), lasts=st.sampled_from([2.0, 30.0, H]))
    def granted(self, seconds: float, lasts: float) -> None:
        """Somebody gives dora a little, for a while."""
        self.number += 1
        until = self.now + lasts
        grant = Grant(f"g{self.number}", "dora", "a", seconds, "why", "lead", self.now, until)
        self.shell.book.load([], [grant])

    @rule(limit=st.sampled_from([20.0, 45.0, 5 * M]))
    def swap(self, limit: float) -> None:
        """Other rules come into force."""
        rules = replace(small_allowance(limit), digest=str(self.number))
        self.shell.enforcer.swap(CompiledPolicy.of(rules), self.now)

    @rule()
    def close(self) -> None:
        """The oldest tunnel ends by itself."""
        if self.running:
            self.shell.enforcer.closed(self.running.pop(0))

    @invariant()
    def a_look_ends_what_all_decisions_would(self) -> None:
        """Compared with a decision about each of them."""
        if not hasattr(self, "shell"):
            return
        enforcer, book = self.shell.enforcer, self.shell.book
        due = {each.flight for each in enforcer.due(self.now)}
        for flight in due:
            enforcer.closed(flight)
        for flight in self.running:
            usage = book.of(flight.person.name)
            decided = enforcer.engine.decide(flight.person, flight.target, usage, self.now)
            assert decided.blocks == (flight in due)
        self.running = [flight for flight in self.running if flight not in due]


TestAgainstALookAtEverything = AgainstALookAtEverything.TestCase
TestAgainstALookAtEverything.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
