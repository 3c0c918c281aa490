"""What waits for the ledger goes to the journal, whatever the journal's disk does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.pending import PendingVisits

log = structlog.get_logger("allowance.ledger")


class JournalKeeping:
    """Between memory and a journal, if there is one. Safe to call from several threads; waits for
    the disk."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._keeping = threading.Lock()  # what is settled must not come back
        self.failed = 0  # times a visit could not be kept
        self.message: str | None = None  # why the journal cannot be written

    def keep(self, *stores: PendingVisits) -> None:
        """Put into the journal what it does not have yet. What fails is fresh again."""
        if self._journal is None:
            return
        with self._keeping:
            fresh = [store.take_fresh() for store in stores]
            with self._disk():
                self._journal.add(chain.from_iterable(fresh))
                return
            for store, visits in zip(stores, fresh, strict=True):
                store.give_back(visits)  # again in a moment
            self.failed += sum(map(len, fresh))

    def settle(self, written: Sequence[Visit], *stores: PendingVisits) -> None:
        """The ledger has these: they need not wait, nor be kept."""
        with self._keeping:
            for store in stores:
                store.forget(written)
            if self._journal is not None:
                with self._disk():
                    self._journal.settle(written)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        """Whatever the journal's disk does, the proxy goes on; a failure is logged once, and its
        end once."""
        message = None
        try:
            yield
        except OSError as problem:
            message = f"the journal cannot be written: {problem.strerror}"
        was, self.message = self.message, message
        if message is not None and was is None:
            log.error("the journal cannot be written", because=message)
