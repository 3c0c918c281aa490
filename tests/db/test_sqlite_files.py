"""Twin of db/sqlite_files.py: the file of a running ledger is removed, moved, replaced or robbed of
its companions."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from db import sqlite_files
from db.copy import copy
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError, LedgerUnavailable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.writer import Writer
from proxy_addon.system.clock import SystemClock

VISIT = Visit("v0", "ana", "x", None, "daily", "r", 0.0, 1.0, "a")


def url_of(path: Path) -> str:
    """The URL of a file."""
    return f"sqlite:///{path}"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a ledger, in a folder of its own."""
    monkeypatch.setattr(sqlite_files, "APART_SECONDS", 0.2)
    upgrade(url_of(tmp_path / "var/ledger.db"))
    return tmp_path / "var/ledger.db"


@pytest.fixture
def ledger(file: Path) -> Iterator[SqlLedger]:
    """The ledger in it, in use: there is a visit, and connections are open."""
    ledger = SqlLedger(url_of(file), "a")
    ledger.write_visits([VISIT])
    yield ledger
    ledger.close()


def ids(path: Path) -> set[str]:
    """The visits that a file has, as anybody finds them who opens it now."""
    with closing(SqlLedger(url_of(path), "reader")) as reader:
        return {row.id for row in reader.visits(-1.0)}


def write_in_the_end(ledger: SqlLedger, visit: Visit) -> list[str]:
    """Try as the writer does; the kinds of what went wrong meanwhile."""
    kinds: list[str] = []
    give_up = time.monotonic() + 20
    while True:
        try:
            ledger.write_visits([visit])
            return kinds
        except LedgerError as problem:
            kinds.append(problem.kind)
            assert time.monotonic() < give_up, problem
            time.sleep(0.05)


def remove_file(file: Path) -> None:
    """Only the file itself; its companions stay."""
    file.unlink()


def remove_folder(file: Path) -> None:
    """The whole folder."""
    shutil.rmtree(file.parent)


def move_folder(file: Path) -> None:
    """The folder has another name now; everything in it can be written to."""
    file.parent.rename(file.parent.with_name("elsewhere"))


@pytest.mark.parametrize(
    "damage", [remove_file, remove_folder, move_folder], ids=lambda f: f.__name__
)
def test_what_is_gone_takes_nothing(
    ledger: SqlLedger, file: Path, damage: Callable[[Path], None]
) -> None:
    """No write to what nobody will find is a success, nothing is made in its place, and the
    sentence says what to do."""
    damage(file)
    for number in range(3):
        for call in (
            lambda: ledger.write_visits([VISIT]),
            lambda: ledger.news(0.0),
            ledger.check,
            ledger.identity,
        ):
            with pytest.raises(LedgerUnavailable, match="removed while it was in use") as caught:
                call()
            assert caught.value.kind == "gone"
            assert "put it back" in str(caught.value)
            assert "\n" not in str(caught.value)
        time.sleep(0.15 * number)
    assert not file.exists()


def test_removed_between_the_write_and_the_answer(ledger: SqlLedger, file: Path) -> None:
    """A commit that succeeds in a file which has no name any more is not reported as a success."""
    with (
        pytest.raises(LedgerUnavailable, match="removed while it was in use"),
        ledger._connections.writing() as connection,
    ):
        connection.execute(text("UPDATE visits SET rev = 7"))
        file.unlink()


def test_moved_away_and_back(ledger: SqlLedger, file: Path) -> None:
    """The same file is used again, with all that was written before."""
    file.parent.rename(file.parent.with_name("elsewhere"))
    with pytest.raises(LedgerUnavailable):
        ledger.write_visits([replace(VISIT, id="v1")])
    file.parent.with_name("elsewhere").rename(file.parent)
    write_in_the_end(ledger, replace(VISIT, id="v1"))
    assert ids(file) == {"v0", "v1"}


