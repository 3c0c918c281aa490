"""Twin of db/copy.py: from either engine to either, whole, interrupted, and refused."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from db import copy as copy_module
from db.copy import copy
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import AuditEntry, LedgerUnusable
from tests.db.engines import ENGINES, connected, new_url
from tests.db.test_migrate import fill
from tests.ledger.test_ledger_contract import grant, visit
from tests.ledger.test_notices_contract import START, confirmed, met
from tests.ledger.test_notices_contract import text as text_of

NAMES = ["ana", "Zoë 🙂", "p:abc", "aa", "Ab", "a b"]


def full(url: str, visits: int = 300) -> SqlLedger:
    """A ledger with something in every table, keys in an order that collations disagree about."""
    upgrade(url)
    fill(url)
    ledger = SqlLedger(url, "a")
    ledger.write_visits(
        [
            visit(n, id=f"{'aZ_é-'[n % 5]}{n}", person=NAMES[n % 6], start=0.1 * n, end=9e3 + n)
            for n in range(visits)
        ]
    )
    ledger.add_grant(replace(grant(), resets=True, seconds=0.1), actor="cli:ada")
    ledger.erase(Erasure.of("bo", 5.0), "bo", label="erased:1", actor="cli:ada", reason="asked")
    ledger.rules_in_force("d", 1.0, "a")
    return ledger


@pytest.fixture(
    params=[(a, b) for a in ("sqlite", "postgres") for b in ("sqlite", "postgres")], ids="-".join
)
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A filled ledger, and a place for its copy."""
    found = []
    for number, engine in enumerate(request.param):
        if engine == "postgres":
            server = request.getfixturevalue("postgres_server")
            found.append(server.url(server.new_database()))
        else:
            found.append(f"sqlite:///{tmp_path}/{number}.db")
    full(found[0]).close()
    return found[0], found[1]


def test_a_copy_is_whole_and_can_be_used(urls: tuple[str, str]) -> None:
    """Every table has the rows and the digest of the source, and the copy goes on as a ledger."""
    source, target = urls
    tables = {table.table: table for table in copy(source, target).tables}
    assert set(tables) >= {
        "visits",
        "grants",
        "audit",
        "people",
        "time_requests",
        "acknowledgements",
        "erasures",
    }
    assert all(table.rows == table.written > 0 for table in tables.values())
    assert tables["visits"].rows == 301
    one, other = SqlLedger(source, "a"), SqlLedger(target, "b")
    assert list(one.visits(-1.0)) == list(other.visits(-1.0))
    assert one.audit_log() == other.audit_log()
    other.audit(
        AuditEntry(1e9, "cli:ada", "reset", "ana")
    )  # its number comes after those that were copied
    other.write_visits([visit(999)])
    other.check()
    one.close()
    other.close()


def test_a_copy_has_the_id_of_its_source(urls: tuple[str, str]) -> None:
    """The id goes with the rows, also to a target that has an id already; a copy that was
    interrupted keeps the target's until all of it is there."""
    source, target = urls
    upgrade(target)
    with closing(SqlLedger(source, "a")) as one, closing(SqlLedger(target, "b")) as other:
        before = other.identity()

        def stop(table: str, done: int, rows: int) -> None:
            if table == "visits":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            copy(source, target, stop)
        assert other.identity() == before != one.identity()
        for _ in range(2):
            assert copy(source, target).identity == one.identity() == other.identity()


