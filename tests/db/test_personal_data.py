"""Twin of db/personal_data.py: requests and acknowledgements. The rest is in
tests/ledger/test_erasure_contract.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert

from db.columns import meeting_values
from db.ledger import SqlLedger
from db.models import AcknowledgementRow, NoticeMeetingRow, PersonRow, TimeRequestRow
from db.personal_data import wanted
from db.upgrade import upgrade
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import Acknowledgement, NoticeMeeting, TimeRequest
from tests.db.engines import ENGINES, connected, new_url
from tests.db.test_pseudonymise import texts
from tests.ledger.test_ledger_contract import visit

MET = NoticeMeeting("ana", "social-media", 3, 90.0, 95.0)


def ask(number: int, person: str, at: float, **more: object) -> dict[str, object]:
    """A request for time."""
    return {
        "id": f"t{number}",
        "person": person,
        "allowance": "daily",
        "seconds": 60.0,
        "reason": f"for {person}",
        "status": "open",
        "created_at": at,
        **more,
    }


def fill(url: str, at: float = 100.0) -> None:
    """Requests, acknowledgements and a people row of ana and bo."""
    rows = [
        (TimeRequestRow, ask(1, "ana", at, decided_at=None, decided_by=None)),
        (TimeRequestRow, ask(2, "bo", at, decided_at=at + 1, decided_by="ana", status="refused")),
        (AcknowledgementRow, {"person": "ana", "digest": "d1", "acknowledged_at": at}),
        (AcknowledgementRow, {"person": "bo", "digest": "d1", "acknowledged_at": at}),
        (NoticeMeetingRow, meeting_values(MET) | {"updated_at": at}),
        (PersonRow, {"name": "ana", "added_at": at, "added_by": "ada"}),
        (PersonRow, {"name": "bo", "added_at": at, "added_by": "ana"}),
    ]
    with connected(url) as connection:
        for row, values in rows:
            connection.execute(insert(row), values)


@pytest.mark.parametrize("engine", ENGINES)
def test_requests_and_acknowledgements(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """They are in the records of a person, those from before ledger_0005 too, and go with an
    erasure; as somebody's decider the label stands."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    fill(url)
    ledger = SqlLedger(url, "a")
    found = ledger.records("ana")
    assert found.requests == (TimeRequest("t1", "ana", "daily", 60.0, "for ana", "open", 100.0),)
    assert found.acknowledgements == (Acknowledgement("ana", "", "", "d1", 100.0, ""),)
    assert found.meetings == (MET,)
    erased = ledger.erase(
        Erasure.of("ana", 200.0), "ana", label="erased:1", actor="cli:ada", reason="asked"
    )
    assert erased == found
    assert not any("ana" in text for text in texts(url))
    (left,) = ledger.records("bo").requests
    assert (left.decided_by, left.reason) == ("erased:1", "for bo")
    ledger.close()


def test_what_is_still_wanted() -> None:
    """Only visits that began before the last erasure of that very person are left out."""
    signs = [Erasure.of("ana", 150.0), Erasure.of("ana", 100.0), Erasure.of("bo", 500.0)]
    rows = [
        visit(1, id=f"{name}{at}", person=name, start=at, end=1e12)
        for name in ("ana", "cy")
        for at in (149.0, 150.0)
    ]
    assert [row.id for row in wanted(signs, rows)] == ["ana150.0", "cy149.0", "cy150.0"]
    assert wanted([], rows) is rows
