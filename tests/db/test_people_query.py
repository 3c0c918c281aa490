"""`db/people_query.py`: names, by way of the index."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from db.ledger import SqlLedger
from db.people_query import _QUERY
from db.upgrade import upgrade
from tests.ledger import test_ledger_contract as contract
from tests.ledger.test_ledger_contract import START, visit

open_ledger, ledger = contract.open_ledger, contract.ledger


def test_each_name_once(ledger: contract.Ledger) -> None:
    """Whoever has a visit that ends after the instant, on every ledger."""
    assert set(ledger.people(0.0)) == set()
    ledger.write_visits(
        [
            visit(1),
            visit(2),
            visit(3, person="Zoë 🙂"),
            visit(4, person="bo"),
            visit(9, person="ip:10.0.0.1"),
        ]
    )
    assert sorted(ledger.people(0.0)) == ["Zoë 🙂", "ana", "bo", "ip:10.0.0.1"]
    assert set(ledger.people(START + 4 * 60 + 10)) == {"ip:10.0.0.1"}
    assert set(ledger.people(START + 3 * 60 + 20)) == {"bo", "ip:10.0.0.1"}


def test_the_index_is_used(tmp_path: Path) -> None:
    """No step reads the table: each is a search in the index by person."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(url)
    opened = SqlLedger(url, "a")
    with opened._reading() as connection:
        plan = connection.execute(
            text(f"EXPLAIN QUERY PLAN {_QUERY.text}"), {"since": "2026-11-02 00:00:00.000000"}
        )
        steps = [row[-1] for row in plan if "visits" in row[-1]]
    opened.close()
    assert len(steps) == 3
    assert all("COVERING INDEX ix_visits_person_ended_at" in step for step in steps), steps
    assert "SCAN" not in " ".join(steps[1:]), steps


@pytest.mark.parametrize("count", [1, 1_500])
def test_many_names(ledger: contract.Ledger, count: int) -> None:
    """However many there are: none is left out."""
    names = [f"person{number:04}" for number in range(count)]
    ledger.write_visits([visit(n, person=name) for n, name in enumerate(names)])
    assert sorted(ledger.people(0.0)) == names