def test_again_and_back(urls: tuple[str, str], tmp_path: Path) -> None:
    """A second copy writes nothing; a copy of the copy has the same digests."""
    source, target = urls
    first = copy(source, target).tables
    again = copy(source, target).tables
    assert [(t.table, t.digest, t.written) for t in again] == [
        (t.table, t.digest, 0) for t in first
    ]
    back = copy(target, f"sqlite:///{tmp_path}/back.db").tables
    assert [table.digest for table in back] == [table.digest for table in first]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_interrupted_goes_on(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off in the middle of a table, the copy goes on there, and takes over what visits
    became since."""
    source, target = f"sqlite:///{tmp_path}/source.db", new_url(engine, request, tmp_path / "t")
    ledger = full(source)
    monkeypatch.setattr(copy_module, "BATCH", 50)

    def stop(table: str, done: int, rows: int) -> None:
        if table == "visits" and done == 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, target, stop)
    first = min(ledger.visits(-1.0), key=lambda row: row.id.encode())
    ledger.write_visits([replace(first, rev=7, end=first.end + 60)])
    (visits,) = [table for table in copy(source, target).tables if table.table == "visits"]
    assert visits.rows == 301
    assert 150 <= visits.written <= 252
    ledger.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_confirmations_that_were_renewed(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Run again, a copy takes over what confirmations and meetings became since; texts come as they
    are, and what the schema says of itself is the target's own."""
    source, target = f"sqlite:///{tmp_path}/source.db", new_url(engine, request, tmp_path / "t")
    upgrade(source)
    ledger = SqlLedger(source, "a")
    for step in (START, START + 60):
        ledger.acknowledge(confirmed(step))
        ledger.meet(met(START, step))
        ledger.keep_notice(text_of())
        copied = {table.table: table.written for table in copy(source, target).tables}
        assert (copied["acknowledgements"], copied["notice_meetings"]) == (1, 1)
        assert "schema_compatibility" not in copied
    other = SqlLedger(target, "b")
    assert list(other.acknowledgements()) == [confirmed(START + 60)]
    assert list(other.meetings()) == [met(START, START + 60)]
    assert list(other.notice_versions()) == [text_of()]
    other.close()
    ledger.close()


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """SIGKILL at several moments: each next run goes on, and the last one finds both equal."""
    source, target = f"sqlite:///{tmp_path}/source.db", f"sqlite:///{tmp_path}/target.db"
    full(source, 8_000).close()
    command = [sys.executable, "-m", "proxy_addon", "db", "copy", source, target]
    for seconds in (0.8, 1.0, 1.2):
        running = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)  # not a wait for anything: the moment of the crash
        running.send_signal(signal.SIGKILL)
        running.wait()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "visits: 8,001 rows" in done.stdout


@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_in_use_is_refused(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A target with rows that the source has not, or has otherwise, is refused, and nothing in it
    changes."""
    source, target = f"sqlite:///{tmp_path}/source.db", new_url(engine, request, tmp_path / "t")
    full(source).close()
    upgrade(target)
    other = SqlLedger(target, "b")
    other.write_visits([visit(5, id="zzz")])
    with pytest.raises(
        LedgerUnusable, match="not empty and no earlier part of this copy: its visits"
    ):
        copy(source, target)
    assert [row.id for row in other.visits(-1.0)] == ["zzz"]
    assert other.audit_log() == []
    other.close()


def test_wrong_ends(tmp_path: Path) -> None:
    """The same database twice, a source that is not ours and one that is not there: one line,
    nothing made."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(url)
    for source, target, said in (
        (url, f"sqlite:///{tmp_path}/../{tmp_path.name}/ledger.db", "same database"),
        (f"sqlite:///{tmp_path}/no.db", f"sqlite:///{tmp_path}/new.db", "cannot be opened"),
        ("mysql://x", url, "not supported"),
    ):
        with pytest.raises(LedgerUnusable, match=said):
            copy(source, target)
    assert not (tmp_path / "new.db").exists()


def test_a_difference_at_the_end_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who changes the target behind the copy's back is found out by count and digest."""
    source, target = f"sqlite:///{tmp_path}/source.db", f"sqlite:///{tmp_path}/target.db"
    full(source).close()

    def meddle(table: str, done: int, rows: int) -> None:
        if table == "visits" and done == rows:
            with connected(target) as connection:
                connection.execute(text("UPDATE visits SET platform = 'other' WHERE id = 'v'"))

    with pytest.raises(LedgerUnusable, match="visits has rows: 301, digest"):
        copy(source, target, meddle)
    shutil.rmtree(tmp_path)
