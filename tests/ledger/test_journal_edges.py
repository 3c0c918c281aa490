"""The journal on both sides of its thresholds, its form on the disk, and others that take it away
meanwhile."""

from __future__ import annotations

import fcntl
import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from proxy_addon.core.types import EvidenceSummary, Visit
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_files import taken
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.journal_records import read
from proxy_addon.ledger.refused import write_apart
from proxy_addon.ledger.replay import Replayed, replay
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.test_journal import PLACE, START, crash, left_by, visit

# As it was written by every version so far: a journal that an earlier version left has to be found
# and read.
NAME = "7618748c-a"
LINE = (
    b'd6efe915 ["v1","Zo\xc3\xab \xf0\x9f\x99\x82","x",null,"daily","r",'
    b'1793610000.0,1793610001.0,"a",1,null]\n'
)
SIZE = 80  # bytes of the record of `visit(n)` with a number and a rev of one digit


@pytest.fixture(autouse=True)
def _no_log_configuration() -> Iterator[None]:
    """Logs are looked at here; no other test's configuration may get in between."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def small(folder: Path, most: int, reserved: int | None = None) -> Journal:
    """A journal whose files take so many bytes."""
    return Journal(
        folder, "a", PLACE, most_bytes=most, reserved_bytes=most if reserved is None else reserved
    )


def sizes(journal: Journal, revs: Sequence[int]) -> list[int]:
    """How many records the journal has after each revision of one visit."""
    found = []
    for rev in revs:
        journal.add([visit(1, rev)])
        found.append(journal.size // SIZE)
    return found


def record(text: bytes) -> bytes:
    """A line with a good check."""
    return b"%08x %s\n" % (zlib.crc32(text), text)


def test_the_form_on_the_disk(tmp_path: Path) -> None:
    """Name and lines are those of earlier versions, with names in UTF-8, so that an upgrade loses
    no journal."""
    journal = left_by(tmp_path, [visit(1, person="Zoë 🙂")])
    assert journal.path == tmp_path / f"{NAME}.lock"
    assert journal.path.with_suffix(".a").read_bytes().rstrip(b"\0") == LINE


def test_evidence_comes_back(tmp_path: Path) -> None:
    """The trail of a visit lies in the journal as text, and is the same trail when it is read."""
    trail = EvidenceSummary(("page-opened", START), closed=("time-up", START + 9.5), given_back=1.5)
    left = [visit(1, evidence=trail), visit(2)]
    assert read(left_by(tmp_path, left).path) == (left, 0)


def test_a_journal_of_an_earlier_version_is_found(tmp_path: Path) -> None:
    """Files that an earlier version left under its name are written to the ledger."""
    (tmp_path / f"{NAME}.lock").touch()
    (tmp_path / f"{NAME}.b").write_bytes(LINE)
    ledger = MemoryLedger()
    assert replay(tmp_path, PLACE, ledger) == Replayed(journals=1, visits=1)
    assert list(ledger.visits(0.0)) == [visit(1, person="Zoë 🙂")]


def test_nothing_new_takes_no_room(tmp_path: Path) -> None:
    """Nothing to add, or nothing that is new, finds its room: none was missing."""
    journal = small(tmp_path, SIZE)
    assert journal.add([]) == 0
    assert journal.add([visit(1)]) == 0
    assert journal.add([visit(1)]) == 0
    assert (journal.size, journal.dropped) == (SIZE, 0)
    journal.close()


def test_the_last_byte_is_used(tmp_path: Path) -> None:
    """A record that just fits is kept; with a byte less of room it is not, and is counted."""
    journal = small(tmp_path / "fits", 3 * SIZE)
    assert journal.add([visit(n) for n in range(3)]) == 0
    assert (journal.held, journal.dropped) == (3, 0)
    journal.close()
    journal = small(tmp_path / "misses", 3 * SIZE - 1)
    assert journal.add([visit(n) for n in range(3)]) == 1
    assert (journal.held, journal.dropped) == (2, 1)
    assert journal.add([visit(4)]) == 1
    assert (journal.held, journal.dropped) == (2, 2)
    assert read(journal.path)[1] == 0
    journal.close()


def test_when_it_is_rewritten(tmp_path: Path) -> None:
    """A file is rewritten when it has grown beyond half of what is reserved and to more than four
    times of what was needed the last time: not before, so that writing stays cheap."""
    journal = small(tmp_path, 100 * SIZE, 4 * SIZE)
    assert sizes(journal, range(1, 4)) == [1, 2, 1]
    assert sizes(journal, range(4, 9)) == [2, 3, 4, 1, 2]
    crash(journal)
    assert read(journal.path) == ([visit(1, 8)], 0)


@pytest.mark.parametrize(("more", "missing"), [(0, 1), (2, 0)])
def test_rewriting_a_full_file(tmp_path: Path, more: int, missing: int) -> None:
    """A full file of which less than half was needed the last time is rewritten to make room; one
    of which half was needed is not, because that would help little and be done for every visit."""
    journal = small(tmp_path, 4 * SIZE + more)
    journal.add([visit(1), visit(2)])
    assert journal.add([visit(1, 2)]) == 0
    assert journal.size == 2 * SIZE
    assert sizes(journal, (3, 4)) == [3, 4]
    assert journal.add([visit(1, 5)]) == missing
    assert journal.dropped == missing
    assert journal.has(visit(1, 5)) != bool(missing)
    assert journal.has(visit(1, 4)) and journal.has(visit(2))
    journal.close()


def test_more_than_a_piece_at_once(tmp_path: Path) -> None:
    """Megabytes in one call are there whole and once, and take the room of their records."""
    visits = [visit(n, section=f"{n}" * 150_000) for n in range(10, 20)]
    journal = Journal(tmp_path, "a", PLACE)
    assert journal.add(visits) == 0
    assert journal.size == sum(len(one.section or "") + SIZE - 1 for one in visits)
    crash(journal)
    assert read(journal.path) == (visits, 0)


def test_a_disk_that_takes_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the system writes less than it was given the rest follows, at its place."""
    journal, pwrite = Journal(tmp_path, "a", PLACE), os.pwrite
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda file, data, at: pwrite(file, data[:7], at))
        journal.add([visit(1), visit(2)])
    crash(journal)
    assert journal.size == 2 * SIZE
    assert read(journal.path) == ([visit(1), visit(2)], 0)


