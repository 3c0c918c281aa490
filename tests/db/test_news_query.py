"""Twin of db/news_query.py: cursors, clocks and transactions that commit late."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from db.ledger import SqlLedger
from db.news_query import OVERLAP
from db.upgrade import upgrade
from tests.db import test_ledger
from tests.db.engines import connected
from tests.db.test_ledger import START, visit
from tests.ledger.test_notices_contract import confirmed, met

url, ledger = test_ledger.url, test_ledger.ledger


def shift(url: str, seconds: int, *tables: str) -> None:
    """Make all rows look as if they were written `seconds` later, or earlier: a clock that was
    wrong."""
    moved = f"updated_at + interval '{seconds} s'"
    if url.startswith("sqlite"):
        moved = f"strftime('%Y-%m-%d %H:%M:%f', updated_at, '{seconds} seconds') || '000+00:00'"
    with connected(url) as connection:
        for table in tables or ("visits",):
            connection.execute(text(f"UPDATE {table} SET updated_at = {moved}"))


def test_old_news_do_not_repeat(url: str, ledger: SqlLedger) -> None:
    """Rows older than the overlap are not read again."""
    ledger.write_visits([visit(1)])
    shift(url, -int(OVERLAP) - 5)
    ledger.write_visits([visit(2)])
    cursor = ledger.news(0.0).cursor
    assert [row.id for row in ledger.news(cursor).visits] == ["b2"]


def test_a_clock_that_was_set_back(url: str, ledger: SqlLedger) -> None:
    """After the database's clock went back by an hour, new rows are heard all the same."""
    ledger.write_visits([visit(1)])
    shift(url, 3600)
    cursor = ledger.news(ledger.news(0.0).cursor + 3600).cursor
    ledger.write_visits([visit(2)])
    assert "b2" in {row.id for row in ledger.news(cursor).visits}


@pytest.mark.postgres
def test_a_transaction_that_commits_late(postgres_url: str) -> None:
    """A row written before the reader looked, and committed long after, is heard at the next
    look."""
    upgrade(postgres_url)
    ledger = SqlLedger(postgres_url, "a")
    with psycopg.connect(postgres_url) as slow:
        # Far outside the overlap: as if this transaction had been open for half a minute.
        slow.execute(
            "INSERT INTO visits SELECT 'late', 'ana', 'x', NULL, NULL, NULL, now(), now(), 'b', 1, now()"
        )
        slow.execute("SELECT pg_sleep(%s)", (OVERLAP + 0.5,))
        cursor = ledger.news(0.0, not_from="a").cursor
        assert ledger.news(cursor, not_from="a").visits == ()
    assert [row.id for row in ledger.news(cursor, not_from="a").visits] == ["late"]
    ledger.close()


def test_the_horizon_moves_with_confirmations(url: str, ledger: SqlLedger) -> None:
    """Where nothing but policies is written the cursor moves on too: what is older than the overlap
    is not read again, and what comes after it is."""
    ledger.acknowledge(confirmed(person="old"))
    ledger.meet(met(person="old"))
    shift(url, -int(OVERLAP) - 5, "acknowledgements", "notice_meetings")
    ledger.acknowledge(confirmed(person="new"))
    cursor = ledger.news(0.0).cursor
    assert [each.person for each in ledger.news(cursor).acknowledgements] == ["new"]
    assert ledger.news(cursor).meetings == ()
    ledger.meet(met(START + 1, person="new"))
    assert [each.person for each in ledger.news(cursor).meetings] == ["new"]


def test_a_clock_set_back_between_confirmations(url: str, ledger: SqlLedger) -> None:
    """A confirmation that was stamped in the future does not hide those that come after it."""
    ledger.acknowledge(confirmed(person="old"))
    shift(url, 3600, "acknowledgements")
    cursor = ledger.news(0.0).cursor
    ledger.acknowledge(confirmed(person="new"))
    ledger.meet(met(person="new"))
    news = ledger.news(cursor)
    assert "new" in {each.person for each in news.acknowledgements}
    assert [each.person for each in news.meetings] == ["new"]


@pytest.mark.postgres
def test_a_confirmation_that_commits_late(postgres_url: str) -> None:
    """One that was stamped before the reader looked, and committed after, is heard next time."""
    upgrade(postgres_url)
    ledger = SqlLedger(postgres_url, "a")
    with psycopg.connect(postgres_url) as slow:
        slow.execute(
            "INSERT INTO acknowledgements (person, digest, acknowledged_at, updated_at) "
            "VALUES ('late', 'd', now(), now())"
        )
        slow.execute("SELECT pg_sleep(%s)", (OVERLAP + 0.5,))
        cursor = ledger.news(0.0).cursor
        assert ledger.news(cursor).acknowledgements == ()
    assert [each.person for each in ledger.news(cursor).acknowledgements] == ["late"]
    ledger.close()


@pytest.mark.postgres
def test_others_are_notified(postgres_url: str) -> None:
    """A confirmation and a meeting are told to listeners, one that changes nothing is not."""
    upgrade(postgres_url)
    writer = SqlLedger(postgres_url, "a")
    with psycopg.connect(postgres_url, autocommit=True) as listener:
        listener.execute("LISTEN allowance")
        for step, told in (
            (lambda: writer.acknowledge(confirmed()), ["a"]),
            (lambda: writer.acknowledge(confirmed()), []),
            (lambda: writer.meet(met()), ["a"]),
            (lambda: writer.meet(met()), []),
        ):
            step()
            listener.execute("SELECT 1")
            assert [note.payload for note in listener.notifies(timeout=0.5)] == told
    writer.close()
