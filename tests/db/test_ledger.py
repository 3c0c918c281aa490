"""Twin of db/ledger.py: what the contract test cannot see from outside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from db.ledger import SqlLedger
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