def test_what_was_emptied_is_empty(tmp_path: Path) -> None:
    """A crash after the ledger had all leaves nothing to read, not even a damaged line."""
    journal = Journal(tmp_path, "a", PLACE)
    journal.add([visit(1), visit(2)])
    journal.settle([visit(1), visit(2)])
    crash(journal)
    for suffix in (".a", ".b"):
        assert not journal.path.with_suffix(suffix).read_bytes().strip(b"\0")
    assert read(journal.path) == ([], 0)


def test_the_same_revision_twice(tmp_path: Path) -> None:
    """Of two records with the same rev the first stays, as it does in a ledger; a higher one
    replaces it."""
    journal = left_by(tmp_path, [visit(1, 2), visit(2, 2)])
    other = [visit(1, 2, person="bo"), visit(2, 3)]
    other_file = left_by(tmp_path / "other", other).path.with_suffix(".a")
    journal.path.with_suffix(".b").write_bytes(other_file.read_bytes())
    assert read(journal.path) == ([visit(1, 2), visit(2, 3)], 0)


@pytest.mark.parametrize(
    "text",
    [
        b'["v1",5,"x",null,"daily","r",1.0,2.0,"a",1,null]',
        b'["v1","ana","x",null,"daily","r","1",2.0,"a",1,null]',
        b'["v1","ana","x",null,"daily","r",1.0,2.0,"a",1.5,null]',
        b'["v1","ana","x",null,"daily","r",1.0,2.0,"a",1,null,null]',
        b'["v1","ana","x",null,"daily","r",1.0,2.0,"a"]',
        b'{"id":"v1"}',
        b'"ten-letter"',
        b'"eleven-long"',
        b"7",
        b"not json",
    ],
)
def test_a_good_check_is_not_enough(tmp_path: Path, text: bytes) -> None:
    """A whole line whose fields are not those of a visit, in number or kind, is counted as
    damaged."""
    journal = left_by(tmp_path, [visit(1)])
    journal.path.with_suffix(".b").write_bytes(record(text))
    assert read(journal.path) == ([visit(1)], 1)


def test_nothing_to_replay_is_nothing(tmp_path: Path) -> None:
    """Where no process has left anything, nothing is counted; what was left is counted by its
    kind."""
    assert astuple(replay(tmp_path / "none", PLACE, MemoryLedger())) == (0, 0, 0, 0)
    assert astuple(replay(tmp_path, PLACE, MemoryLedger())) == (0, 0, 0, 0)
    left_by(tmp_path, [visit(1), visit(2), visit(3, end=0.0)])
    left_by(tmp_path, [], node="b").path.with_suffix(".a").write_bytes(b"torn")
    assert astuple(replay(tmp_path, PLACE, MemoryLedger())) == (2, 2, 1, 1)


def test_one_bad_row_among_many() -> None:
    """Of a batch that the ledger refuses only the rows that it does not take are left; all others
    are there."""
    ledger, done = MemoryLedger(), list[Visit]()
    rows = [visit(n, **({"end": 0.0} if n in {0, 3} else {})) for n in range(7)]
    refused = [row.id for row in write_apart(ledger, rows, done.extend)]
    good = [row for row in rows if row.end]
    assert (list(ledger.visits(0.0)), done, refused) == (good, good, ["v0", "v3"])


