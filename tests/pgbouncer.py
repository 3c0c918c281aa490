"""A real pgbouncer before a real Postgres, for the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.e2e.waiting import free_port
from tests.postgres import PASSWORD, PostgresServer

_PATHS = "/usr/sbin:/usr/local/sbin"  # where Debian has it, which is not in everybody's PATH


class Pgbouncer:
    """`mode` is `transaction` or `session`; `more` are lines of its configuration. Four connections
    to the server serve everybody, so that sessions do change with the transactions."""

    def __init__(self, server: PostgresServer, folder: Path, mode: str, *more: str) -> None:
        self.port = free_port()
        self._server, self._folder = server, folder
        size = 4 if mode == "transaction" else 20
        users = folder / "users"
        users.write_text(f'"postgres" "{PASSWORD}"\n')
        self._settings = folder / "pgbouncer.ini"
        self._settings.write_text(
            "\n".join(
                (
                    "[databases]",
                    f"* = host=127.0.0.1 port={server.port}",
                    "[pgbouncer]",
                    "listen_addr = 127.0.0.1",
                    f"listen_port = {self.port}",
                    "unix_socket_dir =",
                    "auth_type = scram-sha-256",
                    f"auth_file = {users}",
                    f"pool_mode = {mode}",
                    f"default_pool_size = {size}",
                    f"logfile = {folder / 'log'}",
                    *more,
                )
            )
        )
        if os.geteuid() == 0:  # it refuses to run as root
            for path in (folder, users, self._settings):
                shutil.chown(path, "nobody")
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """The URL of a database, through it."""
        return self._server.url(database).replace(f":{self._server.port}/", f":{self.port}/")

    @contextmanager
    def running(self) -> Iterator[Pgbouncer]:
        """Start it, and stop it at the end."""
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:{_PATHS}")
        if program is None:
            pytest.skip("pgbouncer is not installed")
        somebody = {"user": pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {}
        command = [program, "-q", str(self._settings)]
        process = subprocess.Popen(command, cwd=self._folder, **somebody)
        try:
            self._wait(process)
            yield self
        finally:
            process.kill()
            process.wait(30)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        give_up = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                time.sleep(0.05)


@contextmanager
def pgbouncer(server: PostgresServer, mode: str, *more: str) -> Iterator[Pgbouncer]:
    """One that runs, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="allowance-pgbouncer-"))
    try:
        with Pgbouncer(server, folder, mode, *more).running() as started:
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def transaction_pooler(postgres_server: PostgresServer) -> Iterator[Pgbouncer]:
    """One that pools by transaction, for the whole session."""
    with pgbouncer(postgres_server, "transaction") as started:
        yield started
