"""Two threads beside a Postgres ledger: one learns at once what others wrote, one ends calls that
never return."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg
from sqlalchemy.dialects import postgresql

from db import postgres
from db.address import Address
from db.in_flight import CHANNEL, CallWatchdog

AGAIN_SECONDS: Final = 2.0  # until the next try to listen
LOOK_SECONDS: Final = 1.0


class LedgerListener:
    """The two threads. `on_notification` is called on one of them whenever another node has written
    something."""

    def __init__(
        self, address: Address, calls: CallWatchdog, node: str, on_notification: Callable[[], None]
    ) -> None:
        self._address, self._calls, self._node, self._on_notification = (
            address,
            calls,
            node,
            on_notification,
        )
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
                self._listen_once()
            self._stopping.wait(AGAIN_SECONDS)

    def _listen_once(self) -> None:
        with _connect(self._address, self._node) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._on_notification()  # what was written while nobody listened
            while not self._stopping.is_set():
                for note in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                    if note.payload != self._node:
                        self._on_notification()


def _connect(address: Address, node: str) -> psycopg.Connection[Any]:
    """A connection outside the pool, in autocommit."""
    dialect: Any = postgresql.psycopg.dialect  # it has no types
    wanted = dialect().create_connect_args(address.url)[1]
    return psycopg.connect(**wanted, **postgres.arguments(address, node), autocommit=True)
