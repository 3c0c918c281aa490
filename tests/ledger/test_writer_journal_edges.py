"""The writer and its journal on both sides of the thresholds, with a stopwatch that is set."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.writer import JOURNAL_AFTER, Writer
from proxy_addon.ledger.writer_state import WriterState
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.writers import START, AwayLedger, Stopwatch, make, visit
from tests.virtual_clock import VirtualClock


class CountedWaits(threading.Event):
    """Lets the journal's thread look so often, without waiting."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def wait(self, timeout: float | None = None) -> bool:
        """See Event: False while rounds are left."""
        self.left -= 1
        return self.left < 0


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The stopwatch that the writer reads."""
    stopwatch = Stopwatch()
    monkeypatch.setattr("proxy_addon.ledger.writer.timer", stopwatch)
    return stopwatch


@pytest.fixture(autouse=True)
def _no_log_configuration() -> Iterator[None]:
    """Logs are looked at here; no other test's configuration may get in between."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal of node a."""
    journal = Journal(tmp_path, "a", JournalOwner("place"))
    yield journal
    journal.close()


def look(writer: Writer, rounds: int = 1) -> None:
    """What the journal's thread does in so many rounds."""
    writer._stopped = CountedWaits(rounds)
    writer._run_journal()


@pytest.mark.parametrize(
    ("begin", "later", "held"),
    [(0.0, JOURNAL_AFTER, 0), (0.0, JOURNAL_AFTER + 0.01, 1), (100.0, 0.5, 0), (100.0, 1.5, 1)],
)
def test_when_visits_go_to_the_journal(
    watch: Stopwatch, journal: Journal, begin: float, later: float, held: int
) -> None:
    """As long as the last good flush is no older than a healthy one may be, the journal gets
    nothing; then it does."""
    watch.at = begin
    writer = make(MemoryLedger(), journal=journal)
    writer.put(visit(1))
    watch.at = begin + later
    look(writer)
    assert (journal.held, writer.state().journal_visits) == (held, held)


def test_a_good_flush_covers_what_was_put_before(watch: Stopwatch, journal: Journal) -> None:
    """The time that visits may wait begins again with the start of each flush that went well."""
    writer = make(MemoryLedger(), journal=journal)
    watch.at = 100.0
    assert writer.flush_now()
    writer.put(visit(1))
    watch.at = 100.0 + JOURNAL_AFTER - 0.01
    look(writer)
    assert journal.held == 0
    watch.at = 100.0 + JOURNAL_AFTER + 0.01
    look(writer)
    assert journal.held == 1
    assert writer.flush_now()
    assert (journal.held, journal.size) == (0, 0)


def test_an_outage_is_reported_in_each_round(watch: Stopwatch, journal: Journal) -> None:
    """While the ledger is away the journal's thread tells so; while it is there the flush alone
    tells."""
    ledger, told = AwayLedger(), list[WriterState]()
    writer = make(ledger, journal=journal, on_state=told.append, clock=VirtualClock(START))
    look(writer, 3)
    assert told == []
    ledger.away = True
    writer.put(visit(1))
    assert not writer.flush_now()
    told.clear()
    look(writer, 3)
    assert [(state.up, state.away_since) for state in told] == [(False, START)] * 3


def test_a_disk_that_fails_is_logged_once_each_time(
    watch: Stopwatch, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failure counts its visits and one line is said for all in a row; when it is over, the
    next is said again."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = make(MemoryLedger(), journal=journal)
    with capture_logs() as lines:
        for number in range(2):
            writer.put(visit(2 * number))
            writer.put(visit(2 * number + 1))
            with monkeypatch.context() as patch:
                patch.setattr(os, "pwrite", full)
                for _ in range(3):
                    writer._journal_fresh()
            state = writer.state()
            assert state.journal_message == (
                "the journal cannot be written: No space left on device"
            )
            assert (state.journal_dropped, state.journal_visits) == (6 * number + 6, 2 * number)
            writer._journal_fresh()
            assert writer.state().journal_message is None
            assert journal.held == 2 * number + 2
    assert [line["event"] for line in lines] == ["the journal cannot be written"] * 2
    assert writer.flush_now()


def test_what_found_no_room_is_reported(watch: Stopwatch, tmp_path: Path) -> None:
    """Visits for which the journal has no room are counted in the state, those that are in it are
    there."""
    journal = Journal(tmp_path, "a", JournalOwner("place"), most_bytes=500, reserved_bytes=500)
    writer = make(MemoryLedger(), journal=journal)
    for number in range(9):
        writer.put(visit(number))
    writer._journal_fresh()
    state = writer.state()
    assert state.journal_visits + state.journal_dropped == 9
    assert (state.journal_visits, state.journal_dropped) == (journal.held, journal.dropped)
    assert 0 < journal.held < 9
    assert writer.flush_now()
    journal.close()


def test_its_threads_keep_no_process_from_ending(journal: Journal) -> None:
    """A database that hangs must not keep the proxy alive: both threads are daemons, and they end
    with `stop`."""
    writer = make(MemoryLedger(), journal=journal)
    writer.start()
    threads = (writer._thread, writer._journal_thread)
    assert [thread is not None and thread.daemon for thread in threads] == [True, True]
    assert writer.stop(20.0) == 0
    assert [thread is not None and thread.is_alive() for thread in threads] == [False, False]
