"""Twin of proxy_addon/ledger/journal.py: what it took is there again, whatever happened to the
process or the file."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_addon.core.types import EvidenceSummary, Extension, Visit
from proxy_addon.ledger import journal_records
from proxy_addon.ledger.interface import LedgerUnavailable, LedgerUnusable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.journal_records import read
from proxy_addon.ledger.replay import Replayed, replay
from tests.ledger.memory_ledger import MemoryLedger

PLACE = JournalOwner("SQLite file x")
START = 1_793_610_000.0


def visit(number: int, rev: int = 1, **changes: object) -> Visit:
    """A visit that grows by a second with each rev."""
    made = Visit(f"v{number}", "ana", "x", None, "daily", "r", START, START + rev, "a", rev)
    return replace(made, **changes)


def test_a_journal_of_an_earlier_version(tmp_path: Path) -> None:
    """Lines without evidence, as they were written before there was any, are read as visits without
    it."""
    journal = left_by(tmp_path, [visit(1), visit(2)])
    file = journal.path.with_suffix(".a")
    found = []
    for line in file.read_bytes().rstrip(b"\0").splitlines():
        text = line.partition(b" ")[2].removesuffix(b",null]") + b"]"
        found.append(b"%08x %s\n" % (zlib.crc32(text), text))
    file.write_bytes(b"".join(found))
    assert read(journal.path) == ([visit(1), visit(2)], 0)


def crash(journal: Journal) -> None:
    """What the system does when a process ends: close its files. Nothing else."""
    for file in (*journal._files, journal._lock):
        os.close(file)


def left_by(folder: Path, visits: Sequence[Visit], node: str = "a") -> Journal:
    """A journal with these visits whose process has crashed."""
    journal = Journal(folder, node, PLACE)
    journal.add(visits)
    crash(journal)
    return journal


texts = st.text(st.characters(exclude_categories=()), max_size=20)
instants = st.floats(-1e12, 1e12)
trails = st.builds(
    EvidenceSummary,
    st.tuples(texts, instants),
    st.lists(
        st.builds(Extension, texts, instants, instants, st.integers(0, 10**6)), max_size=3
    ).map(tuple),
    st.none() | st.tuples(texts, instants),
    instants,
)
anything = st.builds(
    Visit,
    texts,
    texts,
    texts,
    st.none() | texts,
    st.none() | texts,
    st.none() | texts,
    instants,
    instants,
    texts,
    st.integers(0, 2**62),
    st.none() | trails,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(anything, max_size=20, unique_by=lambda each: each.id))
def test_any_visit_comes_back_as_it_was(tmp_path: Path, visits: list[Visit]) -> None:
    """Names in any script, line breaks and zeros in them, and instants to the last bit survive."""
    journal = left_by(tmp_path, visits)
    assert read(journal.path) == (visits, 0)
    for path in tmp_path.iterdir():
        path.unlink()


def test_only_the_newest_revision_is_replayed(tmp_path: Path) -> None:
    """However often a visit was kept, the ledger gets its last state, and the files are gone
    afterwards."""
    journal = Journal(tmp_path, "a", PLACE)
    for rev in range(1, 50):
        journal.add([visit(1, rev), visit(2, rev)])
    crash(journal)
    ledger = MemoryLedger()
    assert replay(tmp_path, PLACE, ledger) == Replayed(journals=1, visits=2)
    assert list(ledger.visits(0.0)) == [visit(1, 49), visit(2, 49)]
    assert list(tmp_path.iterdir()) == []
    assert replay(tmp_path, PLACE, ledger) == Replayed()


def test_an_older_revision_is_no_news(tmp_path: Path) -> None:
    """What is there already, in this revision or a newer one, takes no room."""
    journal = Journal(tmp_path, "a", PLACE)
    journal.add([visit(1, 5)])
    size = journal.size
    journal.add([visit(1, 5), visit(1, 3)])
    assert (journal.size, journal.held) == (size, 1)
    assert journal.has(visit(1, 4)) and not journal.has(visit(1, 6))
    journal.close()


def test_settled_visits_empty_it(tmp_path: Path) -> None:
    """When the ledger has all, nothing is left; an older revision in the ledger does not count."""
    journal = Journal(tmp_path, "a", PLACE)
    journal.add([visit(1, 2), visit(2)])
    journal.settle([visit(1, 1), visit(2)])
    assert journal.held == 1 and journal.size > 0
    journal.settle([visit(1, 2)])
    assert (journal.held, journal.size) == (0, 0)
    journal.add([visit(3)])
    crash(journal)
    assert read(journal.path) == ([visit(3)], 0)


@pytest.mark.parametrize("cut", range(1, 100, 7))
def test_a_torn_tail_is_dropped_alone(tmp_path: Path, cut: int) -> None:
    """A last line that was not written whole is counted and dropped; every line before it is
    there."""
    journal = left_by(tmp_path, [visit(n) for n in range(10)])
    file = journal.path.with_suffix(".a")
    os.truncate(file, file.read_bytes().rstrip(b"\0").__len__() - cut % 60 - 1)
    ledger = MemoryLedger()
    assert replay(tmp_path, PLACE, ledger) == Replayed(journals=1, visits=9, torn=1)
    assert list(ledger.visits(0.0)) == [visit(n) for n in range(9)]


def test_pages_that_were_lost(tmp_path: Path) -> None:
    """Zeros in the middle, as a loss of power leaves them, cost the lines that they hit and no
    others."""
    journal = left_by(tmp_path, [visit(n) for n in range(500)])
    with journal.path.with_suffix(".a").open("r+b") as file:
        file.seek(4096)
        file.write(bytes(4096))
    visits, torn = read(journal.path)
    assert torn == 2
    assert 430 < len(visits) < 470
    assert {visit(0), visit(499)} <= set(visits)


@pytest.mark.parametrize("seed", range(20))
def test_damage_never_makes_up_a_visit(tmp_path: Path, seed: int) -> None:
    """Whatever bytes are changed, what is read is a part of what was written."""
    dice = random.Random(seed)
    journal = left_by(tmp_path, [visit(n) for n in range(50)])
    file = journal.path.with_suffix(".a")
    data = bytearray(file.read_bytes())
    for _ in range(dice.randrange(1, 20)):
        data[dice.randrange(5000)] = dice.randrange(256)
    file.write_bytes(data)
    visits, _ = read(journal.path)
    assert set(visits) <= {visit(n) for n in range(50)}
    assert len(visits) >= 50 - 40


def test_a_line_with_a_good_check_and_no_visit(tmp_path: Path) -> None:
    """What another version might have written is counted and dropped, not believed."""
    journal = left_by(tmp_path, [visit(1)])
    with journal.path.with_suffix(".b").open("r+b") as file:
        file.write(b'bb2bd8c5 [1]\n29308cf4 {}\nffffffff "x"\n')
    assert read(journal.path) == ([visit(1)], 3)


def test_it_stays_small_while_visits_grow(tmp_path: Path) -> None:
    """An outage of hours: the same visits again and again are compacted, and none is lost."""
    journal = Journal(tmp_path, "a", PLACE, reserved_bytes=20_000)
    for rev in range(1, 2000):
        journal.add([visit(number, rev) for number in range(rev % 7, 40, 7)])
        assert journal.size < 60_000
    crash(journal)
    visits, torn = read(journal.path)
    assert torn == 0
    assert {each.id: each.rev for each in visits} == {
        f"v{n}": max(rev for rev in range(1990, 2000) if rev % 7 == n % 7) for n in range(40)
    }


def test_it_is_bounded(tmp_path: Path) -> None:
    """Beyond the bound the rest is counted as dropped; the files stay below it, and what is in them
    is whole."""
    journal = Journal(tmp_path, "a", PLACE, most_bytes=20_000, reserved_bytes=5_000)
    for number in range(0, 1000, 10):
        journal.add([visit(n) for n in range(number, number + 10)])
    held, dropped = journal.held, journal.dropped
    assert held + dropped == 1000
    assert 100 < held < 300
    crash(journal)
    assert all(path.stat().st_size <= 20_000 for path in tmp_path.iterdir())
    visits, torn = read(journal.path)
    assert (len(visits), torn) == (held, 0)


def test_the_room_was_reserved(tmp_path: Path) -> None:
    """The first megabyte of each file is there from the start, so that a full disk does not
    matter."""
    journal = Journal(tmp_path, "a", PLACE)
    for suffix in (".a", ".b"):
        status = journal.path.with_suffix(suffix).stat()
        assert status.st_blocks * 512 >= 2**20
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_failed_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error of the disk the same visits are taken again, and read once."""
    journal = Journal(tmp_path, "a", PLACE)
    journal.add([visit(1)])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", full)
        with pytest.raises(OSError, match="No space"):
            journal.add([visit(2), visit(3)])
    assert not journal.has(visit(2))
    journal.add([visit(3), visit(2)])
    crash(journal)
    assert read(journal.path) == ([visit(1), visit(3), visit(2)], 0)


