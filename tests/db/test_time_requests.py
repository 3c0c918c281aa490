"""Twin of db/time_requests.py: what only a database shows. The contract:
tests/ledger/test_requests_contract.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from db.ledger import SqlLedger
from db.models import TimeRequestRow
from db.time_requests import ask, requests
from db.upgrade import upgrade
from tests.db.engines import ENGINES, connected, new_url
from tests.ledger.test_requests_contract import LATER, refuse
from tests.ledger.test_requests_contract import request as asked_for


@pytest.mark.parametrize("engine", ENGINES)
def test_two_refusals_of_one_instant(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Two refusals of one person at one instant are still two rows, not four."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    ledger = SqlLedger(url, "a")
    for number in (1, 2):
        ledger.ask(asked_for(number), most_open=3)
        refuse(ledger, f"r{number}", "no", LATER)
    assert [(each.id, each.note) for each in ledger.requests()] == [("r1", "no"), ("r2", "no")]
    ledger.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_asked_is_open(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A request is stored open, whatever its value says, so that nobody grants something to
    themselves."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    with connected(url) as connection:
        assert ask(connection, asked_for(status="granted", decided=1.0, decided_by="ana"), 1)
        assert connection.execute(
            select(TimeRequestRow.status, TimeRequestRow.decided_by)
        ).all() == [("open", None)]
        assert [each.status for each in requests(connection, TimeRequestRow.person == "ana")] == [
            "open"
        ]