def test_a_copy_is_put_in_its_place(ledger: SqlLedger, file: Path, tmp_path: Path) -> None:
    """A backup has the id of the ledger: it is used, although the -wal of the old file lies beside
    it, which is set aside and not taken for its own."""
    copy(url_of(file), url_of(tmp_path / "backup.db"))
    for number in range(1, 20):
        ledger.write_visits([replace(VISIT, id=f"v{number}")])
    (tmp_path / "backup.db").rename(file)
    kinds = write_in_the_end(ledger, replace(VISIT, id="later"))
    assert set(kinds) == {"gone"}
    assert ids(file) == {"v0", "later"}
    assert len(list(file.parent.glob("ledger.db-wal.replaced-*"))) == 1
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("content", ["nothing", "tables", "another"])
def test_something_else_is_put_in_its_place(
    ledger: SqlLedger, file: Path, tmp_path: Path, content: str
) -> None:
    """An empty file, one with tables of another program, and another ledger take nothing; the
    ledger is used again when it is back."""
    other = tmp_path / "other.db"
    if content == "another":
        upgrade(url_of(other))
    else:
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("CREATE TABLE invoices (id)" if content == "tables" else "VACUUM")
    before = other.read_bytes()
    file.rename(file.with_name("kept.db"))
    file.with_name("ledger.db-wal").rename(file.with_name("kept.db-wal"))
    shutil.copy(other, file)
    give_up = time.monotonic() + 20
    while True:
        with pytest.raises(LedgerUnavailable) as caught:
            ledger.write_visits([replace(VISIT, id="v1")])
        if "opened again in a moment" not in str(caught.value):
            break
        assert time.monotonic() < give_up
    assert caught.value.kind == ("identity" if content == "another" else "gone")
    assert "put back the one that was used until now" in str(caught.value)
    assert content == "another" or file.read_bytes() == before
    for each in file.parent.glob("ledger.db*"):
        each.unlink()
    file.with_name("kept.db-wal").rename(file.with_name("ledger.db-wal"))
    file.with_name("kept.db").rename(file)
    write_in_the_end(ledger, replace(VISIT, id="v1"))
    assert ids(file) == {"v0", "v1"}


@pytest.mark.parametrize("names", [("-wal",), ("-shm",), ("-wal", "-shm")], ids="".join)
def test_companions_are_removed(ledger: SqlLedger, file: Path, names: tuple[str, ...]) -> None:
    """What was committed to a -wal that was removed is carried over to the file when the last
    connection is closed; then all goes on."""
    ledger.write_visits([replace(VISIT, id="v1")])
    for name in names:
        Path(f"{file}{name}").unlink()
    kinds = write_in_the_end(ledger, replace(VISIT, id="v2"))
    assert kinds
    assert set(kinds) == {"gone"}
    assert ids(file) == {"v0", "v1", "v2"}
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_two_processes_see_it(ledger: SqlLedger, file: Path) -> None:
    """Another process that writes all the time and this one both come back, and nothing that
    either was told is stored is missing."""
    code = f"""
import sys, time
from dataclasses import replace
from db.ledger import SqlLedger
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError
ledger = SqlLedger({url_of(file)!r}, "b")
for number in range(60):
    try:
        ledger.write_visits([Visit(f"b{{number}}", "bo", "x", None, None, None, 0.0, 1.0, "b")])
        print(f"b{{number}}", flush=True)
    except LedgerError as problem:
        print(problem.kind, file=sys.stderr, flush=True)
    time.sleep(0.1)
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "b0\n"
    Path(f"{file}-wal").unlink()
    Path(f"{file}-shm").unlink()
    write_in_the_end(ledger, replace(VISIT, id="v1"))
    out, errors = other.communicate(timeout=60)
    assert "gone" in errors
    assert ids(file) >= {"v0", "v1", "b0", *out.split()}


def test_nothing_is_lost(file: Path, tmp_path: Path) -> None:
    """The folder of the file is removed under a proxy that writes: all that it saw afterwards is in
    the journal, and in the backup that is put back."""
    ledger = SqlLedger(url_of(file), "a")
    journal = Journal(tmp_path / "journal", "a", JournalOwner("ledger"))
    writer = Writer(
        ledger,
        node="a",
        on_news=lambda _: None,
        clock=SystemClock(),
        flush_seconds=0.1,
        journal=journal,
    )
    writer.start()
    writer.put(VISIT)
    give_up = time.monotonic() + 20
    while ids(file) != {"v0"}:
        assert time.monotonic() < give_up
    copy(url_of(file), url_of(tmp_path / "backup.db"))
    shutil.rmtree(file.parent)
    put = [replace(VISIT, id=f"later{number}") for number in range(23)]
    for visit in put:
        writer.put(visit)
        time.sleep(0.02)
    while not all(journal.has(visit) for visit in put):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert "removed while it was in use" in str(writer.state().message)
    file.parent.mkdir()
    (tmp_path / "backup.db").rename(file)
    assert writer.stop(20.0) == 0
    ledger.close()
    assert ids(file) == {"v0", *(visit.id for visit in put)}
    assert list((tmp_path / "journal").glob("*.lock")) == []  # nothing is left to replay