def test_a_live_journal_is_not_taken(tmp_path: Path) -> None:
    """What a running proxy holds is left alone; the journal of one that crashed is taken beside
    it."""
    live = Journal(tmp_path, "live", PLACE)
    live.add([visit(1)])
    left_by(tmp_path, [visit(2)], node="gone")
    ledger = MemoryLedger()
    assert replay(tmp_path, PLACE, ledger) == Replayed(journals=1, visits=1)
    assert list(ledger.visits(0.0)) == [visit(2)]
    live.settle([visit(1)])
    live.close()


def test_a_clean_end_leaves_what_the_ledger_has_not(tmp_path: Path) -> None:
    """Closing keeps the files as long as something is in them, and lets others take them."""
    journal = Journal(tmp_path, "a", PLACE)
    journal.add([visit(1)])
    journal.close()
    journal.close()
    with pytest.raises(LedgerUnusable, match="File exists"):
        Journal(tmp_path, "a", PLACE)
    assert replay(tmp_path, PLACE, MemoryLedger()) == Replayed(journals=1, visits=1)


def test_another_database_gets_nothing(tmp_path: Path) -> None:
    """A journal is written to the database it was kept for, and to no other."""
    left_by(tmp_path, [visit(1)])
    ledger = MemoryLedger()
    assert replay(tmp_path, JournalOwner("SQLite file y"), ledger, warns=False) == Replayed()
    assert replay(tmp_path, PLACE, ledger).visits == 1


