"""Twin of db/sqlite.py: how the file behaves under several users and on a bad disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db import sqlite as sqlite_module
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerUnavailable
from tests.db.engines import connected


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ledger's file with our tables."""
    upgrade(f"sqlite:///{tmp_path}/ledger.db")
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(file: Path) -> Iterator[SqlLedger]:
    """The ledger in it."""
    ledger = SqlLedger(f"sqlite:///{file}", "a")
    yield ledger
    ledger.close()


def visits(count: int, first: int = 0) -> list[Visit]:
    """Visits with long names, so that they take room."""
    return [
        Visit(f"v{n}", "p" * 500, "x", None, None, None, 0.0, 1.0, "a")
        for n in range(first, first + count)
    ]


def test_pragmas(file: Path) -> None:
    """Every connection is durable, checks foreign keys and overwrites what it deletes."""
    with connected(f"sqlite:///{file}") as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "secure_delete",
                "busy_timeout",
            )
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }


def test_readers_do_not_wait_for_a_writer(file: Path, ledger: SqlLedger) -> None:
    """While another process is in the middle of writing, reading goes on."""
    ledger.write_visits(visits(1))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert len(list(ledger.visits(0.0))) == 1
    other.close()


def test_a_lock_that_stays(file: Path, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that another process keeps out says so after the busy timeout, and works
    afterwards."""
    monkeypatch.setattr(sqlite_module, "BUSY_SECONDS", 0.2)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="locked by another process") as caught:
        ledger.write_visits(visits(1))
    assert caught.value.kind == "locked"
    other.execute("ROLLBACK")
    other.close()
    ledger.write_visits(visits(1))
    assert len(list(ledger.visits(0.0))) == 1


def test_processes_write_at_once(file: Path, ledger: SqlLedger) -> None:
    """Two other processes and this one write into one file; every row arrives."""
    code = (
        "import sys; from db.ledger import SqlLedger; from proxy_addon.core.types import Visit\n"
        f"ledger = SqlLedger('sqlite:///{file}', sys.argv[1])\n"
        "for n in range(30): ledger.write_visits([Visit(f'{sys.argv[1]}{n}', 'ana', 'x', None, None, None,"
        " 0.0, 1.0, sys.argv[1])])"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, name]) for name in ("b", "c")]
    for row in visits(30):
        ledger.write_visits([row])
    assert [other.wait(60) for other in others] == [0, 0]
    assert len(list(ledger.visits(0.0))) == 90


def test_a_full_disk(tmp_path: Path) -> None:
    """On a real full disk writing says so, what was there stays readable, and space makes it work
    again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip(
            "needs the right to mount a small tmpfs; test_a_file_at_its_limit covers the rest"
        )
    try:
        upgrade(f"sqlite:///{disk}/ledger.db")
        ledger = SqlLedger(f"sqlite:///{disk}/ledger.db", "a")
        ledger.write_visits(visits(1))
        (disk / "filler").write_bytes(b"x" * (space(disk) - 65_536))
        with pytest.raises(LedgerUnavailable, match="disk is full") as caught:
            ledger.write_visits(visits(2000, 1))
        assert caught.value.kind == "full"
        assert len(list(ledger.visits(0.0))) == 1
        (disk / "filler").unlink()
        ledger.write_visits(visits(100, 1))
        assert len(list(ledger.visits(0.0))) == 101
        ledger.close()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_file_at_its_limit(file: Path, ledger: SqlLedger) -> None:
    """A file that may not grow is a full disk: all of a batch is refused, and goes in later."""
    ledger.write_visits(visits(1))
    with ledger._connections.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(LedgerUnavailable, match="disk is full"):
        ledger.write_visits(visits(2000, 1))
    assert len(list(ledger.visits(0.0))) == 1
    with ledger._connections.engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    ledger.write_visits(visits(2000, 1))
    assert len(list(ledger.visits(0.0))) == 2001


def test_a_read_only_file() -> None:
    """A file without the right to write fails the check with the file's name and the way out."""
    folder = Path(
        tempfile.mkdtemp(prefix="allowance-read-only-")
    )  # pytest's own folders are closed to others
    try:
        upgrade(f"sqlite:///{folder}/ledger.db")
        (folder / "ledger.db").chmod(0o444)
        folder.chmod(0o555)
        code = (
            "import os; from db.ledger import SqlLedger; from proxy_addon.ledger.interface import LedgerError\n"
            f"ledger = SqlLedger('sqlite:///{folder}/ledger.db', 'a')\n"
            "if os.geteuid() == 0: os.setresuid(65534, 65534, 65534)  # root may write to everything\n"
            "try: ledger.check()\n"
            "except LedgerError as problem: print(problem.kind, problem)"
        )
        result = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert result.stdout.startswith(("read-only ", "missing ")), result
        assert "ledger.db" in result.stdout
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_what_is_deleted_is_overwritten(file: Path, ledger: SqlLedger) -> None:
    """After pruning, the name of the person can no longer be found in the bytes of the file."""
    ledger.write_visits([Visit("v", "Rumpelstiltskin", "x", None, None, None, 0.0, 1.0, "a")])
    ledger.prune(2.0)
    ledger.close()
    assert b"Rumpelstiltskin" not in file.read_bytes()


def space(folder: Path) -> int:
    """Bytes that are free."""
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize
