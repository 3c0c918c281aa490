"""Twin of db/ledger.py: what the contract test cannot see from outside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from db.ledger import OVERLAP, SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from tests.db.engines import ENGINES, connected, new_url

START = 1_793_610_000.0


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger with nothing in it."""
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    return url


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    """The ledger in it."""
    ledger = SqlLedger(url, "a")
    yield ledger
    ledger.close()


def visit(number: int, node: str = "b", rev: int = 1) -> Visit:
    """Ten seconds of somebody."""
    start = START + number * 30
    return Visit(
        f"{node}{number}", f"p{number % 500}", "x", None, "daily", "r", start, start + 10, node, rev
    )


def shift(url: str, seconds: int) -> None:
    """Make all rows look as if they were written `seconds` later, or earlier: a clock that was
    wrong."""
    moved = f"updated_at + interval '{seconds} s'"
    if url.startswith("sqlite"):
        moved = f"strftime('%Y-%m-%d %H:%M:%f', updated_at, '{seconds} seconds') || '000+00:00'"
    with connected(url) as connection:
        connection.execute(text(f"UPDATE visits SET updated_at = {moved}"))


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


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("person = 'p1' AND ended_at > {at}", "ix_visits_person_ended_at"),
        ("ended_at > {at}", "ix_visits_ended_at"),
        ("updated_at >= {now} AND node != 'a'", "ix_visits_updated_at"),
    ],
)
def test_no_query_reads_the_whole_table(
    url: str, ledger: SqlLedger, query: str, index: str
) -> None:
    """The three ways in which visits are read use an index on a table of some size."""
    rows = [visit(n) for n in range(20_000)]
    random.Random(1).shuffle(rows)
    ledger.write_visits(rows)
    is_sqlite = url.startswith("sqlite")
    at = "'2026-11-08 00:00:00.000000+00:00'"
    now = "'2100-01-01 00:00:00.000000+00:00'"
    with connected(url) as connection:
        connection.execute(text("ANALYZE"))
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        statement = f"{explain} SELECT * FROM visits WHERE {query.format(at=at, now=now)}"
        plan = "\n".join(str(row) for row in connection.execute(text(statement)))
    assert index in plan
    assert "Seq Scan" not in plan