@pytest.mark.parametrize(
    ("visits", "torn", "said"), [([], b"", 0), ([visit(1)], b"", 1), ([], b"torn", 1)]
)
def test_a_replay_is_logged(tmp_path: Path, visits: list[Visit], torn: bytes, said: int) -> None:
    """One line tells of a journal in which something was, whole or damaged; an empty one is removed
    in silence."""
    left_by(tmp_path, visits).path.with_suffix(".b").write_bytes(torn)
    with capture_logs() as lines:
        assert replay(tmp_path, PLACE, MemoryLedger()).journals == 1
    assert [line["event"] for line in lines] == ["a journal was replayed"] * said
    assert [(line["visits"], line["torn"]) for line in lines] == [
        (len(visits), len(torn[:1]))
    ] * said


def test_a_journal_of_another_database_is_logged(tmp_path: Path) -> None:
    """Unless somebody does not want to hear it, a warning names the file; a live journal is none of
    our business."""
    left = left_by(tmp_path, [visit(1)], node="gone")
    live = Journal(tmp_path, "live", JournalOwner("SQLite file z"))
    with capture_logs() as lines:
        assert (
            replay(tmp_path, JournalOwner("SQLite file y"), MemoryLedger(), warns=False)
            == Replayed()
        )
    assert lines == []
    with capture_logs() as lines:
        assert replay(tmp_path, JournalOwner("SQLite file y"), MemoryLedger()) == Replayed()
    assert [line["file"] for line in lines] == [str(left.path)]
    live.close()


def test_a_journal_that_somebody_else_took(tmp_path: Path) -> None:
    """What another process has replayed and removed while we were at another one is not ours to
    count."""
    left_by(tmp_path, [visit(1)], node="a")
    second = left_by(tmp_path, [visit(2)], node="b")

    class Busy(MemoryLedger):
        def write_visits(self, visits: Sequence[Visit]) -> None:
            super().write_visits(visits)
            for suffix in (".a", ".b", ".lock"):
                second.path.with_suffix(suffix).unlink()

    assert replay(tmp_path, PLACE, Busy()) == Replayed(journals=1, visits=1)


def test_a_lock_that_is_taken_while_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who takes an abandoned journal may remove a lock just after it was made: another one
    is made."""
    lock, times = fcntl.flock, list[int]()

    def late(file: int, how: int) -> None:
        times.append(how)
        if len(times) == 1:
            (tmp_path / f"{NAME}.lock").unlink()
        lock(file, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", late)
        journal = Journal(tmp_path, "a", PLACE)
    assert len(times) == 2
    journal.add([visit(1)])
    assert replay(tmp_path, PLACE, MemoryLedger()) == Replayed()  # it is held
    crash(journal)
    assert replay(tmp_path, PLACE, MemoryLedger()) == Replayed(journals=1, visits=1)


@pytest.mark.parametrize("what", ["*", "*.a", "*.lock", "folder", "moved"])
def test_files_that_somebody_removes(tmp_path: Path, what: str) -> None:
    """Whatever is missing of a journal that is in use: all that waits is written anew at the next
    look, also where nothing else is put, and one line says so."""
    folder = tmp_path / "journal"
    journal = Journal(folder, "a", PLACE)
    journal.add([visit(n) for n in range(5)])
    if what == "folder":
        shutil.rmtree(folder)
    elif what == "moved":
        folder.rename(tmp_path / "elsewhere")
        shutil.copytree(tmp_path / "elsewhere", folder)
    else:
        for path in folder.glob(what):
            path.unlink()
    with capture_logs() as lines:
        journal.add([])
        journal.add([visit(9)])
    assert [(line["event"], line["visits"]) for line in lines] == [
        ("the journal was removed while it was in use; it is written anew", 5)
    ]
    assert read(journal.path)[0] == [*(visit(n) for n in range(5)), visit(9)]
    with taken(journal.path) as is_free:
        assert not is_free
    journal.settle([visit(n) for n in range(10)])
    assert (journal.held, read(journal.path)) == (0, ([], 0))
    journal.close()
    assert not journal.path.exists()


def test_files_that_cannot_be_made_again(tmp_path: Path) -> None:
    """What they held is written as soon as that is possible, except what the ledger has by then;
    until then nobody says that it is kept."""
    folder = tmp_path / "journal"
    journal = Journal(folder, "a", PLACE)
    journal.add([visit(1), visit(2)])
    shutil.rmtree(folder)
    folder.touch()
    for more in ([], [], [visit(3)]):
        with pytest.raises(OSError):
            journal.add(more)
        assert (journal.held, journal.has(visit(2))) == (0, False)
    journal.settle([visit(1)])
    folder.unlink()
    journal.add([])
    assert (read(journal.path)[0], journal.held) == ([visit(2)], 1)
    journal.close()
