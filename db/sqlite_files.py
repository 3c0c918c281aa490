"""Whether the SQLite file that is open is still the one by that name.

A file that was removed or replaced can be written to for as long as it is open, and nobody will
ever read that. So device and inode are compared before each call, and again after it, before
success is reported. The same for `-wal` and `-shm`, which hold what was written last and keep
processes apart.

When something differs, every connection is closed, and nothing is opened for `APART_SECONDS`, in
which other processes see it as well: two sets of these files beside one database would damage it.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from sqlalchemy.engine import Connection, Engine

from db.address import Address
from db.sqlite import FileConnection, FileIds, file_ids
from proxy_addon.ledger.interface import LedgerUnavailable

APART_SECONDS: Final = 3.0
WAITS: Final = "what is used now waits in the journal"

log = structlog.get_logger("allowance.ledger")


class _Lost(NamedTuple):
    ids: FileIds
    until: float  # by the monotonic clock: nothing is opened before


class SqliteFiles:
    """Guards the calls of an engine. Safe to call from several threads."""

    def __init__(self, engine: Engine, address: Address) -> None:
        self._engine, self._path, self._place = engine, address.file.absolute(), address.place
        self._lock = threading.Lock()
        self._generation = 0  # it grows when connections are thrown away
        self._lost: _Lost | None = None
        self._was_open = False

    @contextmanager
    def connected(self, engine: Engine) -> Iterator[Connection]:
        """A connection to the file by that name; success only if it still is at the end. Raises
        LedgerUnavailable. `engine` is the one of the constructor, perhaps with options."""
        self._require_open()
        generation = self._generation
        with engine.connect() as connection:
            try:
                self._require_same(connection)
                self._was_open = True
                yield connection
                self._require_same(connection)
            finally:
                if generation != self._generation:
                    connection.invalidate()

    def _require_open(self) -> None:
        with self._lock:
            lost = self._lost
            if lost is not None and time.monotonic() < lost.until:
                raise self._gone(lost.ids)
            if lost is not None and self._path.exists():
                _set_aside(self._path, lost.ids)
                self._lost = None
        if self._was_open and not self._path.exists():
            raise self._gone(None)

    def _require_same(self, connection: Connection) -> None:
        opened = connection.connection.driver_connection
        assert isinstance(opened, FileConnection)
        now = file_ids(self._path)
        if all(was in (None, there) for was, there in zip(opened.ids, now, strict=True)):
            return
        with self._lock:
            self._generation += 1
            self._lost = _Lost(opened.ids, time.monotonic() + APART_SECONDS)
        self._engine.dispose()  # what is in use now is closed by its own thread
        raise self._gone(opened.ids)

    def _gone(self, ids: FileIds | None) -> LedgerUnavailable:
        now = file_ids(self._path)
        if now.database is None:
            what = (
                "was removed while it was in use; put it back, or restart the proxy to begin a new "
                "ledger"
            )
        elif ids is not None and ids.database != now.database:
            what = "was replaced while it was in use; it is opened again in a moment"
        else:
            what = "lost its -wal or -shm file while it was in use; it is opened again in a moment"
        return LedgerUnavailable(f"{self._place} {what} ({WAITS})", kind="gone")


def _set_aside(path: Path, old: FileIds) -> None:
    """Another database is there now: the -wal of the old one must not be taken for its own. It is
    kept under another name; the -shm holds nothing. One process at a time."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        now = file_ids(path)
        if now.database in (None, old.database):
            return
        if old.wal is not None and now.wal == old.wal:
            kept = Path(f"{path}-wal.replaced-{old.wal[1]}")
            Path(f"{path}-wal").rename(kept)
            log.warning("a file of the replaced ledger was set aside", file=str(kept))
        if old.shm is not None and now.shm == old.shm:
            Path(f"{path}-shm").unlink(missing_ok=True)
    finally:
        os.close(folder)
