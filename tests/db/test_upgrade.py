"""Twin of db/upgrade.py: what a start does to a database, and what it leaves alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import HEAD, schema_version
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerUnavailable, LedgerUnusable
from tests.db.engines import ENGINES, connected, new_url
from tests.postgres import PostgresServer


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it."""
    return new_url(request.param, request, tmp_path)


def test_upgrade_makes_the_tables_once(url: str) -> None:
    """The first upgrade makes all tables, the second finds nothing to do."""
    assert upgrade(url) is True
    assert upgrade(url) is False
    with connected(url) as connection:
        version, tables = schema_version(connection)
    assert version == HEAD
    assert tables == {
        "visits",
        "people",
        "grants",
        "time_requests",
        "acknowledgements",
        "audit",
        "rule_versions",
        "erasures",
        "notice_meetings",
        "notice_versions",
        "schema_compatibility",
        "ledger_identity",
    }


def test_upgrade_works_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrations are found beside the code, not in the working folder; a relative file counts from
    there."""
    folder = tmp_path / "50% off & more"
    folder.mkdir()
    monkeypatch.chdir(folder)
    upgrade("sqlite:///deep/down/ledger.db")
    assert (folder / "deep/down/ledger.db").exists()


def test_five_processes_start_together(url: str) -> None:
    """One of them migrates, the others wait for it, all succeed, find one id, and the ledger
    works."""
    code = f"""from db.ledger import SqlLedger
from db.upgrade import upgrade
print(upgrade({url!r}), SqlLedger({url!r}, "a").identity())
"""
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]
    results = [(start.communicate(timeout=240), start.returncode) for start in starts]
    assert [code for _, code in results] == [0] * 5, results
    said = sorted(out.split() for (out, _), _ in results)
    ledger = SqlLedger(url, "a")
    ledger.check()
    key = ledger.identity()
    assert said == [["False", key]] * 4 + [["True", key]]
    ledger.close()


def opened_and_checked(url: str) -> None:
    """What `allowance run` does with a ledger before anything else."""
    with closing(SqlLedger(url, "a")) as ledger:
        ledger.check()


def test_a_newer_schema_is_left_alone(url: str) -> None:
    """A revision we do not know: one line, and nothing is changed."""
    upgrade(url)
    with connected(url) as connection:
        connection.execute(text("DELETE FROM schema_compatibility"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'ledger_9999'"))
    for attempt in (lambda: upgrade(url), lambda: opened_and_checked(url)):
        with pytest.raises(LedgerUnusable, match="ledger_9999") as caught:
            attempt()
        assert "\n" not in str(caught.value)
    with connected(url) as connection:
        assert schema_version(connection)[0] == "ledger_9999"


def test_somebody_elses_database_is_left_alone(url: str, tmp_path: Path) -> None:
    """Tables of another program: one line that names them, and not one table or byte more than
    before."""
    if url.startswith("sqlite"):
        (tmp_path / "var").mkdir()
        with sqlite3.connect(tmp_path / "var/ledger.db") as other:
            other.execute("CREATE TABLE invoices (id INTEGER)")
        other.close()
        before = sha256((tmp_path / "var/ledger.db").read_bytes()).digest()
    else:
        with connected(url) as connection:
            connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    for attempt in (lambda: upgrade(url), lambda: opened_and_checked(url)):
        with pytest.raises(LedgerUnusable, match="invoices"):
            attempt()
    with connected(url) as connection:
        assert schema_version(connection) == (None, {"invoices"})
    if url.startswith("sqlite"):
        assert sha256((tmp_path / "var/ledger.db").read_bytes()).digest() == before


def test_an_interrupted_upgrade_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails half-way is undone whole, and the next one succeeds."""
    from alembic import op

    real = op.create_index

    def fail(name: str, *args: object, **more: object) -> None:
        if name == "ix_audit_at":
            raise OSError("the disk went away")
        real(name, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_index", fail)
        with pytest.raises(LedgerUnusable):
            upgrade(url)
    with connected(url) as connection:
        assert schema_version(connection) == (None, frozenset())
    assert upgrade(url) is True


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """The SQLite file and what SQLite puts beside it have mode 0600; a new folder is closed to
    others."""
    url = f"sqlite:///{tmp_path}/var/ledger.db"
    upgrade(url)
    ledger = SqlLedger(url, "a")
    ledger.write_visits([Visit("v", "ana", "x", None, None, None, 0.0, 1.0, "a")])
    files = sorted((tmp_path / "var").iterdir())
    assert [file.name for file in files] == ["ledger.db", "ledger.db-shm", "ledger.db-wal"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "var").stat().st_mode & 0o077 == 0
    ledger.close()


def test_a_ledger_does_not_make_a_file(tmp_path: Path) -> None:
    """Only an upgrade makes a database: a command with a wrong path must not leave an empty one
    behind."""
    ledger = SqlLedger(f"sqlite:///{tmp_path}/no.db", "a")
    with pytest.raises(LedgerUnusable, match="cannot be opened"):
        ledger.check()
    ledger.close()
    assert not (tmp_path / "no.db").exists()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A text file is named as such, and kept."""
    (tmp_path / "notes.txt").write_text("remember the milk " * 500)
    with pytest.raises(LedgerUnusable, match="no database"):
        upgrade(f"sqlite:///{tmp_path}/notes.txt")
    assert (tmp_path / "notes.txt").read_text().startswith("remember")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file where a folder should be is one clear line."""
    (tmp_path / "var").write_text("")
    with pytest.raises(LedgerUnusable, match="cannot be opened") as caught:
        upgrade(f"sqlite:///{tmp_path}/var/ledger.db")
    assert "\n" not in str(caught.value)


@pytest.mark.postgres
def test_postgres_says_no(postgres_server: PostgresServer) -> None:
    """A wrong password, user, database or port: the right kind, one line, no password in it."""
    cases = [
        (postgres_server.url(password="s3cret"), LedgerUnusable, "password"),
        (postgres_server.url().replace("postgres:", "nobody:"), LedgerUnusable, "user or password"),
        (postgres_server.url("nowhere"), LedgerUnusable, "does not exist"),
        ("postgresql://u:s3cret@127.0.0.1:1/d", LedgerUnavailable, "cannot be reached"),
        ("postgresql://u:s3cret@nowhere.invalid/d", LedgerUnavailable, "cannot be reached"),
    ]
    for url, error, words in cases:
        with pytest.raises(error, match=words) as caught:
            upgrade(url)
        assert "\n" not in str(caught.value)
        assert "s3cret" not in str(caught.value)
        assert "sesame" not in str(caught.value)


@pytest.mark.postgres
def test_postgres_without_the_right_to_create(postgres_server: PostgresServer) -> None:
    """A user who may not create tables is told so."""
    name = postgres_server.new_database()
    postgres_server.run(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
    url = postgres_server.url(name).replace("postgres:", f"{name}:").replace("open%20sesame", "pw")
    with pytest.raises(LedgerUnusable, match="grant the rights"):
        upgrade(url)
