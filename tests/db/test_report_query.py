"""`db/report_query.py`: visits for reports. One contract for both engines."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import EvidenceSummary, Extension, Visit
from proxy_addon.ledger.interface import PlainVisit
from tests.db.engines import ENGINES, new_url

T0 = 1_793_610_000.0


@pytest.fixture(params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path):
    """An empty ledger on each engine."""
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    opened = SqlLedger(url, "test")
    yield opened
    opened.close()


def visit(
    name: str, person: str, start: float, end: float, allowance: str | None = "daily"
) -> Visit:
    """A visit so many seconds after T0."""
    return Visit(name, person, "x", None, allowance, "rule", T0 + start, T0 + end, "n")


def test_by_person_then_by_start(ledger: SqlLedger) -> None:
    """Whatever the order they were written in; the newest revision of each."""
    ledger.write_visits(
        [visit("3", "bo", 5, 9), visit("1", "ana", 7, 8), visit("2", "ana", 0.25, 4, None)]
    )
    ledger.write_visits([Visit("3", "bo", "x", None, "daily", "rule", T0 + 5, T0 + 6, "n", 2)])
    assert list(ledger.stretches(T0, T0 + 100)) == [
        PlainVisit("ana", "x", None, "rule", T0 + 0.25, T0 + 4),
        PlainVisit("ana", "x", "daily", "rule", T0 + 7, T0 + 8),
        PlainVisit("bo", "x", "daily", "rule", T0 + 5, T0 + 6),
    ]


def test_free_time_that_was_estimated(ledger: SqlLedger) -> None:
    """Of free visits it is told whether they are estimates; of charged ones nobody asks."""
    estimate = EvidenceSummary(("estimated", T0), (Extension("estimated", T0, T0 + 5, 2),))
    mixed = estimate._replace(extended=(*estimate.extended, Extension("page-opened", T0, T0, 1)))
    ledger.write_visits(
        [
            replace(visit("a", "ana", 0, 9, None), evidence=estimate),
            replace(visit("b", "ana", 10, 19, None), evidence=mixed),
            replace(visit("c", "ana", 20, 29), evidence=estimate),
            visit("d", "ana", 30, 39, None),
        ]
    )
    found = [each.estimated for each in ledger.stretches(T0, T0 + 100)]
    assert found == [True, False, False, False]


def test_what_touches_the_time(ledger: SqlLedger) -> None:
    """Whole visits, also those that reach over an edge; what only meets an edge is not there."""
    ledger.write_visits(
        [
            visit("a", "ana", 0, 10),
            visit("b", "ana", 5, 15),
            visit("c", "ana", 19, 30),
            visit("d", "ana", 20, 30),
        ]
    )
    assert [found.start - T0 for found in ledger.stretches(T0 + 10, T0 + 20)] == [5, 19]


def test_more_rows_than_are_fetched_together(ledger: SqlLedger) -> None:
    """Nobody is torn apart or lost between two batches."""
    rows = [
        visit(f"{person}-{n}", f"p{person}", n, n + 1) for person in range(7) for n in range(1_600)
    ]
    ledger.write_visits(rows)
    found = [
        (name, len(list(some)))
        for name, some in groupby(ledger.stretches(T0, T0 + 9_999), lambda v: v.person)
    ]
    assert found == [(f"p{person}", 1_600) for person in range(7)]
