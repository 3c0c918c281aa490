"""One SQLite file, used by several threads and by several processes of one host."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

from db.address import Address
from db.audit import AuditedConnection, prepare_sqlite

BUSY_SECONDS = 5.0

# journal_mode is kept in the file and set once, by `use_wal`: opening somebody else's file changes
# nothing.
_PRAGMAS = (
    # One fsync a commit, so a power cut loses no more than a crash does. There is one commit a
    # second, on a thread of its own: nobody waits for it. NORMAL would lose all since the last
    # checkpoint.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What retention deletes is overwritten, not merely unlinked.
    "PRAGMA secure_delete = ON",
    # A burst (replay after an outage, prune) must not leave a huge WAL file behind.
    "PRAGMA journal_size_limit = 16777216",
)


def create_file(path: Path) -> None:
    """Make the file, for its owner alone, and its folder, unless they are there. SQLite's -wal and
    -shm files take over its mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


class FileIds(NamedTuple):
    """Device and inode of the file and of its two companions; None where there is no such file."""

    database: tuple[int, int] | None = None
    wal: tuple[int, int] | None = None
    shm: tuple[int, int] | None = None


class FileConnection(AuditedConnection):
    """A connection that knows which files it has open; None where it has none, or not yet."""

    ids = FileIds()


def file_ids(path: Path) -> FileIds:
    """The files by these names now. They are looked at by name only: to open and close one would
    give up the locks that SQLite holds on it."""
    return FileIds(*(_file_id(Path(f"{path}{suffix}")) for suffix in ("", "-wal", "-shm")))


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def open_sqlite(address: Address) -> Engine:
    """An engine over a file that exists; connections are made when they are needed."""
    # Absolute now: a later change of the working folder must not lead to another file.
    path = address.file.absolute()
    uri = f"file:{quote(str(path))}?mode=rw"

    def connect() -> sqlite3.Connection:
        before = file_ids(path)
        # isolation_level None: the driver begins nothing by itself, `_begin` does.
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=FileConnection,
        )
        try:
            _prepare(connection, path, before)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine(address.url, creator=connect, pool_timeout=BUSY_SECONDS)
    event.listen(engine, "begin", _begin)
    return engine


def use_wal(engine: Engine) -> None:
    """Switch the file to write-ahead logging, so that readers and the writer do not wait for each
    other."""
    connection = engine.raw_connection()
    try:
        _switch_to_wal(connection.cursor())
    finally:
        connection.close()


def empty_wal(engine: Engine) -> None:
    """Carry the log over to the file and empty it, if nobody is reading an older state: what was
    erased is in neither then. Otherwise the next one who can does it."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()


def _switch_to_wal(cursor: Any) -> None:
    # The switch needs the file alone and does not wait for it, unlike all other statements: other
    # proxies that start now look at it too, each for some milliseconds.
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            return
        try:
            cursor.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def _prepare(connection: FileConnection, path: Path, before: FileIds) -> None:
    prepare_sqlite(connection)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    # Reading opens the -wal and -shm; from now on they stay until this connection is closed.
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.execute("PRAGMA schema_version").fetchone()
    now = file_ids(path)
    # What changed in between is not what is open: the first use of this connection finds that out.
    connection.ids = now if mode == "wal" else FileIds(now.database)
    if before.database != now.database:
        connection.ids = before


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail half-way when another process wrote
    # in between. Writers therefore take the lock at once, where the busy timeout lets them queue.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
