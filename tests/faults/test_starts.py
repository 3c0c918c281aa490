"""A real proxy starts while its ledger cannot be used, on both engines: ordinary sites work at
once, limited ones by `on_failure` and what the journal holds, and it joins the ledger later."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import free_port, until
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.long]

PAGE, OTHER = "https://www.facebook.com/", "https://news.example/"
DESK = "127.0.3.1"
JOINED_WITHIN = 15.0  # seconds; five are promised, on a machine that is three times slower


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    """The sites."""
    with Origins(tmp_path_factory.mktemp("origins")) as sites:
        yield sites


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that each test leaves running."""
    folder = Path(tempfile.mkdtemp(prefix="allowance-postgres-"))
    made = PostgresServer(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


type Broken = AbstractContextManager[str]
"""Gives the URL of a database that cannot be used; it can after the context."""


@contextmanager
def locked(folder: Path) -> Iterator[str]:
    """Another program has the SQLite file for itself."""
    file = folder / "ledger.db"
    upgrade(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield f"sqlite:///{file}"
    finally:
        other.close()


@contextmanager
def disk_full(folder: Path) -> Iterator[str]:
    """Not a byte is left where the SQLite file and the journal are to be made."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass
    try:
        yield f"sqlite:///{disk}/ledger.db"
    finally:
        filler.unlink()


@contextmanager
def stopped(server: PostgresServer) -> Iterator[str]:
    """Nobody listens at the port."""
    url = server.url(server.new_database())
    server.stop()
    try:
        yield url
    finally:
        server.start()


@contextmanager
def frozen(server: PostgresServer) -> Iterator[str]:
    """The server accepts connections and says nothing."""
    url = server.url(server.new_database())
    server.pause()
    try:
        yield url
    finally:
        server.resume()


@contextmanager
def dropped(server: PostgresServer) -> Iterator[str]:
    """The network swallows every byte."""
    url = server.url(server.new_database())
    with Relay(server.port) as relay:
        relay.set("drop")
        yield url.replace(f":{server.port}/", f":{relay.port}/")
        relay.set("pass")
        RELAYS.append(relay)


RELAYS: list[Relay] = []


@contextmanager
def starting(server: PostgresServer) -> Iterator[str]:
    """The server recovers, and refuses everybody until it is done."""
    url = server.url(server.new_database())
    server.stop()
    standby = server.data / "standby.signal"
    standby.touch()
    server.start("hot_standby=off", waits=False)
    try:
        yield url
    finally:
        server.stop()
        standby.unlink()
        server.start()


@contextmanager
def wrong_password(server: PostgresServer) -> Iterator[str]:
    """The server has another password for our user."""
    name = server.new_database()
    server.run("CREATE ROLE clerk LOGIN PASSWORD 'old'")
    server.run(f"ALTER DATABASE {name} OWNER TO clerk")
    url = f"postgresql://clerk:new@127.0.0.1:{server.port}/{name}"
    try:
        yield url
    finally:
        server.run("ALTER ROLE clerk PASSWORD 'new'")


@contextmanager
def missing(server: PostgresServer) -> Iterator[str]:
    """The database has not been made yet."""
    name = f"later_{free_port()}"
    try:
        yield server.url(name)
    finally:
        server.run(f"CREATE DATABASE {name}")


@contextmanager
def read_only(server: PostgresServer) -> Iterator[str]:
    """The server takes no writes, as a standby does."""
    name = server.new_database()
    upgrade(server.url(name))
    server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        yield server.url(name)
    finally:
        server.run(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )


ON_SQLITE: dict[str, Callable[[Path], Broken]] = {"locked": locked, "disk full": disk_full}
ON_POSTGRES: dict[str, Callable[[PostgresServer], Broken]] = {
    "stopped": stopped,
    "frozen": frozen,
    "starting": starting,
    "wrong password": wrong_password,
    "missing": missing,
    "read-only": read_only,
}
STARTS = [
    *(pytest.param("sqlite", name, id=f"sqlite, {name}") for name in ON_SQLITE),
    *(
        pytest.param("postgres", name, id=f"postgres, {name}", marks=pytest.mark.postgres)
        for name in ON_POSTGRES
    ),
]


def prepared(folder: Path, origins: Origins, **settings: object) -> OfficeProxy:
    """A proxy that counts as started once it serves, whatever its ledger does."""
    proxy = office(folder, origins, policy(short="30s"), settings={"flush": "1s", **settings})
    proxy.ready = lambda: proxy.web("/readyz")[0] != 0  # type: ignore[method-assign]
    return proxy


def ledger_text(proxy: OfficeProxy) -> str:
    """What `/readyz` says about the ledger."""
    return proxy.web("/readyz")[1].partition('"ledger":"')[2].partition('"')[0]


def has_joined(proxy: OfficeProxy) -> bool:
    """Whether all is well with the ledger."""
    return ledger_text(proxy) == "ok"


def people_in(url: str) -> set[str]:
    """Who has visits in a ledger."""
    ledger = SqlLedger(url, "test")
    try:
        return {visit.person for visit in ledger.visits(0.0)}
    finally:
        ledger.close()


@pytest.mark.parametrize(("engine", "what"), STARTS)
def test_it_starts_without_its_ledger(
    request: pytest.FixtureRequest, origins: Origins, tmp_path: Path, engine: str, what: str
) -> None:
    """Whatever keeps the database from being used, ordinary sites work at once, limited ones within
    their limit, everything says what is wrong; when the database is there, what was used is in it
    within seconds."""
    broken = (
        ON_SQLITE[what](tmp_path)
        if engine == "sqlite"
        else ON_POSTGRES[what](request.getfixturevalue("server"))
    )
    proxy = prepared(tmp_path / "office", origins)
    try:
        with broken as url:
            proxy.database = url
            proxy.start()
            assert proxy.client.open(OTHER, source=DESK).status == 200
            assert proxy.client.open(PAGE, source=DESK).status == 200
            assert ledger_text(proxy).startswith("down since")
            assert "ATTENTION" in proxy.log and proxy.events("started without the ledger")
            assert proxy.client.open("http://allowance.internal/ask", source=DESK).status != 500
        began = time.monotonic()
        until(lambda: has_joined(proxy), "the ledger to be joined", JOINED_WITHIN)
        proxy.client.open(PAGE, source=DESK)
        until(lambda: "desk1" in people_in(url), "what was used", JOINED_WITHIN)
        print(f"{engine}, {what}: joined after {time.monotonic() - began:.1f} s")
        assert proxy.stop()[0] == 0
        assert "Traceback" not in proxy.log
    finally:
        if proxy.process is not None and proxy.process.poll() is None:
            proxy.kill()
        subprocess.run(["umount", str(tmp_path / "disk")], capture_output=True, check=False)
