"""The writer on both sides of each of its thresholds, with a stopwatch that is set."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import structlog
from structlog.testing import capture_logs

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError, LedgerUnavailable, News
from proxy_addon.ledger.writer import LAST_TRIES, NOT_ASKED, STUCK_AFTER, Writer
from proxy_addon.ledger.writer_state import WriterState
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.writers import START, Stopwatch, make, visit
from tests.virtual_clock import VirtualClock


class CountingLedger(MemoryLedger):
    """Counts what it is asked; `fails` is raised by writing, `silent` by reading; `busy` are
    seconds of a write."""

    def __init__(self, watch: Stopwatch, fails: LedgerError | None = None) -> None:
        super().__init__()
        self.watch, self.fails = watch, fails
        self.silent: LedgerError | None = None
        self.busy = self.reading = 0.0
        self.writes = self.reads = 0
        self.pruned: list[float] = []

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """See Ledger."""
        self.writes += 1
        self.watch.at += self.busy
        if self.fails is not None:
            raise self.fails
        super().write_visits(visits)

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """See Ledger."""
        self.reads += 1
        self.watch.at += self.reading
        if self.silent is not None:
            raise self.silent
        return super().news(cursor, not_from=not_from)

    def prune(self, before: float, **more: object) -> int:
        """See Ledger."""
        self.pruned.append(before)
        return super().prune(before, **more)


class Merging(threading.Event):
    """Keeps for how long it was waited for, and waits for nothing; set by that where `ends` says
    so."""

    def __init__(self, *, ends: bool = False) -> None:
        super().__init__()
        self.waits: list[float | None] = []
        self.ends = ends

    def wait(self, timeout: float | None = None) -> bool:
        """See Event."""
        self.waits.append(timeout)
        if self.ends:
            self.set()
        return self.is_set()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The stopwatch that the writer reads."""
    stopwatch = Stopwatch()
    monkeypatch.setattr("proxy_addon.ledger.writer.timer", stopwatch)
    monkeypatch.setattr("proxy_addon.ledger.writer.sleep", stopwatch.sleep)
    return stopwatch


