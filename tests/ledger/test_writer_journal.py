"""The writer with its journal, with calls of the ledger, and with a clock that is set. See
test_writer.py."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from db.ledger import SqlLedger
from proxy_addon.core.intervals import measure, normalise
from proxy_addon.core.types import Interval, Visit
from proxy_addon.ledger.interface import LedgerUnavailable
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.journal_records import read
from proxy_addon.ledger.replay import replay
from proxy_addon.system.clock import SystemClock
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.writers import START, AwayLedger, NewsCollector, make, visit, wait_for


def keep(folder: Path, node: str = "a") -> Journal:
    """A journal for the writer of a node."""
    return Journal(folder / "journal", node, JournalOwner("place"))


def left(folder: Path) -> dict[str, int]:
    """What lies in the journals, rev by id."""
    return {
        row.id: row.rev for file in (folder / "journal").glob("*.lock") for row in read(file)[0]
    }


def test_a_healthy_ledger_needs_no_journal(ledger: SqlLedger, tmp_path: Path) -> None:
    """While flushes go well nothing is written to the journal, and a clean end leaves no file."""
    writer = make(ledger, journal=keep(tmp_path))
    writer.start()
    for number in range(50):
        writer.put(visit(number))
        time.sleep(0.01)
        assert writer.state().journal_bytes == 0
    assert writer.stop(5.0) == 0
    assert list((tmp_path / "journal").iterdir()) == []


def test_an_outage_is_journalled_and_settled(tmp_path: Path) -> None:
    """While the ledger is away the newest revisions are on the disk; when it has them the journal
    is empty."""
    ledger = AwayLedger()
    ledger.away = True
    writer = make(ledger, journal=keep(tmp_path))
    writer.start()
    for rev in (1, 2, 3):
        writer.put(visit(1, rev))
        writer.put(visit(2, rev))
    wait_for(lambda: left(tmp_path) == {"a1": 3, "a2": 3} and writer.state().journal_visits == 2)
    state = writer.state()
    assert (state.up, state.journal_dropped) == (False, 0)
    assert state.away_since is not None and state.journal_bytes > 0
    ledger.away = False
    wait_for(lambda: writer.state().up and writer.state().journal_visits == 0)
    assert left(tmp_path) == {}
    assert writer.stop(5.0) == 0


def test_a_call_that_hangs_is_journalled_in_two_seconds(tmp_path: Path) -> None:
    """A database that never answers keeps the writer's thread, and not the journal's."""
    ledger = AwayLedger()
    ledger.hang = threading.Event()
    writer = make(ledger, journal=keep(tmp_path), flush_seconds=60.0)
    writer.start()
    writer.put(visit(1))
    began = time.monotonic()
    wait_for(lambda: left(tmp_path) == {"a1": 1})
    assert time.monotonic() - began < 2.0
    ledger.hang.set()
    writer.stop(5.0)


def test_stop_leaves_the_rest_to_the_next_start(tmp_path: Path) -> None:
    """What the ledger did not take at the end is in the journal, is not lost, and is said to be
    there."""
    ledger = AwayLedger()
    ledger.away = True
    writer = make(ledger, journal=keep(tmp_path))
    writer.start()
    for number in range(7):
        writer.put(visit(number))
    with capture_logs() as lines:
        assert writer.stop(0.3) == 0
    said = [line for line in lines if line["event"] == "visits could not be written"]
    assert [(line["in_journal"], line["lost"]) for line in said] == [(7, 0)]
    fresh = MemoryLedger()
    assert replay(tmp_path / "journal", JournalOwner("place"), fresh).visits == 7


def test_a_journal_that_fails_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing is told once, counted, and tried again; afterwards all is in the
    journal."""
    ledger = AwayLedger()
    ledger.away = True
    writer = make(ledger, journal=keep(tmp_path))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, capture_logs() as lines:
        patch.setattr(os, "pwrite", full)
        writer.start()
        writer.put(visit(1))
        wait_for(lambda: writer.state().journal_dropped >= 3)
        assert "No space" in (writer.state().journal_message or "")
    assert [line["event"] for line in lines].count("the journal cannot be written") == 1
    wait_for(lambda: left(tmp_path) == {"a1": 1} and writer.state().journal_message is None)
    writer.stop(0.1)


def test_news_are_read_while_writing_fails(sqlite_url: str, tmp_path: Path) -> None:
    """A ledger that takes no writes still tells what others wrote, at every flush."""

    class Closed(SqlLedger):
        def write_visits(self, visits: Sequence[Visit]) -> None:
            raise LedgerUnavailable("read-only", kind="read-only")

    ledger, other, heard = Closed(sqlite_url, "a"), SqlLedger(sqlite_url, "b"), NewsCollector()
    writer = make(ledger, on_news=heard)
    writer.put(visit(1))
    writer.start()
    wait_for(lambda: not writer.state().up)
    for number in range(5):
        other.write_visits([visit(number, node="b")])
        wait_for(lambda n=number: len(heard.visits) > n, 2.0)
    writer.stop(0.1)
    ledger.close()
    other.close()


def test_a_call_wakes_the_reader() -> None:
    """News are read as soon as the ledger calls, long before the next flush, and nothing is written
    for it."""
    ledger, heard = AwayLedger(), NewsCollector()
    writer = make(ledger, on_news=heard, flush_seconds=60.0)
    writer.start()
    wait_for(lambda: writer.state().flush_seconds is not None)
    tries = ledger.tries
    ledger.write_visits([visit(1, node="b")])
    writer.put(visit(2))
    writer.wake()
    wait_for(lambda: len(heard.visits) == 1, 2.0)
    assert (ledger.tries, writer.state().pending) == (tries + 1, 1)
    assert writer.stop(5.0) == 0


def test_a_clock_set_back_by_an_hour(ledger: SqlLedger) -> None:
    """While somebody uses a platform the wall clock goes back an hour: no row runs backwards, no
    second is there twice, and the minutes are those that went by."""
    wall, passed = [START], [0.0]
    clock = SystemClock(wall=lambda: wall[0] + passed[0], monotonic=lambda: passed[0])
    writer = make(ledger, clock=clock)
    first = clock.now()
    begun, rev, number = first, 0, 0
    for second in range(600):
        passed[0] += 1.0
        if second == 300:
            wall[0] -= 3600.0
        now, rev = clock.now(), rev + 1
        writer.put(Visit(f"a{number}", "ana", "x", None, "daily", "r", begun, now, "a", rev))
        if second % 50 == 49:
            begun, rev, number = now, 0, number + 1
            assert writer.flush_now()
    rows = list(ledger.visits(0.0))
    assert len(rows) == 12
    assert all(row.start < row.end for row in rows)
    assert all(one.end <= other.start + 1e-6 for one, other in pairwise(rows))
    union = measure(normalise(Interval(row.start, row.end) for row in rows))
    assert union == pytest.approx(sum(row.end - row.start for row in rows), abs=1e-3)
    assert union == pytest.approx(600.0, rel=0.02)
    writer.stop(5.0)