class FailingLedger(MemoryLedger):
    """Goes away after some batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.batches = batches

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """See Ledger."""
        self.batches -= 1
        if self.batches < 0:
            raise LedgerUnavailable("gone", kind="unreachable")
        super().write_visits(visits)


def test_a_replay_that_was_interrupted_is_done_again(tmp_path: Path) -> None:
    """However often the ledger goes away in the middle, in the end each visit is there once."""
    left_by(tmp_path, [visit(n) for n in range(3500)])
    ledger = FailingLedger(0)
    for batches in (0, 1, 2, 3):
        ledger.batches = batches
        with pytest.raises(LedgerUnavailable):
            replay(tmp_path, PLACE, ledger)
    ledger.batches = 4
    assert replay(tmp_path, PLACE, ledger) == Replayed(journals=1, visits=3500)
    assert len(list(ledger.visits(0.0))) == 3500


def test_a_row_the_ledger_refuses_is_counted(tmp_path: Path) -> None:
    """One bad row stays in the journal, alone."""
    left_by(tmp_path, [visit(1), visit(2, end=START - 1), visit(3)])
    ledger = MemoryLedger()
    assert replay(tmp_path, PLACE, ledger) == Replayed(journals=1, visits=2, refused=1)
    (lock_file,) = tmp_path.glob("*.lock")
    assert read(lock_file) == ([visit(2, end=START - 1)], 0)


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """A file in the place of the folder is one clear line that names the setting."""
    (tmp_path / "journal").write_text("")
    with pytest.raises(
        LedgerUnusable, match=r"journal cannot be used: .*; name a writable one with --journal"
    ):
        Journal(tmp_path / "journal", "a", PLACE)


def test_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    """The names in it are nobody else's business."""
    journal = Journal(tmp_path / "journal", "host:1/../x", PLACE)
    for path in (tmp_path / "journal", *(tmp_path / "journal").iterdir()):
        assert path.stat().st_mode & 0o077 == 0
    assert len(list((tmp_path / "journal").iterdir())) == 3
    journal.close()


CHILD = """
import sys
from pathlib import Path
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.core.types import Visit
journal = Journal(Path(sys.argv[1]), "child", JournalOwner("SQLite file x"), reserved_bytes=8000)
rev = 0
while True:
    rev += 1
    journal.add([Visit(f"v{n}", "ana", "x", None, "daily", "r", 0.0, rev, "a", rev) for n in range(9)])
    print(rev, flush=True)
"""


@pytest.mark.parametrize("rounds", [3, 40, 170, 400])
def test_killed_while_writing(tmp_path: Path, rounds: int) -> None:
    """kill -9 in the middle of writing and compacting: all that `add` came back from is there."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        said = 0
        for line in child.stdout:
            said = int(line)
            if said >= rounds:
                break
        child.kill()
        said = max([said, *(int(line) for line in child.stdout.read().split()[:-1])])
    ledger = MemoryLedger()
    assert replay(tmp_path, PLACE, ledger).journals == 1
    assert {row.rev for row in ledger.visits(-1.0)} <= {said, said + 1, said + 2}
    assert len(list(ledger.visits(-1.0))) == 9


def test_a_record_has_a_form_for_each_field_of_a_visit() -> None:
    """A field that is added to visits needs a form in the journal, in the order of the fields."""
    assert tuple(field.name for field in fields(Visit)) == journal_records._NAMES
