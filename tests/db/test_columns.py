"""Twin of db/columns.py."""

from __future__ import annotations

from dataclasses import fields

from db.columns import GRANT, VISIT, grant_values, visit_values
from proxy_addon.core.types import Grant, Visit
from tests.ledger.test_ledger_contract import grant, visit


def test_columns_stand_in_the_order_of_the_fields() -> None:
    """A row read is a value made: as many columns as fields, each with its own name, writing
    included."""
    renamed = {
        "started_at": "start",
        "ended_at": "end",
        "created_at": "created",
        "expires_at": "expires",
    }
    for columns, kind, values in (
        (VISIT, Visit, visit_values(visit())),
        (GRANT, Grant, grant_values(grant())),
    ):
        names = [renamed.get(column.key, column.key) for column in columns]
        assert names == [field.name for field in fields(kind)]
        assert list(values) == [column.key for column in columns]
