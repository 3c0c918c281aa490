"""Real databases with the means to break them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from db.ledger import SqlLedger
from proxy_addon.core.types import Visit
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

TMPFS = "size=64m"


class FaultyDatabase(ABC):
    """One engine. `fresh` begins a run on a database of its own; `faults` are contexts that break
    it."""

    name = ""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="allowance-faults-"))
        self.run = self.truth = self.folder
        self.url = ""

    def fresh(self, number: int) -> None:
        """A new database and a new journal folder."""
        self.run = self.folder / f"run{number}"
        self.run.mkdir()
        self.truth = self.folder / f"run{number}.truth"  # never on the disk that is filled
        self.url = self.new_url()

    @property
    def journal(self) -> Path:
        """Where the journals of this run are."""
        return self.run / "journal"

    @abstractmethod
    def new_url(self) -> str:
        """An empty database."""

    @abstractmethod
    def faults(self) -> dict[str, Callable[[], contextlib.AbstractContextManager[object]]]:
        """By name: something that is wrong as long as the context lasts."""

    def rows(self) -> Sequence[Visit]:
        """What the ledger holds."""
        ledger = SqlLedger(self.url, "harness")
        try:
            return list(ledger.visits(0.0))
        finally:
            ledger.close()

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)


class SqliteDatabase(FaultyDatabase):
    """A file; on a small tmpfs where that is allowed."""

    name = "sqlite"

    def __init__(self, *, small_disk: bool = True) -> None:
        super().__init__()
        mount = ["mount", "-t", "tmpfs", "-o", TMPFS, "tmpfs", str(self.folder / "disk")]
        (self.folder / "disk").mkdir()
        self.has_disk = small_disk and subprocess.run(mount, capture_output=True).returncode == 0

    def fresh(self, number: int) -> None:
        """See Stand; the small disk is swept."""
        super().fresh(number)
        if self.has_disk:
            shutil.rmtree(self.folder / "disk" / "run", ignore_errors=True)
            self.run = self.folder / "disk" / "run"
            self.run.mkdir()
            self.url = self.new_url()

    def new_url(self) -> str:
        """See Stand."""
        return f"sqlite:///{self.run}/ledger.db"

    def faults(self) -> dict[str, Callable[[], contextlib.AbstractContextManager[object]]]:
        """See Stand."""
        found: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
            "locked": self._locked,
            "journal removed": self._without_journal,
            "refuses all": lambda: self._trigger("1"),
            "refuses some": lambda: self._trigger("NEW.person IN ('p1', 'p2')"),
        }
        if self.has_disk:
            found["disk full"] = self._full
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        other = sqlite3.connect(self.run / "ledger.db", isolation_level=None, timeout=5)
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.close()

    @contextmanager
    def _without_journal(self) -> Iterator[None]:
        """The journal is removed when visits have been in it for a while."""
        with self._locked():
            time.sleep(2.0)
            shutil.rmtree(self.journal, ignore_errors=True)
            yield

    @contextmanager
    def _trigger(self, refused: str) -> Iterator[None]:
        with contextlib.closing(sqlite3.connect(self.run / "ledger.db", timeout=5)) as other:
            other.execute(
                f"CREATE TRIGGER boom BEFORE INSERT ON visits WHEN {refused} "
                "BEGIN SELECT RAISE(ABORT, 'boom'); END"
            )
            try:
                yield
            finally:
                other.execute("DROP TRIGGER boom")

    @contextmanager
    def _full(self) -> Iterator[None]:
        filler = self.folder / "disk" / "filler"
        with filler.open("wb") as file, contextlib.suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(4096))
        try:
            yield
        finally:
            filler.unlink()

    def close(self) -> None:
        """See Stand."""
        if self.has_disk:
            subprocess.run(["umount", str(self.folder / "disk")], capture_output=True)
        super().close()


class PostgresDatabase(FaultyDatabase):
    """A server of its own, behind a relay."""

    name = "postgres"

    def __init__(self, *, slow: float = 30.0) -> None:
        super().__init__()
        self._server_folder = Path(tempfile.mkdtemp(prefix="allowance-postgres-"))
        self._server = PostgresServer(self._server_folder)
        self._server.start()
        self._relay = Relay(self._server.port)
        self._relay.__enter__()
        self._slow = slow
        self._database = ""

    def new_url(self) -> str:
        """See Stand."""
        self._database = self._server.new_database()
        return self._server.url(self._database).replace(
            f":{self._server.port}/", f":{self._relay.port}/"
        )

    def faults(self) -> dict[str, Callable[[], contextlib.AbstractContextManager[object]]]:
        """See Stand."""
        return {
            "stopped": self._stopped,
            "frozen": self._frozen,
            "network cut": lambda: self._network("cut"),
            "packets dropped": lambda: self._network("drop"),
            "slow": lambda: self._network("slow"),
            "read-only": self._read_only,
            "refuses all": lambda: self._constraint("false"),
            "refuses some": lambda: self._constraint("person NOT IN ('p1', 'p2')"),
        }

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        self._server.pause()
        try:
            yield
        finally:
            self._server.resume()

    @contextmanager
    def _network(self, mode: str) -> Iterator[None]:
        self._relay.set(mode, self._slow)
        try:
            yield
        finally:
            self._relay.set("pass")

    @contextmanager
    def _constraint(self, taken: str) -> Iterator[None]:
        with psycopg.connect(self._server.url(self._database), autocommit=True) as other:
            other.execute(f"ALTER TABLE visits ADD CONSTRAINT boom CHECK ({taken}) NOT VALID")
            try:
                yield
            finally:
                other.execute("ALTER TABLE visits DROP CONSTRAINT boom")

    @contextmanager
    def _read_only(self) -> Iterator[None]:
        self._set_read_only("on")
        try:
            yield
        finally:
            self._set_read_only("off")

    def _set_read_only(self, value: str) -> None:
        self._server.run(
            f"ALTER DATABASE {self._database} SET default_transaction_read_only = {value}"
        )
        self._server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._database}'"
        )

    def close(self) -> None:
        """See Stand."""
        self._relay.__exit__(None, None, None)
        self._server.stop()
        shutil.rmtree(self._server_folder, ignore_errors=True)
        super().close()
