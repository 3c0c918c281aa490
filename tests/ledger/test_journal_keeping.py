"""`proxy_addon/ledger/journal_keeping.py`; with the writer in test_writer_journal_edges.py."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_keeping import JournalKeeping
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.pending import PendingVisits
from tests.ledger.writers import visit


def test_what_could_not_be_kept_is_kept_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each of several stores; what the ledger has is in none of them, nor in the journal."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    stores = PendingVisits(9), PendingVisits(9)
    for number, store in enumerate(stores):
        store.put(visit(number))
    journal = Journal(tmp_path, "a", JournalOwner("place"))
    keeping = JournalKeeping(journal)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        keeping.keep(*stores)
    assert (journal.held, keeping.failed) == (0, 2)
    assert keeping.message == "the journal cannot be written: No space left on device"
    keeping.keep(*stores)
    assert (journal.held, keeping.message) == (2, None)
    keeping.settle([visit(0), visit(1)], *stores)
    assert (journal.held, len(stores[0]), len(stores[1])) == (0, 0, 0)
    journal.close()


def test_without_a_journal() -> None:
    """What waits stays in memory."""
    store = PendingVisits(9)
    store.put(visit(0))
    keeping = JournalKeeping(None)
    keeping.keep(store)
    assert len(store) == 1
    keeping.settle([visit(0)], store)
    assert (len(store), keeping.message) == (0, None)
