"""`proxy_addon/runtime/housekeeping.py`: what is done again and again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerUnavailable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.metering.assembly import MeteringComponents, assemble, numbered
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.runtime import housekeeping
from proxy_addon.runtime.housekeeping import Heartbeat, JournalSweeper, RulesAudit
from proxy_addon.runtime.loop_handle import LoopHandle
from tests.ledger.memory_ledger import MemoryLedger
from tests.proxy.harness import NOON, ProxyHarness
from tests.virtual_clock import VirtualClock

OLD = NOON - 30 * 86_400.0


@pytest.fixture
def metering(tmp_path: Path) -> MeteringComponents:
    """By the rules of the proxy harness, on a clock that is moved."""
    harness = ProxyHarness(tmp_path)
    harness.close()
    return assemble(harness.rules, lambda _: None, numbered("v"), "here")


def used(at: float) -> Visit:
    """A minute of dora."""
    return Visit(f"u{at}", "dora", "x", None, "short", "A little every day", at - 60.0, at, "there")


def test_memory_is_given_back(
    metering: MeteringComponents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hour of the clock what no window reaches any more is forgotten, a few people in each
    tick; each tick is a sign of life."""
    monkeypatch.setattr(housekeeping, "FORGET_PEOPLE", 1)
    clock = VirtualClock(NOON)
    heart = Heartbeat(LoopHandle(), clock, metering, PrometheusMetrics())
    book, names = metering.book, ("dora", "emil", "fritz")
    for name in names:
        book.load([replace(used(at), id=f"{name}{at}", person=name) for at in (OLD, NOON)], ())
    clock.advance(housekeeping.FORGET_SECONDS - 1.0)
    heart.tick()
    assert heart.last_tick == NOON + housekeeping.FORGET_SECONDS - 1.0
    assert [len(book.of(name).visits) for name in names] == [2, 2, 2]
    for kept in ([1, 2, 2], [1, 1, 2], [1, 1, 1], [1, 1, 1]):
        clock.advance(1.0)
        heart.tick()
        assert [len(book.of(name).visits) for name in names] == kept
    assert list(book.of("dora").visits) == [f"dora{NOON}"]
    book.load([used(OLD)], ())
    heart._clock = VirtualClock(NOON - 3600.0)  # the clock was set back
    heart.tick()
    assert list(book.of("dora").visits) == [f"dora{NOON}"]


def test_a_journal_of_a_dead_process_is_swept_up(tmp_path: Path) -> None:
    """What it holds is in the ledger, its file is gone; one that lives is left alone."""
    ledger = MemoryLedger()
    sweeper = JournalSweeper(tmp_path / "journal", JournalOwner("database"), ledger)
    sweeper.take_over(warns=True)  # no folder yet
    left = Journal(tmp_path / "journal", "dead", JournalOwner("database"))
    left.add([used(NOON)])
    sweeper.sweep()
    assert list(ledger.visits(0.0)) == []
    left.close()
    sweeper.take_over()
    assert [visit.id for visit in ledger.visits(0.0)] == [f"u{NOON}"]


class FailsOnceLedger(MemoryLedger):
    """Takes the rules at the second attempt."""

    tries = 0

    def rules_in_force(self, digest: str, at: float, node: str) -> None:
        """Fails once."""
        self.tries += 1
        if self.tries == 1:
            raise LedgerUnavailable("away", kind="unreachable")


def test_rules_are_recorded_in_the_ledger_once(metering: MeteringComponents) -> None:
    """Until the ledger has taken them; then again only when others are in force."""
    ledger = FailsOnceLedger()
    audit = RulesAudit(ledger, VirtualClock(NOON), metering, "here", pseudonyms=False)
    for _ in range(4):
        audit.note()
    assert ledger.tries == 2
    other = replace(metering.enforcer.rules, digest="another")
    metering.enforcer.use(CompiledPolicy.of(other))
    audit.note()
    assert ledger.tries == 3
