"""Twin of db/totals.py: the database makes the same unions as `core/intervals.py`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, text

from db import histories, totals
from db.engine import upgrade
from db.ledger import SqlLedger
from db.types import Instant
from proxy_addon.core.intervals import measure_between, normalise
from proxy_addon.core.types import Interval, Visit
from proxy_addon.memory_ledger import MemoryLedger
from proxy_addon.ports import Ledger
from tests.db.engines import ENGINES, connected, new_url

START = 1_793_610_000.0
numbers = itertools.count()


@pytest.fixture(params=["memory", *ENGINES])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with nothing in it."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    ledger = SqlLedger(url, "a")
    yield ledger
    ledger.close()


def visit(number: int = 1, **changes: object) -> Visit:
    """A visit of ten seconds; `number` moves it and gives it its id."""
    start = START + number * 60
    made = Visit(f"v{number}", "ana", "x", None, "daily", "Fifteen", start, start + 10.0, "a")
    return replace(made, **changes)


def test_totals_count_what_overlaps_once(ledger: Ledger) -> None:
    """Time that two platforms share is told of the one used first; the window cuts; allowances do not mix."""
    at = START + 1000
    rows = [
        visit(1, id="a", start=at, end=at + 60),
        visit(1, id="b", start=at + 30, end=at + 90.5, platform="y", node="b"),
        visit(1, id="c", start=at + 40, end=at + 50, platform="y"),
        visit(1, id="d", start=at + 95, end=at + 200, platform="y"),
        visit(1, id="e", start=at + 10, end=at + 30, allowance=None, platform="y"),
        visit(1, id="f", start=at, end=at + 60, person="bo"),
        visit(1, id="g", start=at + 20, end=at + 20, platform="z"),
        visit(1, id="h", start=at - 50, end=at),
    ]
    ledger.write_visits(rows)
    found = {(t.person, t.platform, t.allowance): t.seconds for t in ledger.totals(at, at + 100)}
    assert found == {
        ("ana", "x", "daily"): 60.0,
        ("ana", "y", "daily"): pytest.approx(35.5),
        ("ana", "y", None): 20.0,
        ("bo", "x", "daily"): 60.0,
    }
    assert ledger.totals(at + 1000, at + 2000) == []


spans = st.tuples(
    st.integers(0, 80), st.integers(0, 40), st.sampled_from("xyz"), st.sampled_from(["daily", None])
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(spans, max_size=15), st.integers(0, 60), st.integers(1, 60))
def test_totals_add_up_to_the_union(
    ledger: Ledger, rows: list[tuple[int, int, str, str | None]], at: int, long: int
) -> None:
    """Whatever overlaps, the platforms of an allowance add up to the length of the union within the window."""
    ledger.prune(START + 1e9)
    written = [
        visit(
            1,
            id=f"t{next(numbers)}",
            start=START + start,
            end=START + start + length,
            platform=platform,
            allowance=name,
        )
        for start, length, platform, name in rows
    ]
    ledger.write_visits(written)
    window = (START + at, START + at + long)
    for name in ("daily", None):
        union = normalise(Interval(row.start, row.end) for row in written if row.allowance == name)
        found = [total for total in ledger.totals(*window) if total.allowance == name]
        assert sum(total.seconds for total in found) == pytest.approx(
            measure_between(union, *window), abs=1e-4
        )
        assert all(total.seconds > 0 for total in found)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_month_of_a_year_reads_no_whole_table(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """The report of a month, and a start, find their rows by an index among those of a year."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    ledger = SqlLedger(url, "a")
    ledger.write_visits([visit(number * 24, person=f"p{number % 50}") for number in range(21_900)])
    ledger.close()
    moments = {"start": START + 300 * 86_400, "end": START + 330 * 86_400, "since": START + 364 * 86_400}
    words = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN "
    dialect = "sqlite" if engine == "sqlite" else "postgresql"
    with connected(url) as connection:
        connection.execute(text("ANALYZE visits"))
        for queries, names in ((totals._QUERIES, ("start", "end")), (histories._QUERIES, ("since",))):
            query = queries[dialect]
            explain = text(words + query.text).bindparams(
                *(bindparam(name, type_=Instant()) for name in names)
            )
            rows = connection.execute(explain, {name: moments[name] for name in names})
            plan = "\n".join(str(row) for row in rows)
            assert "ix_visits_" in plan, plan
            assert "Seq Scan" not in plan and "SCAN visits" not in plan, plan
