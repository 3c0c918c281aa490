"""Twin of db/totals_query.py: the database makes the same unions as `core/intervals.py`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.engine import Connection

from db import startup_query as histories
from db import totals_query as totals
from db.ledger import SqlLedger
from db.types import Instant
from db.upgrade import upgrade
from proxy_addon.core.intervals import measure_between, normalise
from proxy_addon.core.types import Interval
from proxy_addon.ledger.interface import Ledger
from tests.db.engines import ENGINES, connected, new_url
from tests.db.visits import START, visit
from tests.ledger.memory_ledger import MemoryLedger

numbers = itertools.count()


def test_totals_count_what_overlaps_once(ledger: Ledger) -> None:
    """Time that two platforms share is told of the one used first; the window cuts; allowances do
    not mix."""
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


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(spans, max_size=15), st.integers(0, 60), st.integers(1, 60))
def test_totals_add_up_to_the_union(
    ledger: Ledger, rows: list[tuple[int, int, str, str | None]], at: int, long: int
) -> None:
    """Whatever overlaps, the platforms of an allowance add up to the length of the union within the
    window."""
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
    moments = {
        "start": START + 300 * 86_400,
        "end": START + 330 * 86_400,
        "since": START + 364 * 86_400,
    }
    people = {"low": "p10", "high": "p30"}
    with connected(url) as connection:
        connection.execute(text("ANALYZE visits"))
        if engine == "sqlite":
            asked: list[tuple[TextClause, dict[str, str]]] = [
                (totals._SQLITE_QUERY, {}),
                (histories._QUERIES["sqlite"], {}),
            ]
        else:
            asked = [
                (totals._POSTGRES_QUERY, people),
                (totals._POSTGRES_LAST, {"low": "p30"}),
                (histories._QUERIES["postgresql"], {}),
            ]
        for query, names in asked:
            plan = explained(connection, query, moments | names)
            assert "ix_visits_" in plan, plan
            assert "Seq Scan" not in plan and "SCAN visits" not in plan, plan


def explained(connection: Connection, query: TextClause, values: Mapping[str, object]) -> str:
    """The plan of a query; `values` may hold more than it asks for."""
    words = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    names = {name: value for name, value in values.items() if f":{name}" in query.text}
    moments = [bindparam(name, type_=Instant()) for name in names if isinstance(names[name], float)]
    rows = connection.execute(text(words + query.text).bindparams(*moments), names)
    return "\n".join(str(row) for row in rows)


@pytest.mark.postgres
def test_the_report_reads_an_index_alone(postgres_url: str) -> None:
    """On Postgres a slice of the people is read from the index by person, in its order, without the
    table."""
    upgrade(postgres_url)
    ledger = SqlLedger(postgres_url, "a")
    ledger.write_visits(
        [visit(number * 4, person=f"p{number % 500:03}") for number in range(21_900)]
    )
    ledger.close()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE visits")
    values = {"start": START, "end": START + 9e6, "low": "p100", "high": "p200"}
    with connected(postgres_url) as connection:
        plan = explained(connection, totals._POSTGRES_QUERY, values)
    assert "Index Only Scan using ix_visits_person_ended_at" in plan, plan


@given(st.lists(st.text(min_size=1), max_size=40, unique=True))
def test_slices_hold_everybody_once(names: list[str]) -> None:
    """However many names the statistics know, each slice begins where the one before it ends, the
    last is open."""
    names.sort()
    made = totals.slices(names)
    assert 1 <= len(made) <= totals.SLICES
    assert made[0][0] == "" and made[-1][1] is None
    assert [high for _, high in made[:-1]] == [low for low, _ in made[1:]]
    assert all(high is None or low < high for low, high in made)


@pytest.mark.postgres
def test_slices_add_nothing_and_leave_nobody_out(postgres_url: str) -> None:
    """Where there are statistics the people are read in slices, and the sums are those of
    memory."""
    upgrade(postgres_url)
    ledger, memory = SqlLedger(postgres_url, "a"), MemoryLedger()
    rows = [
        visit(
            n,
            id=f"v{n}",
            person=f"{'pßx'[n % 3]}{n % 701}",
            end=START + n * 60 + 90.5,
            platform="xyz"[n % 2],
        )
        for n in range(5_000)
    ]
    for each in (ledger, memory):
        each.write_visits(rows)
    with connected(postgres_url) as connection:
        connection.execute(text("ANALYZE visits"))
        names = connection.execute(totals._NAMES).scalar_one()
    assert len(totals.slices(names)) == totals.SLICES
    found, expected = (
        {(t.person, t.platform): t.seconds for t in each.totals(START, START + 2e5)}
        for each in (ledger, memory)
    )
    assert found == pytest.approx(expected)
    ledger.close()
