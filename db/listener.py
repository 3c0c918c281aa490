"""Two threads beside a Postgres ledger: one learns at once what others wrote, one ends calls that
never return."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psycopg
import structlog

from db.address import Address
from db.changeover import Changeovers
from db.connector import PostgresConnector
from db.in_flight import CHANNEL, CallWatchdog

AGAIN_SECONDS: Final = 2.0  # until the next try to listen
LOOK_SECONDS: Final = 1.0

_HINT: Final = "news are read at each flush; name the server itself in listen_database to hear them"

log = structlog.get_logger("allowance.ledger")


class LedgerListener:
    """The two threads. `on_notification` is called on one of them whenever another node has written
    something.

    Behind a pooler nothing can be heard, because a session ends with its transaction: then nobody
    listens, and what others wrote is read once in a flush. `address` may be that of the server
    itself.
    """

    def __init__(
        self,
        address: Address,
        calls: CallWatchdog,
        node: str,
        on_notification: Callable[[], None],
        changeovers: Changeovers,
    ) -> None:
        self._connector = PostgresConnector.of(address, node)
        self._calls, self._node, self._on_notification = calls, node, on_notification
        self._changeovers = changeovers
        self._stopping = threading.Event()
        # Daemons: neither holds anything that has to be finished.
        for name, work in (("ledger-listener", self._listen), ("ledger-watch", self._watch)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def stop(self) -> None:
        """End both, within a second."""
        self._stopping.set()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self._calls.break_off()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            # The writer meets the same problem and reports it. News are still read once a second.
            with suppress(psycopg.Error, OSError):
                if not self._listen_once():
                    log.info("a pooler stands before the database", hint=_HINT)
                    return
            self._stopping.wait(AGAIN_SECONDS)

    def _listen_once(self) -> bool:
        """Listen until the connection ends, or others do; False behind a pooler."""
        number = self._changeovers.number
        with self._connector.connect(autocommit=True) as connection:
            if connection.is_pooled:
                return False
            self._calls.watch(connection)
            with self._calls.counted():
                connection.execute(f"LISTEN {CHANNEL}")
            self._on_notification()  # what was written while nobody listened
            while not self._stopping.is_set() and number == self._changeovers.number:
                for note in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                    if note.payload != self._node:
                        self._on_notification()
        return True
