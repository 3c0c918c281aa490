"""`proxy_addon/ledger/writer_state.py`: how the ledger is doing, until the first contact and after
it."""

from __future__ import annotations

from proxy_addon.ledger.interface import LedgerError, LedgerUnavailable
from proxy_addon.ledger.writer import LONGEST_WAIT, LONGEST_WAIT_TO_JOIN, NOT_YET, Writer
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.writers import make, visit


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
