"""Twin of proxy_addon/ledger/writer.py: nothing lost, nothing doubled, nobody waits."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Grant
from proxy_addon.ledger.interface import News
from proxy_addon.ledger.writer import BATCH
from proxy_addon.ledger.writer_state import WriterState
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.writers import START, AwayLedger, NewsCollector, make, visit, wait_for
from tests.postgres import PostgresServer


def test_what_is_put_is_written(ledger: SqlLedger) -> None:
    """Visits are in the ledger soon after they were put, and pending goes down to nothing."""
    writer = make(ledger)
    writer.start()
    for number in range(2 * BATCH + 5):
        writer.put(visit(number))
    wait_for(lambda: len(list(ledger.visits(0.0))) == 2 * BATCH + 5)
    assert writer.stop(5.0) == 0
    assert writer.state().pending == 0
    assert writer.state().flush_seconds is not None


def test_only_the_highest_rev_is_written() -> None:
    """Many states of one visit become one row, whatever the order in which they are put."""
    ledger = MemoryLedger()
    writer = make(ledger)
    for rev in (1, 5, 3, 2):
        writer.put(visit(1, rev))
    assert writer.state().pending == 1
    assert writer.flush_now()
    assert list(ledger.visits(0.0)) == [visit(1, 5)]


def test_a_rev_put_while_the_older_is_written_is_kept() -> None:
    """A row that changes during its own write is written again, not forgotten."""
    ledger = AwayLedger()
    ledger.hang = threading.Event()
    writer = make(ledger)
    writer.put(visit(1, 1))
    flush = threading.Thread(target=writer.flush_now)
    flush.start()
    assert ledger.entered.wait(10)
    writer.put(visit(1, 2))
    ledger.hang.set()
    flush.join(10)
    assert writer.state().pending == 1
    assert writer.flush_now()
    assert list(ledger.visits(0.0)) == [visit(1, 2)]


def test_putting_never_waits_for_the_ledger() -> None:
    """While a write hangs, thousands of visits are taken; when it comes back they are all
    written."""
    ledger = AwayLedger()
    ledger.hang = threading.Event()
    writer = make(ledger)
    writer.put(visit(0))
    writer.start()
    assert ledger.entered.wait(10)
    for number in range(5000):
        writer.put(
            visit(number)
        )  # would never come back if it waited: the ledger hangs until below
    ledger.hang.set()
    assert writer.stop(20.0) == 0
    assert len(list(ledger.visits(0.0))) == 5000


def test_an_outage_loses_nothing_and_doubles_nothing(ledger: SqlLedger, tmp_path: Path) -> None:
    """Another connection holds the file locked while visits grow; afterwards the ledger has each
    one once."""
    states: list[WriterState] = []
    writer = make(ledger, on_state=states.append)
    writer.start()
    writer.put(visit(0))
    wait_for(lambda: writer.state().pending == 0)
    with capture_logs() as lines:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        for number in range(300):
            writer.put(visit(number, rev=2))
        wait_for(lambda: writer.state().errors.get("locked", 0) >= 3)
        assert not writer.state().up
        assert "locked" in (writer.state().message or "")
        for number in range(300):
            writer.put(visit(number, rev=3))
        other.execute("ROLLBACK")
        other.close()
        wait_for(lambda: writer.state().up and writer.state().pending == 0)
    assert writer.stop(5.0) == 0
    rows = list(ledger.visits(0.0))
    assert {row.id: row.rev for row in rows} == {f"a{n}": 3 for n in range(300)}
    assert [line["event"] for line in lines] == ["the ledger is away", "the ledger is back"]
    assert {state.up for state in states} == {True, False}


def test_a_full_disk(ledger: SqlLedger) -> None:
    """A file that may not grow: the writer says so, keeps the rows, and writes them when there is
    room."""
    with ledger._connections.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
    writer = make(ledger)
    for number in range(3000):
        writer.put(visit(number))
    writer.start()
    wait_for(lambda: writer.state().errors.get("full", 0) >= 2)
    assert "disk is full" in (writer.state().message or "")
    assert writer.state().pending > 0
    with ledger._connections.engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1000000"))
    wait_for(lambda: writer.state().pending == 0)
    assert writer.stop(5.0) == 0
    assert len(list(ledger.visits(0.0))) == 3000


@pytest.mark.postgres
def test_postgres_goes_and_comes_back(own_postgres: PostgresServer) -> None:
    """The server stops while visits are put and starts again: all are there, once, with their last
    rev."""
    own_postgres.start()
    upgrade(own_postgres.url())
    ledger = SqlLedger(own_postgres.url(), "a")
    writer = make(ledger)
    writer.start()
    writer.put(visit(0))
    wait_for(lambda: writer.state().pending == 0)
    own_postgres.stop()
    for number in range(500):
        writer.put(visit(number, rev=2))
    wait_for(lambda: not writer.state().up)
    own_postgres.start()
    wait_for(lambda: writer.state().up and writer.state().pending == 0)
    assert writer.stop(5.0) == 0
    with psycopg.connect(own_postgres.url()) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT id), min(rev), max(rev) FROM visits"
        ).fetchone()
    assert found == (500, 500, 2, 2)
    ledger.close()


def test_one_bad_row_does_not_keep_the_others_waiting() -> None:
    """A row the ledger does not take is set aside, counted and named by its id alone; all others
    arrive."""
    ledger = MemoryLedger()
    writer = make(ledger)
    for number in range(100):
        writer.put(visit(number))
    writer.put(replace(visit(50, rev=2), end=START - 1))
    with capture_logs() as lines:
        assert writer.flush_now()
    assert len(list(ledger.visits(0.0))) == 99
    assert writer.state().refused == 1
    assert writer.state().pending == 0
    assert [(line["event"], line["visit"]) for line in lines] == [
        ("the ledger refuses a visit", "a50")
    ]
    assert "ana" not in str(lines)


def test_memory_is_bounded() -> None:
    """Beyond the bound the oldest visits are dropped, with a count and one line; the newest are
    kept."""
    ledger = AwayLedger()
    ledger.away = True
    writer = make(ledger, max_pending=10)
    with capture_logs() as lines:
        for number in range(25):
            writer.put(visit(number))
    assert (writer.state().pending, writer.state().dropped) == (10, 15)
    assert [line["event"] for line in lines] == ["visits are dropped"]
    ledger.away = False
    assert writer.flush_now()
    assert {row.id for row in ledger.visits(0.0)} == {f"a{n}" for n in range(15, 25)}


def test_stop_gives_up_in_time_and_says_how_many() -> None:
    """With the ledger away, stop returns after its timeout with the number that could not be
    written."""
    ledger = AwayLedger()
    ledger.away = True
    writer = make(ledger)
    writer.start()
    for number in range(7):
        writer.put(visit(number))
    began = time.monotonic()
    assert writer.stop(0.5) == 7
    assert time.monotonic() - began < 5


def test_stop_does_not_wait_for_a_call_that_hangs() -> None:
    """A database that never answers cannot keep the process from ending."""
    ledger = AwayLedger()
    ledger.hang = threading.Event()
    writer = make(ledger)
    writer.put(visit(1))
    writer.start()
    assert ledger.entered.wait(10)
    assert writer.stop(0.2) == 1
    ledger.hang.set()


def test_stop_tries_again_until_it_works() -> None:
    """A ledger that comes back during the drain still gets everything."""
    ledger = AwayLedger()
    ledger.away = True
    writer = make(ledger)
    writer.put(visit(1))
    stopped: list[int] = []
    thread = threading.Thread(target=lambda: stopped.append(writer.stop(20.0)))
    thread.start()
    wait_for(lambda: ledger.tries >= 2)
    ledger.away = False
    thread.join(20)
    assert stopped == [0]
    assert list(ledger.visits(0.0)) == [visit(1)]


def test_it_waits_longer_from_try_to_try() -> None:
    """While the ledger is away the pauses grow to three seconds and no further, even in a week."""
    ledger = AwayLedger()
    ledger.away = True
    writer = make(ledger, flush_seconds=1.0)
    writer.put(visit(1))
    pauses = []
    for _ in range(7):
        writer.flush_now()
        pauses.append(writer._pause())
    assert pauses == [1.0, 2.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    writer._failures = 100_000
    assert writer._pause() == 3.0
    ledger.away = False
    assert writer.flush_now()
    assert writer._failures == 0


def test_news_of_others_arrive_once(sqlite_url: str, ledger: SqlLedger) -> None:
    """What another process writes is heard, each state once although the ledger repeats it, never
    our own."""
    heard = NewsCollector()
    writer = make(ledger, on_news=heard)
    other = SqlLedger(sqlite_url, "b")
    writer.start()
    writer.put(visit(1))
    other.write_visits([visit(2, node="b")])
    grant = Grant("g", "ana", "daily", 600.0, "course", "lead", START, START + 1e6)
    other.add_grant(grant, actor="cli")
    wait_for(lambda: bool(heard.visits and heard.grants))
    other.write_visits([visit(2, rev=2, node="b")])
    wait_for(lambda: len(heard.visits) > 1)
    for _ in range(5):
        writer.flush_now()
    writer.stop(5.0)
    assert heard.visits == [visit(2, node="b"), visit(2, rev=2, node="b")]
    assert heard.grants == [grant]
    other.close()


def test_news_that_were_not_taken_come_again() -> None:
    """When the receiver fails, the same news are handed over at the next flush, and the thread
    lives."""
    ledger = MemoryLedger()
    heard = NewsCollector()
    failures = iter([True, False])

    def sometimes(news: News) -> None:
        if next(failures):
            raise RuntimeError("the loop is busy")
        heard(news)

    writer = make(ledger, on_news=sometimes)
    ledger.write_visits([visit(1, node="b")])
    with capture_logs() as lines:
        assert not writer.flush_now()
    assert lines[0]["event"] == "flush failed"
    assert writer.state().errors == {"internal": 1}
    assert writer.flush_now()
    assert heard.visits == [visit(1, node="b")]


def test_two_writers_share_one_ledger(sqlite_url: str) -> None:
    """Two nodes that write at the same time hear all of each other and end with the same rows."""
    ledgers = [SqlLedger(sqlite_url, node) for node in ("a", "b")]
    heard = [NewsCollector(), NewsCollector()]
    writers = [make(ledgers[n], node=node, on_news=heard[n]) for n, node in enumerate(("a", "b"))]
    for writer in writers:
        writer.start()
    for number in range(200):
        writers[0].put(visit(number, node="a"))
        writers[1].put(visit(number, node="b"))
    for mine, others in ((0, "b"), (1, "a")):
        wait_for(
            lambda m=mine, o=others: (
                {v.id for v in heard[m].visits} == {f"{o}{n}" for n in range(200)}
            )
        )
    assert [writer.stop(5.0) for writer in writers] == [0, 0]
    assert len(list(ledgers[0].visits(0.0))) == 400
    for ledger in ledgers:
        ledger.close()


def test_a_call_that_hangs_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """State tells of a database that does not answer even before the call comes back."""
    monkeypatch.setattr("proxy_addon.ledger.writer.STUCK_AFTER", 0.05)
    ledger = AwayLedger()
    ledger.hang = threading.Event()
    writer = make(ledger)
    writer.put(visit(1))
    writer.start()
    wait_for(lambda: not writer.state().up)
    assert writer.state().message == "the database does not answer"
    ledger.hang.set()
    assert writer.stop(10.0) == 0
    assert writer.state().up
