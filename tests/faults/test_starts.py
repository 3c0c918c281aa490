"""A real proxy starts while its ledger cannot be used, on both engines: ordinary sites work at
once, limited ones by `on_failure` and what the journal holds, and it joins the ledger later."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.ledger.interface import AuditEntry
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import free_port, until
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(400)]

PAGE, OTHER = "https://www.facebook.com/", "https://news.example/"
DESK = "127.0.3.1"
JOINED_WITHIN = 15.0  # seconds; five are promised, on a machine three times slower


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
    """A proxy with ten seconds for everybody."""
    wanted = {"flush": "1s", "front-proxies": [], **settings}
    return office(folder, origins, policy(short="10s"), settings=wanted)


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
            assert "down since" in ledger_text(proxy)
            assert not json.loads(proxy.web("/statusz")[1])["dependencies"]["ledger"]["ok"]
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


@pytest.mark.postgres
def test_both_workers_are_killed_in_an_outage(
    origins: Origins, tmp_path: Path, server: PostgresServer
) -> None:
    """New ones serve at once: ordinary sites, and limited ones within what is left by the journals
    of the dead; when the database is back, everything is in it, once."""
    url = server.url(server.new_database())
    proxy = prepared(tmp_path, origins, workers=2)
    proxy.database = url
    with proxy:
        until(lambda: proxy.client.open(PAGE, source=DESK).status == 200, "the first page", 60)
        until(lambda: "desk1" in people_in(url), "it to be in the ledger", 60)
        with stopped(server):
            until(lambda: "down since" in ledger_text(proxy), "the outage to be noticed", 60)
            spend(proxy, 60.0)
            until(lambda: journal_visits(proxy) > 0, "the journal", 60)
            time.sleep(2.0)
            dead = proxy.events("worker started")[-2:]
            for each in dead:
                os.kill(each["process"], signal.SIGKILL)
            began = time.monotonic()
            until(lambda: proxy.client.open(OTHER, source=DESK).status == 200, "a worker", 60)
            print(f"ordinary requests are served {time.monotonic() - began:.1f} s after the kill")
            assert all(proxy.client.open(OTHER, source=DESK).status == 200 for _ in range(20))
            assert len(proxy.events("worker started")) == 4
            starts = proxy.events("started without the ledger")[-2:]
            assert all(each["visits_in_journals"] > 0 for each in starts)
            # What the ledger had before the outage is not known now: there may be some seconds.
            until(lambda: proxy.client.open(PAGE, source=DESK).reason == "exhausted", "the end", 30)
            assert proxy.client.open(PAGE, source="127.0.3.2").status == 200
        until(lambda: has_joined(proxy), "the ledger to be joined", JOINED_WITHIN)
        until(lambda: spent(url) >= 9.0, "the journals to be replayed", JOINED_WITHIN)
        assert spent(url) <= 25.0
        assert proxy.client.open(PAGE, source=DESK).reason == "exhausted"


def spend(proxy: OfficeProxy, seconds: float) -> None:
    """desk1 uses a limited site for so long."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if proxy.client.open(PAGE, source=DESK).status == 403:
            return
        time.sleep(0.5)


def journal_visits(proxy: OfficeProxy) -> int:
    """How many visits wait in the journals of all processes."""
    ledger = json.loads(proxy.web("/statusz")[1])["dependencies"]["ledger"]
    return int(ledger["journal_visits"])


def spent(url: str) -> float:
    """Seconds of desk1 by the ledger."""
    ledger = SqlLedger(url, "test")
    try:
        totals = ledger.totals(0.0, time.time())  # noqa: TID251
        return sum(each.seconds for each in totals if each.person == "desk1")
    finally:
        ledger.close()


@contextmanager
def only_user(file: Path) -> Iterator[None]:
    """Nobody else can even read a SQLite file."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize("what", ["newer", "foreign", "key"])
def test_what_is_found_only_later_ends_nothing(origins: Origins, tmp_path: Path, what: str) -> None:
    """A database that turns out to be wrong for us is not touched and not joined: the proxy goes on
    without it, and says why."""
    file = tmp_path / "ledger.db"
    url = f"sqlite:///{file}"
    upgrade(url)
    proxy = prepared(tmp_path / "office", origins)
    proxy.database = url
    policy_file = proxy.rules / "policy.yaml"
    if what == "key":
        policy_file.write_text(policy_file.read_text() + "privacy: {pseudonyms: true}\n")
        ledger = SqlLedger(url, "other")
        ledger.audit(AuditEntry(1.0, "node:start", "pseudonyms", "rules", "key 0123456789ab"))
        ledger.close()
    else:
        wrong = {
            "newer": "UPDATE alembic_version SET version_num = 'ledger_9999'",
            "foreign": "ALTER TABLE alembic_version RENAME TO somebody",
        }
        with closing(sqlite3.connect(file)) as other:
            other.execute(wrong[what])
            other.execute("UPDATE schema_compatibility SET oldest = 'ledger_9998'")
            other.commit()
    with only_user(file):
        proxy.start()
    try:
        says = {"newer": "does not know", "foreign": "another program", "key": "another key"}[what]
        until(lambda: says in ledger_text(proxy), "it to be found", 90)
        assert proxy.client.open(OTHER, source=DESK).status == 200
        assert proxy.client.open(PAGE, source=DESK).status == 200
        assert proxy.web("/readyz")[0] == 200
        assert "Traceback" not in proxy.log
        assert proxy.stop()[0] == 0
    finally:
        if proxy.process is not None and proxy.process.poll() is None:
            proxy.kill()
    again = proxy.attempt(timeout=120)  # at a start it is said in one line
    assert again.returncode == 1 and says in again.stderr, again.stderr
    assert len(again.stderr.splitlines()) == 1
