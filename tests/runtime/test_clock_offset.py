"""Twin of proxy_addon/runtime/clock_offset.py: the clock of the server of the ledger is measured,
followed and told of."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from proxy_addon.ledger.interface import LedgerError
from proxy_addon.runtime.clock_offset import EVERY, SAMPLES, ClockOffset
from proxy_addon.system.clock import SLEW, SystemClock

START = 1_793_610_000.0
MESSAGES = (
    "the clock of this host differs from the ledger's",
    "the clock of this host agrees with the ledger's",
)


class Hosts:
    """This host, whose wall clock a test sets, and a server whose clock is right. A call takes
    `there` seconds one way and `back` the other."""

    def __init__(self, ahead: float) -> None:
        self.true, self.ahead = START, ahead  # of the server's clock, compared with this host's
        self.there = self.back = 0.01
        self.away = False
        self.asked = 0
        self.shown: list[float] = []
        self.steps: list[tuple[float, float]] = []
        self.system = SystemClock(
            on_step=lambda before, after: self.steps.append((before, after)),
            wall=lambda: self.read()[0],
            monotonic=lambda: self.read()[1],
        )
        self.offset = ClockOffset(self, self.system, self.shown.append, self.read)

    def read(self) -> tuple[float, float]:
        return self.true - self.ahead, self.true - START + 5.0

    def clock(self) -> float | None:
        self.asked += 1
        self.true += self.there
        told = self.true
        self.true += self.back
        if self.away:
            raise LedgerError("it is away", kind="unreachable")
        return told

    def run(self, seconds: float) -> None:
        """Time passes, with a look each second."""
        for _ in range(round(seconds)):
            self.true += 1.0
            before = self.system.now()
            self.offset.look()
            assert self.system.now() >= before


@pytest.mark.parametrize("ahead", [90.0, -90.0, 0.0])
def test_the_first_measure_counts_at_once(ahead: float) -> None:
    """In both directions, and nothing is told of as a clock that was set."""
    hosts = Hosts(ahead)
    hosts.offset.begin()
    assert hosts.system.now() == pytest.approx(hosts.true, abs=0.01)
    assert hosts.shown == [pytest.approx(ahead, abs=0.01)]
    hosts.run(600)
    assert hosts.system.now() == pytest.approx(hosts.true, abs=0.01)
    assert hosts.steps == []


def test_a_server_on_this_host_changes_nothing() -> None:
    """SQLite has no clock of its own."""
    hosts = Hosts(90.0)
    hosts.clock = lambda: None  # type: ignore[method-assign]
    hosts.offset.begin()
    hosts.run(30)
    assert hosts.system.now() == hosts.read()[0]
    assert hosts.shown == []


def test_it_is_asked_seldom() -> None:
    """One question with a flush until there are enough, then one every some seconds."""
    hosts = Hosts(0.0)
    hosts.offset.begin()
    hosts.run(100)
    assert hosts.asked <= SAMPLES + 100 / EVERY + 1


def test_a_slow_answer_does_not_count() -> None:
    """One way may take longer than the other: one such answer moves nothing."""
    hosts = Hosts(0.0)
    hosts.offset.begin()
    hosts.run(10)
    hosts.there = 0.8
    hosts.run(EVERY)
    hosts.there = 0.01
    hosts.run(100)
    assert hosts.offset.seconds == pytest.approx(0.0, abs=0.01)
    hosts.there = 60.0
    hosts.run(EVERY)
    assert hosts.offset.seconds == pytest.approx(0.0, abs=0.01)


def test_a_wall_clock_that_is_set_meanwhile_changes_nothing() -> None:
    """The server's clock goes on evenly, and so do we; what is shown follows."""
    hosts = Hosts(90.0)
    hosts.offset.begin()
    hosts.run(20)
    hosts.ahead = 0.0  # NTP has put this host right
    hosts.run(3)
    assert hosts.system.now() == pytest.approx(hosts.true, abs=0.01)
    hosts.run(60)
    assert hosts.shown[-1] == pytest.approx(0.0, abs=0.01)
    assert hosts.steps == []


def test_the_last_offset_holds_while_the_ledger_is_away() -> None:
    """Also when it was away from the start: then it is followed as soon as it answers."""
    hosts = Hosts(90.0)
    hosts.offset.begin()
    hosts.away = True
    hosts.run(120)
    assert hosts.system.now() == pytest.approx(hosts.true, abs=0.01)
    late = Hosts(90.0)
    late.away = True
    late.offset.begin()
    late.run(5)
    assert late.system.now() == pytest.approx(late.true - 90.0, abs=0.01)
    late.away = False
    late.run(3)
    assert late.system.now() == pytest.approx(late.true, abs=0.01)
    assert len(late.steps) == 1  # nobody is charged for it


def test_a_server_that_is_set_back_is_followed_slowly() -> None:
    """Time never runs backwards here."""
    hosts = Hosts(0.0)
    hosts.offset.begin()
    hosts.run(20)
    began, told = hosts.true, hosts.system.now()
    hosts.clock = lambda: hosts.true - 30.0  # type: ignore[method-assign]
    hosts.run(100)
    passed = hosts.true - began
    assert hosts.system.now() - told == pytest.approx(passed * (1.0 - SLEW), abs=1.5)


def test_a_difference_is_told_of_once() -> None:
    """And its end."""
    hosts = Hosts(90.0)
    with capture_logs() as lines:
        hosts.offset.begin()
        hosts.run(60)
        hosts.ahead = 0.2
        hosts.run(90)
    said = [line for line in lines if line["event"] in MESSAGES]
    assert [line["event"] for line in said] == list(MESSAGES)
    assert said[0]["seconds"] == pytest.approx(90.0)
    assert "NTP" in said[0]["hint"]