@pytest.fixture(autouse=True)
def _no_log_configuration() -> Iterator[None]:
    """Logs are looked at here; no other test's configuration may get in between."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def locked() -> LedgerError:
    """A ledger that takes no writes, and can be read."""
    return LedgerUnavailable("it is locked", kind="locked")


def waiting(ledger: CountingLedger, **more: object) -> Writer:
    """A writer with one visit that waits, a flush in a second."""
    writer = make(ledger, **{"flush_seconds": 1.0, "clock": VirtualClock(START), **more})
    writer.put(visit(1))
    return writer


def test_a_writer_that_has_done_nothing(watch: Stopwatch) -> None:
    """Before the first flush it is up, nothing has failed, and without a journal nothing is in
    one."""
    empty = WriterState(True, 0, None, {}, None, 0, 0, None, 0, 0, 0, None)
    assert make(CountingLedger(watch)).state() == empty
    assert WriterState(True, 0, None, {}, None, 0, 0) == empty


def test_how_long_a_flush_took(watch: Stopwatch) -> None:
    """What is told of the last good flush is the time of its writing and reading, by the
    stopwatch."""
    ledger = CountingLedger(watch)
    watch.at, ledger.busy, ledger.reading = 100.0, 0.25, 0.5
    writer = waiting(ledger)
    assert writer.flush_now()
    assert writer.state().flush_seconds == 0.75


def test_a_call_counts_as_stuck(watch: Stopwatch) -> None:
    """After its seconds a call that has not come back is no outage yet, a moment later it is, from
    then on until it comes back."""
    states: list[WriterState] = []
    clock = VirtualClock(START)

    class Slow(CountingLedger):
        def write_visits(self, visits: Sequence[Visit]) -> None:
            for seconds in (STUCK_AFTER, 0.5, 7.0):
                self.watch.at += seconds
                clock.advance(seconds)
                states.append(writer.state())
            super().write_visits(visits)

    watch.at = 64.0
    writer = waiting(Slow(watch), clock=clock)
    assert writer.flush_now()
    states.append(writer.state())
    stuck = "the database does not answer"
    since = START + STUCK_AFTER + 0.5
    assert [(one.up, one.message, one.away_since) for one in states] == [
        (True, None, None),
        (False, stuck, since),
        (False, stuck, since),
        (True, None, None),
    ]


def test_since_when_the_ledger_is_away(watch: Stopwatch) -> None:
    """An outage begins with its first failure, not with a later one or when somebody asks; the next
    has its own."""
    ledger, clock = CountingLedger(watch, locked()), VirtualClock(START)
    writer = waiting(ledger, clock=clock)
    for _ in range(2):
        assert not writer.flush_now()
        clock.advance(5.0)
    assert writer.state().away_since == START
    ledger.fails = None
    assert writer.flush_now()
    assert writer.state().away_since is None
    ledger.fails = locked()
    writer.put(visit(2))
    assert not writer.flush_now()
    clock.advance(5.0)
    assert writer.state().away_since == START + 10.0


def test_writing_waits_after_a_failure(watch: Stopwatch) -> None:
    """Until the pause is over the beat only reads; when it is over it writes; who asks for a flush
    gets it at once."""
    ledger = CountingLedger(watch)
    writer = waiting(ledger)
    watch.at = 0.5
    assert writer._flush(may_wait=True)  # nothing has failed: no pause
    ledger.fails = locked()
    writer.put(visit(2))
    assert not writer.flush_now()
    watch.at = 1.25
    assert writer._flush(may_wait=True)
    assert (ledger.writes, ledger.reads) == (2, 3)
    assert not writer.state().up  # that it can be read is no proof that it can be written
    watch.at = 1.5
    assert not writer._flush(may_wait=True)
    assert ledger.writes == 3
    assert not writer.flush_now()
    assert ledger.writes == 4
    ledger.fails = None
    watch.at = 0.5
    assert writer.flush_now()
    writer.put(visit(3))
    assert writer._flush(may_wait=True)
    assert (ledger.writes, writer.state().pending) == (6, 0)


@pytest.mark.parametrize("kind", sorted(NOT_ASKED))
def test_a_ledger_that_is_not_there_is_not_asked(watch: Stopwatch, kind: str) -> None:
    """Where writing failed because nobody is there, reading is not tried, nor when a call comes in
    the pause."""
    ledger = CountingLedger(watch, LedgerUnavailable("gone", kind=kind))
    writer = waiting(ledger)
    assert not writer.flush_now()
    assert not writer._flush(may_wait=True)
    assert not writer._flush(writes=False)
    assert (ledger.writes, ledger.reads) == (1, 0)
    ledger.fails = None
    watch.at = 1.0
    assert writer._flush(may_wait=True)
    assert writer._flush(writes=False)
    assert (ledger.writes, ledger.reads, writer.state().up) == (2, 2, True)


def test_writing_and_reading_fail(watch: Stopwatch) -> None:
    """Of two failures in one flush the second is told, and counts once; a lone failure to read adds
    no pause."""
    ledger = CountingLedger(watch, locked())
    ledger.silent = LedgerUnavailable("gone", kind="unreachable")
    writer = waiting(ledger)
    assert not writer.flush_now()
    assert writer.state().errors == {"unreachable": 1}
    assert writer.state().message == "gone"
    assert not writer._flush(writes=False)
    assert ledger.reads == 1
    ledger.silent = locked()
    assert not writer.flush_now()
    pause = writer._pause()
    assert not writer._flush(writes=False)
    assert (ledger.reads, writer._pause()) == (3, pause)


def test_the_pause_stops_growing(watch: Stopwatch) -> None:
    """With a very short flush the pauses double ten times and no further, however long the
    outage."""
    writer = waiting(CountingLedger(watch), flush_seconds=0.001)
    pauses = {}
    for failures in (10, 11, 12, 100_000):
        writer._failures = failures
        pauses[failures] = writer._pause()
    assert pauses[10] < pauses[11] == pauses[12] == pauses[100_000]


def test_the_heartbeat_keeps_the_pause(watch: Stopwatch) -> None:
    """The thread flushes and reads at each beat, but writes only when the pause after a failure is
    over."""
    ledger, beats = CountingLedger(watch, locked()), list[WriterState]()

    def count(state: WriterState) -> None:
        beats.append(state)
        if len(beats) == 3:
            writer._stopping.set()

    writer = waiting(ledger, flush_seconds=0.01, on_state=count, retention=lambda: 60.0)
    writer._run()
    assert len(beats) == 4  # and once more, at the end
    assert (ledger.writes, ledger.reads, ledger.pruned) == (2, 4, [])


def test_old_visits_are_deleted_beside_a_good_flush(watch: Stopwatch) -> None:
    """When a flush went well the retention is kept, by the clock of the writer."""
    ledger = CountingLedger(watch)
    writer = waiting(ledger, on_state=lambda _: writer._stopping.set(), retention=lambda: 60.0)
    writer._run()
    thread = writer._pruner._thread
    assert thread is not None
    thread.join(20)
    assert ledger.pruned == [START - 60.0]


def test_the_last_tries(watch: Stopwatch) -> None:
    """At the end writing is tried several times a second until the time is over, then no more."""
    ledger = CountingLedger(watch, locked())
    writer = waiting(ledger)
    writer._stopping.set()
    writer._give_up_at = 1.0
    writer._run()
    assert 5 < ledger.writes < 20
    assert set(watch.slept) == {LAST_TRIES}
    watch.slept.clear()
    writer._give_up_at = watch.at
    writer._run()
    assert watch.slept == []


def test_the_end_with_nothing_left(watch: Stopwatch) -> None:
    """When the last flush has written all, the rest of the time is not waited for."""
    ledger = CountingLedger(watch)
    writer = waiting(ledger)
    writer._stopping.set()
    writer._give_up_at = 60.0
    writer._run()
    assert (ledger.writes, ledger.reads, watch.slept) == (1, 1, [])


def test_calls_become_one_reading(watch: Stopwatch) -> None:
    """A call is answered after a moment that is hardly noticed, in which others join it; nothing is
    written."""
    ledger = CountingLedger(watch)
    ledger.reading = 60.0
    watch.at = 100.0
    writer, moment = waiting(ledger), Merging()
    writer._stopping = moment
    writer.wake()
    writer.wake()
    writer._listen(0.5)
    assert (ledger.writes, ledger.reads) == (0, 1)
    assert not writer._called.is_set()
    assert len(moment.waits) == 1 and 0.0 < (moment.waits[0] or 0.0) <= 0.1


def test_a_call_just_before_the_flush(watch: Stopwatch) -> None:
    """The moment in which calls join does not put off the flush; with no time left the flush itself
    reads."""
    ledger = CountingLedger(watch)
    ledger.reading = 60.0
    writer, moment = waiting(ledger), Merging()
    writer._stopping = moment
    writer.wake()
    writer._listen(0.0)
    assert (ledger.reads, moment.waits) == (0, [])
    assert writer._called.is_set()
    writer._listen(0.015625)
    assert (ledger.reads, moment.waits) == (1, [0.015625])


def test_the_end_comes_before_news(watch: Stopwatch) -> None:
    """When the writer is stopped while calls join, news are left to the last flush."""
    ledger = CountingLedger(watch)
    writer = waiting(ledger)
    writer._stopping = Merging(ends=True)
    writer.wake()
    writer._listen(0.5)
    assert ledger.reads == 0
    writer.wake()
    writer._listen(0.5)
    assert (ledger.reads, writer._called.is_set()) == (0, True)


def test_nobody_to_tell(watch: Stopwatch) -> None:
    """Without anybody who wants to be told, a flush says nothing, good or bad as the ledger may
    be."""
    writer = waiting(CountingLedger(watch))
    with capture_logs() as lines:
        assert writer.flush_now()
    assert lines == []


def test_a_listener_that_fails(watch: Stopwatch) -> None:
    """Whoever is told may fail: it is logged, the flush goes well, and the next time it is told
    again."""
    told: list[WriterState] = []

    def fail(state: WriterState) -> None:
        told.append(state)
        raise RuntimeError("the loop is closed")

    writer = waiting(CountingLedger(watch), on_state=fail)
    with capture_logs() as lines:
        assert writer.flush_now()
        assert writer.flush_now()
    assert [line["event"] for line in lines] == ["on_state failed", "on_state failed"]
    assert [state.pending for state in told] == [0, 0]


def test_telling_never_waits(watch: Stopwatch) -> None:
    """While somebody is being told and does not come back, another thread that would tell goes
    on."""
    told: list[bool] = []

    def once_more(_: WriterState) -> None:
        other = threading.Thread(target=writer._report_state, daemon=True)
        other.start()
        other.join(5)
        told.append(other.is_alive())

    writer = waiting(CountingLedger(watch), on_state=once_more)
    assert writer.flush_now()
    assert told == [False]


def test_a_refused_row_is_counted_once(watch: Stopwatch) -> None:
    """A row that is refused counts once, and is lost at the end where there is no journal."""
    writer = make(CountingLedger(watch))
    writer.put(visit(2))
    writer.put(replace(visit(1), end=START - 1))
    assert writer.flush_now()
    state = writer.state()
    assert (state.refused, dict(state.errors), state.pending) == (1, {"refused": 1}, 0)
    assert writer._finish() == 1


def test_what_is_lost_at_the_end(watch: Stopwatch) -> None:
    """Without a journal what the ledger did not take is lost, and the line says that none of it is
    in one."""
    writer = waiting(CountingLedger(watch, locked()))
    writer.put(visit(2))
    with capture_logs() as lines:
        assert writer._finish() == 2
    (line,) = lines
    found = (line["log_level"], line["visits"], line["in_journal"], line["lost"])
    assert found == ("error", 2, 0, 2)
