"""Counts who has read the written policies, for the metrics: on a thread of its own, since it asks
the ledger, soon after somebody has confirmed, and now and then in any case.

With many people a count takes a while; then it is made more seldom, so that it takes at most a
fiftieth of one processor, and the ledger does something else for most of the time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from proxy_addon.ledger.interface import LedgerError
from proxy_addon.observability.policy_readers import PolicyReaders, ReaderCount
from proxy_addon.report.notice_status import NoticeStatus
from proxy_addon.system.clock import processor_timer, timer

log = structlog.get_logger("allowance.run")

COUNT_SECONDS: Final = 30.0  # between two counts when nobody confirms
SOON_SECONDS: Final = 2.0  # between two counts when people do
SHARE: Final = 50  # so many times the processor time of a count nothing is counted
LEDGER_SHARE: Final = 5  # the same for the time that it took, most of it the ledger's


class ReaderCounts:
    """For one process of a host: the one that answers scrapes."""

    def __init__(
        self,
        count: Callable[[], Iterable[NoticeStatus]],
        readers: PolicyReaders,
        seconds: float = COUNT_SECONDS,
        soon: float = SOON_SECONDS,
    ) -> None:
        """`count` asks the ledger, and may raise LedgerError."""
        self._count = count
        self._readers = readers
        self._seconds = seconds
        self._soon = soon
        self._stopped = threading.Event()
        self._changed = threading.Event()

    def start(self) -> None:
        """Count at once, and again and again."""
        threading.Thread(target=self._run, name="policy-readers", daemon=True).start()

    def stop(self) -> None:
        """Count no more. Does not wait for the ledger."""
        self._stopped.set()
        self._changed.set()

    def wake(self) -> None:
        """Somebody has confirmed or met a policy. Any thread."""
        self._changed.set()

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
            self._changed.clear()
            began, used = timer(), processor_timer()
            self.count()
            took, used = timer() - began, processor_timer() - used
            pause = max(self._soon, SHARE * used, LEDGER_SHARE * took)
            if not self._stopped.wait(pause):
                self._changed.wait(max(0.0, self._seconds - pause))
