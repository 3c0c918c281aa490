"""`proxy_addon/ledger/confirmations.py`: rows of the ledger as the gate knows them."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.notices.gate import Confirmation, Meeting
from proxy_addon.core.notices.notice import Version
from proxy_addon.ledger.confirmations import (
    confirmation,
    confirmations_by_person,
    meeting,
    meetings_by_person,
)
from proxy_addon.ledger.interface import Acknowledgement, NoticeMeeting

DONE = Acknowledgement("ana", "social", "3.1", "d31", 5.0, "gate")
MET = NoticeMeeting("ana", "social", 3, 4.0, 9.0)


def test_one_row() -> None:
    """Versions become numbers; a version that says nothing confirms nothing."""
    assert confirmation(DONE) == Confirmation("social", Version(3, 1), "d31", 5.0)
    assert confirmation(replace(DONE, version="")) is None
    assert meeting(MET) == Meeting("social", 3, 4.0, 9.0)


def test_by_person() -> None:
    """Each person has their own rows, in the order in which they came."""
    done = confirmations_by_person(
        [DONE, replace(DONE, person="bo"), replace(DONE, version="4", at=6.0)]
    )
    assert {name: [str(each.version) for each in rows] for name, rows in done.items()} == {
        "ana": ["3.1", "4"],
        "bo": ["3.1"],
    }
    assert meetings_by_person([MET, replace(MET, person="bo")]) == {
        "ana": [meeting(MET)],
        "bo": [meeting(MET)],
    }
