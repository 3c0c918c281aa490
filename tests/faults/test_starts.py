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
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.ledger.interface import AuditEntry
from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.policy_readers import Reader, notice, write
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until
from tests.faults.broken_databases import NAME, ON_POSTGRES, ON_SQLITE, small_disk, stopped
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(400)]

PAGE, OTHER = "https://www.facebook.com/", "https://news.example/"
FILMS, FREE = (
    "https://www.youtube.com/",
    "{name: Films are work, platforms: [youtube], roles: [staff], then: allow}",
)
DESK = "127.0.3.1"
NAMES, PASSWORD = ("dora", "emil"), "a long enough password"
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


def end(proxy: OfficeProxy) -> None:
    """Leave nothing running."""
    if proxy.process is not None and proxy.process.poll() is None:
        proxy.kill()


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
    after = ExitStack()
    broken = (
        ON_SQLITE[what](tmp_path, after)
        if engine == "sqlite"
        else ON_POSTGRES[what](request.getfixturevalue("server"), tmp_path, after)
    )
    proxy = prepared(tmp_path / "office", origins)
    with after:
        with broken as (url, before):
            after.callback(end, proxy)  # before what it uses
            proxy.database, proxy.before = url, before
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
        direct = url.replace(NAME, "127.0.0.1")
        until(lambda: "desk1" in people_in(direct), "what was used", JOINED_WITHIN)
        print(f"{engine}, {what}: joined after {time.monotonic() - began:.1f} s")
        assert proxy.stop()[0] == 0
        assert "Traceback" not in proxy.log


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
        with stopped(server, tmp_path, ExitStack()):
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
def locked_for_all(file: Path) -> Iterator[None]:
    """Nobody else can even read a SQLite file."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def not_writable(file: Path) -> Iterator[None]:
    """Nobody else can write to a SQLite file."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=60.0)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize("what", ["file for a folder", "read-only disk", "read-only journal"])
def test_what_can_never_be_written(origins: Origins, tmp_path: Path, what: str) -> None:
    """A path of the settings in which nothing can ever be made ends the start with one line."""
    proxy = prepared(tmp_path / "office", origins)
    with ExitStack() as after:
        if what == "file for a folder":
            folder = tmp_path / "folder"
            folder.write_text("a file")
        else:
            folder = small_disk(tmp_path, after)
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        more = {}
        if what == "read-only journal":
            more["journal"] = str(folder / "journal")
        else:
            proxy.database = f"sqlite:///{folder}/var/ledger.db"
        ended = proxy.attempt(timeout=120, **more)
        assert ended.returncode == 1
        assert len(ended.stderr.splitlines()) == 1 and str(folder) in ended.stderr, ended.stderr


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
    with locked_for_all(file):
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
        end(proxy)
    again = proxy.attempt(timeout=120)  # at a start it is said in one line
    assert again.returncode == 1 and says in again.stderr, again.stderr
    assert len(again.stderr.splitlines()) == 1


def test_blocked_without_the_written_policy(origins: Origins, tmp_path: Path) -> None:
    """With `on_failure: block`, and a ledger that does not say who has confirmed the written
    policy, limited sites are refused and the page says why; ordinary ones flow. Once it is there
    people are asked. In another outage who has confirmed goes on, and who has to is refused."""
    file = tmp_path / "ledger.db"
    proxy = prepared(tmp_path / "office", origins)
    proxy.database = f"sqlite:///{file}"
    upgrade(proxy.database)
    people = proxy.rules / "people.yaml"
    people.write_text("default_role: staff\nroles: {staff: {}}\n")
    policy_file = proxy.rules / "policy.yaml"
    text = policy_file.read_text().replace("rules:\n", f"rules:\n  - {FREE}\n")
    policy_file.write_text(text + notice("0d") + "on_failure: block\n")
    write(proxy, "3")
    for name in ("dora", "emil"):
        answer = proxy.cli("people", "add", name, "--password-stdin", stdin=PASSWORD, timeout=120)
        assert answer.returncode == 0, answer.stderr
    try:
        with locked_for_all(file):
            proxy.start()
            dora, emil = (Reader(proxy.client, f"{who}:{PASSWORD}", DESK) for who in NAMES)
            assert dora.open(PAGE).reason == "unavailable"  # nor is the balance known
            page = dora.open(FILMS)
            assert (page.status, page.reason) == (403, "unavailable")
            assert "whether you have confirmed our policy" in page.text
            assert dora.open(OTHER).status == 200
        until(lambda: dora.open(PAGE).reason == "acknowledge", "the question", JOINED_WITHIN)
        dora.confirm()
        assert dora.open(PAGE).status == 200
        assert emil.open(FILMS).reason == "acknowledge"
        with not_writable(file):

            def noticed() -> bool:
                dora.open(PAGE)  # there is something to write
                return emil.open(FILMS).reason == "unavailable"

            until(noticed, "the outage", 60)
            assert dora.open(FILMS).status == 200 and dora.open(OTHER).status == 200
        until(lambda: emil.open(FILMS).reason == "acknowledge", "the ledger", JOINED_WITHIN)
        assert proxy.stop()[0] == 0
    finally:
        end(proxy)
