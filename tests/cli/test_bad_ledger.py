"""Databases that cannot be used, through the real command: one line each, exit code 1, nothing
changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from db.upgrade import upgrade
from tests.cli.command_setup import line, office
from tests.db.engines import connected
from tests.postgres import PostgresServer

RUN = ("run", "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")
COMMANDS = (
    ("usage", "ana"),
    ("grant", "ana", "daily", "5m", "--reason", "x"),
    ("reset", "ana", "daily", "--reason", "x"),
    ("audit",),
    ("people", "export", "ana"),
    ("people", "erase", "ana", "--now", "--yes"),
    ("db", "check"),
    ("db", "prune"),
)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An office that other users of this machine can read."""
    made = Path(tempfile.mkdtemp(prefix="allowance-bad-"))
    made.chmod(0o755)
    yield office(made, monkeypatch)
    shutil.rmtree(made)


def fails(
    *words: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> str:
    """What `allowance …` says in a process of its own: one line on standard error, exit code 1."""
    done = subprocess.run(
        [*before, sys.executable, "-m", "proxy_addon", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)} | dict(variables or {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, (words, done)
    assert done.stdout == "", (words, done)
    assert len(done.stderr.splitlines()) == 1, (words, done.stderr)
    return done.stderr


def all_fail(url: str, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command says the same and shows no password; the proxy in a process of its own."""
    lines = [fails(*RUN, folder=folder, variables={"ALLOWANCE_DATABASE": url})]
    monkeypatch.setenv("ALLOWANCE_DATABASE", url)
    lines += [line(*words) for words in COMMANDS]
    for words, told in zip((RUN, *COMMANDS), lines, strict=True):
        assert said in told, (words, told)
        assert "s3cret" not in told


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://var/x.db", "sqlite:///"),
        ("mysql://ana:s3cret@db/x", "mysql"),
        ("nonsense", "database"),
        ("sqlite:////proc/nowhere/x.db", "SQLite file /proc/nowhere/x.db"),
    ],
)
def test_wrong_urls(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str, said: str) -> None:
    """A URL that names no database, or one that is not there, ends every command; no password is
    shown."""
    all_fail(url, said, folder, monkeypatch)


def commands_fail(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy serves without such a ledger (`tests/faults/test_starts.py`); every command says
    the same and shows no password."""
    monkeypatch.setenv("ALLOWANCE_DATABASE", url)
    for words in COMMANDS:
        told = line(*words)
        assert said in told and "s3cret" not in told, (words, told)


def test_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Ends every command with its address."""
    commands_fail("postgresql://ana:s3cret@127.0.0.1:1/x", "cannot be reached", monkeypatch)


@pytest.mark.postgres
def test_wrong_password(
    monkeypatch: pytest.MonkeyPatch, folder: Path, postgres_server: PostgresServer
) -> None:
    """A refused sign-in says so and what to check; nothing is made in the database."""
    name = postgres_server.new_database()
    url = postgres_server.url(name, password="s3cret")
    commands_fail(url, "refuses this user or password", monkeypatch)
    with connected(postgres_server.url(name)) as connection:
        assert (
            connection.execute(
                text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            ).scalar()
            == 0
        )


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_newer_schema(
    monkeypatch: pytest.MonkeyPatch, engine: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    """A database that a newer version made is left as it is."""
    url = (
        f"sqlite:///{folder}/new.db"
        if engine == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    upgrade(url)
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ledger_9999'"))
        connection.execute(text("UPDATE schema_compatibility SET oldest = 'ledger_9998'"))
    all_fail(url, "'ledger_9999', which this version does not know", folder, monkeypatch)
    with connected(url) as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            == "ledger_9999"
        )


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_somebody_elses_database(
    monkeypatch: pytest.MonkeyPatch, engine: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    """A database with tables of another program is not touched."""
    url = (
        f"sqlite:///{folder}/other.db"
        if engine == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    if engine == "sqlite":
        sqlite3.connect(folder / "other.db").close()
    with connected(url) as connection:
        connection.execute(text("CREATE TABLE invoices (id integer)"))
    before = digest(folder / "other.db") if engine == "sqlite" else ""
    all_fail(url, "tables of another program (invoices)", folder, monkeypatch)
    if engine == "sqlite":
        assert digest(folder / "other.db") == before


def test_no_database_at_all(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A file that is something else is named as that and left alone."""
    (folder / "photo.db").write_bytes(b"not a database at all" * 100)
    before = digest(folder / "photo.db")
    all_fail(f"sqlite:///{folder}/photo.db", "is damaged or no database", folder, monkeypatch)
    assert digest(folder / "photo.db") == before


def test_a_read_only_file(folder: Path) -> None:
    """A ledger that cannot be written to ends the proxy and every command that writes, before
    anything is done."""
    url = f"sqlite:///{folder}/fixed.db"
    upgrade(url)
    fixed = folder / "fixed.db"
    fixed.chmod(0o444)
    before = digest(fixed)
    # Root may write to every file, unless that right is taken away.
    drop = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    if drop and shutil.which(drop[0]) is None:
        pytest.skip("root without setpriv can write to read-only files")
    for words in (RUN, COMMANDS[1], ("db", "check"), ("db", "prune")):
        told = fails(*words, folder=folder, variables={"ALLOWANCE_DATABASE": url}, before=drop)
        assert "takes no writes" in told, (words, told)
    assert digest(fixed) == before


@pytest.mark.parametrize("words", [RUN, COMMANDS[0], ("rules", "check")])
def test_a_time_zone_that_has_gone(folder: Path, words: tuple[str, ...]) -> None:
    """Rules that name a zone which this machine no longer has say where, and no database is
    made."""
    policy = folder / "rules" / "policy.yaml"
    policy.write_text(policy.read_text().replace("timezone: UTC", "timezone: Europe/Atlantis"))
    done = subprocess.run(
        [sys.executable, "-m", "proxy_addon", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    lines = [each for each in (done.stdout + done.stderr).splitlines() if "policy.yaml" in each]
    assert len(lines) == 1
    assert "policy.yaml:3:" in lines[0]
    assert "Europe/Atlantis" in lines[0]
    assert not (folder / "var" / "allowance.db").exists()


def digest(path: Path) -> str:
    """Tells whether a file has changed."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
