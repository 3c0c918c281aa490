"""Deletes what is older than the retention: soon after the start, and once a day."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Final

import structlog

from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.ledger.interface import Ledger, LedgerError
from proxy_addon.system.clock import Clock

EVERY: Final = 86_400.0  # seconds
AGAIN: Final = 600.0  # seconds until the next try when deleting failed

type ConfirmationsInForce = Callable[[float], Collection[ConfirmationInForce] | None]
"""At an instant, for `Ledger.prune`."""

log = structlog.get_logger("allowance.ledger")


class Pruner:
    """`start_when_due` is called about once a second and never blocks. `retention` gives the
    seconds that visits are kept, None switches it off; `kept` the confirmations of written policies
    that outlive them. `on_error` receives the kind of each failure, on the pruning thread."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        retention: Callable[[], float] | None,
        on_error: Callable[[str], None],
        kept: ConfirmationsInForce = lambda _: None,
    ) -> None:
        self._ledger, self._clock = ledger, clock
        self._retention, self._on_error, self._kept = retention, on_error, kept
        self._at = float("-inf")
        self._thread: threading.Thread | None = None

    def start_when_due(self) -> None:
        """Prune on a separate thread if it is time: the first run may take minutes."""
        now = self._clock.now()
        is_running = self._thread is not None and self._thread.is_alive()
        if self._retention is None or now < self._at or is_running:
            return
        self._at = now + EVERY
        self._thread = threading.Thread(
            target=self._prune, args=(now, self._retention), name="ledger-pruner", daemon=True
        )
        self._thread.start()

    def _prune(self, now: float, retention: Callable[[], float]) -> None:
        try:
            deleted = self._ledger.prune(now - retention(), kept=self._kept(now))
        except LedgerError as problem:
            self._on_error(problem.kind)
            self._at = now + AGAIN
            log.warning("old visits are not deleted yet", because=str(problem))
        except Exception:  # of `retention` and `kept`, too: the next try may go well
            self._at = now + AGAIN
            log.exception("old visits are not deleted yet")
        else:
            log.info("old visits are deleted", rows=deleted)
