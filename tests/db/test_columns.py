"""Twin of db/columns.py."""

from __future__ import annotations

from dataclasses import fields

from db.columns import (
    ACKNOWLEDGEMENT,
    GRANT,
    MEETING,
    NOTICE_VERSION,
    VISIT,
    acknowledgement_values,
    grant_values,
    meeting_values,
    visit_values,
)
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.interface import Acknowledgement, NoticeMeeting, NoticeVersion
from tests.ledger.test_ledger_contract import grant, visit
from tests.ledger.test_notices_contract import confirmed, met


def test_columns_stand_in_the_order_of_the_fields() -> None:
    """A row read is a value made: as many columns as fields, each with its own name, writing
    included."""
    renamed = {
        "started_at": "start",
        "ended_at": "end",
        "created_at": "created",
        "expires_at": "expires",
        "acknowledged_at": "at",
        "first_at": "first",
        "later_at": "later",
        "seen_at": "at",
    }
    for columns, kind, values in (
        (VISIT, Visit, visit_values(visit())),
        (GRANT, Grant, grant_values(grant())),
        (ACKNOWLEDGEMENT, Acknowledgement, acknowledgement_values(confirmed())),
        (MEETING, NoticeMeeting, meeting_values(met())),
        (NOTICE_VERSION, NoticeVersion, None),
    ):
        names = [renamed.get(column.key, column.key) for column in columns]
        assert names == [field.name for field in fields(kind)]
        written = [] if values is None else [column.key for column in columns]
        assert list(values or {})[: len(written)] == written
