"""`proxy_addon/ledger/writer_state.py`: how the ledger is doing, until the first contact and after
it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError, LedgerUnavailable
from proxy_addon.ledger.writer import (
    BATCH,
    LONGEST_WAIT,
    LONGEST_WAIT_TO_JOIN,
    NOT_YET,
    STUCK_AFTER,
    Writer,
)
from proxy_addon.ledger.writer_state import WriterState
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.test_writer_edges import CountingLedger, waiting
from tests.ledger.writers import Stopwatch, make, visit


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The stopwatch that the writer reads."""
    stopwatch = Stopwatch()
    monkeypatch.setattr("proxy_addon.ledger.writer.timer", stopwatch)
    return stopwatch


class Contact:
    """Fails until it is told not to."""

    def __init__(self) -> None:
        self.problem: LedgerError | None = LedgerUnavailable("not there", kind="unreachable")
        self.is_made = False
        self.tries = 0

    def __call__(self) -> float | None:
        """See Writer."""
        self.tries += 1
        if self.problem is not None:
            raise self.problem
        cursor, self.is_made = None if self.is_made else 0.0, True
        return cursor


def test_it_is_down_until_the_first_contact() -> None:
    """Nothing is written or read before it, however often; then all that waited is, and only then
    a failure waits as long as any other."""
    contact, ledger = Contact(), MemoryLedger()
    writer: Writer = make(ledger, contact=contact, flush_seconds=1.0)
    assert (writer.state().up, writer.state().message) == (False, NOT_YET)
    assert writer.state().away_since is not None
    assert writer.join() is contact.problem
    assert writer.state().message == "not there"
    writer.put(visit(1))
    for _ in range(6):
        assert not writer.flush_now()
    assert writer._pause() == LONGEST_WAIT_TO_JOIN
    assert list(ledger.visits(0.0)) == []
    contact.problem = None
    assert writer.join() is None
    assert writer.state().up and writer.state().away_since is None
    assert writer.flush_now()
    assert list(ledger.visits(0.0)) == [visit(1)]
    writer._failures = 9
    assert writer._pause() == LONGEST_WAIT


def test_a_slow_ledger_is_not_away(watch: Stopwatch) -> None:
    """Commits of two seconds, several of them in one flush, and a slow question after them: each
    has an answer, so nothing is stuck, however long all of it takes."""
    states: list[WriterState] = []

    class Looking(CountingLedger):
        def write_visits(self, visits: Sequence[Visit]) -> None:
            super().write_visits(visits)
            states.append(writer.state())

    ledger = Looking(watch)
    ledger.busy = ledger.reading = 2.0
    writer = waiting(ledger)
    for number in range(3 * BATCH):
        writer.put(visit(number))
    assert writer.flush_now()
    assert watch.at >= 8.0 and len(states) >= 3
    assert all(state.up and not state.is_silent for state in [*states, writer.state()])
    assert writer.state().answered_at == watch.at


def test_a_ledger_is_silent_until_it_answers(watch: Stopwatch) -> None:
    """A call that failed only after long, as a connection to a server that hangs does, leaves it
    silent also between two tries; a failure that comes at once does not."""
    ledger = CountingLedger(watch, LedgerUnavailable("timeout expired", kind="unreachable"))
    writer = waiting(ledger)
    assert not writer.flush_now()
    assert (writer.state().up, writer.state().is_silent) == (False, False)
    ledger.busy = STUCK_AFTER + 0.1
    assert not writer.flush_now()
    assert (writer.state().up, writer.state().is_silent) == (False, True)
    assert writer.state().answered_at is None
    ledger.busy, ledger.fails = 0.0, None
    assert writer.flush_now()
    assert (writer.state().up, writer.state().is_silent) == (True, False)
