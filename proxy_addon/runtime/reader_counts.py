"""Counts now and then who has read the written policies, for the metrics; on a thread of its own,
since it asks the ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from proxy_addon.ledger.interface import LedgerError
from proxy_addon.observability.policy_readers import PolicyReaders, ReaderCount
from proxy_addon.report.notice_status import NoticeStatus

log = structlog.get_logger("allowance.run")

COUNT_SECONDS: Final = 15.0  # between two counts


class ReaderCounts:
    """For one process of a host: the one that answers scrapes."""

    def __init__(
        self,
        count: Callable[[], Iterable[NoticeStatus]],
        readers: PolicyReaders,
        seconds: float = COUNT_SECONDS,
    ) -> None:
        """`count` asks the ledger, and may raise LedgerError."""
        self._count = count
        self._readers = readers
        self._seconds = seconds
        self._stopped = threading.Event()

    def start(self) -> None:
        """Count at once, and again and again."""
        threading.Thread(target=self._run, name="policy-readers", daemon=True).start()

    def stop(self) -> None:
        """Count no more. Does not wait for the ledger."""
        self._stopped.set()

    def count(self) -> None:
        """Once. While the ledger does not answer, what was counted last stays."""
        try:
            found = [
                ReaderCount(
                    each.notice.name,
                    str(each.notice.version),
                    len(each.readers),
                    each.acknowledged,
                )
                for each in self._count()
            ]
        except LedgerError:
            return  # its own gauges tell
        except Exception:
            log.exception("who has read the written policy was not counted")
            return
        self._readers.show(found)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.count()
            self._stopped.wait(self._seconds)
