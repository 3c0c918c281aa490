"""The connections of a ledger: each call is counted, and leads to the ledger that it is meant for.

A file that somebody put in the place of ours, or a server that an address leads to by mistake, may
hold another ledger, or nothing. So each new connection is asked for the ledger's id
(`db/identity.py`), once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import inspect
from sqlalchemy.engine import Connection, Engine

from db.address import Address
from db.changeover import Changeovers
from db.engine import for_reading, open_engine, writing
from db.errors import translated
from db.identity import identity
from db.in_flight import CallWatchdog
from db.models import IDENTITY
from db.sqlite_files import WAITS, SqliteFiles
from proxy_addon.ledger.interface import LedgerUnavailable

_KNOWN: Final = "allowance.ledger"  # in `info` of a connection: its id


class LedgerConnections:
    """Opens connections when they are needed. Safe to call from several threads. `permit` is called
    before each call and may raise LedgerError."""

    def __init__(
        self, address: Address, node: str, permit: Callable[[], None] = lambda: None
    ) -> None:
        self.place, self._permit = address.place, permit
        with translated(self.place):
            self.engine = open_engine(address, node)
        self.calls = CallWatchdog(self.engine)
        self.changeovers = Changeovers(self.engine)
        self._files = SqliteFiles(self.engine, address) if address.is_sqlite else None
        self._id: str | None = None  # of the first ledger that was found

    @contextmanager
    def reading(self, *, in_transaction: bool = False) -> Iterator[Connection]:
        """A connection for statements that read: each by itself, or all in one transaction."""
        with self._connected(self.engine) as connection:
            yield connection if in_transaction else for_reading(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction. That it was committed is reported only if it is in the ledger by that
        name."""
        with self._connected(writing(self.engine)) as connection, connection.begin():
            yield connection
        self.changeovers.worked()

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        self._permit()
        with translated(self.place), self.calls.counted():
            opened = engine.connect() if self._files is None else self._files.connected(engine)
            with opened as connection:
                if _KNOWN not in connection.connection.info:
                    self._require_same_ledger(connection)
                yield connection

    def _require_same_ledger(self, connection: Connection) -> None:
        has_id = inspect(connection).has_table(IDENTITY.name)
        found = identity(connection, self.place) if has_id else None
        connection.rollback()  # of a transaction that has only read
        if found is None and self._id is None:
            return  # no ledger yet, or one from before ledger_0006: `check` says so
        if self._id is None:
            self._id = found
        if found == self._id:
            connection.connection.info[_KNOWN] = found
            return
        connection.invalidate()  # the next call looks again
        what = "has no ledger in it any more" if found is None else f"is another ledger ({found})"
        raise LedgerUnavailable(
            f"{self.place} {what}; put back the one that was used until now ({self._id}), "
            f"or restart the proxy to use this one ({WAITS})",
            kind="gone" if found is None else "identity",
        )
