"""Twin of db/upserts.py; what the statements do is in tests/ledger/test_ledger_contract.py."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from db.columns import grant_values, visit_values
from db.upserts import insert_grant, upsert_visits
from tests.ledger.test_ledger_contract import grant, visit

DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}


@pytest.mark.parametrize("name", DIALECTS)
def test_every_column_is_written(name: str) -> None:
    """A visit that is there already gets each column but its id anew, and only from a higher
    rev; a grant that is there stays."""
    statement = upsert_visits(name).values(visit_values(visit()))
    upsert = str(statement.compile(dialect=DIALECTS[name]))
    changed = upsert.partition("DO UPDATE SET")[2]
    for column in {*visit_values(visit()), "updated_at"} - {"id"}:
        assert f"{column} = excluded.{column}" in changed
    assert "WHERE visits.rev < excluded.rev" in changed
    insert = str(insert_grant(name).values(grant_values(grant())).compile(dialect=DIALECTS[name]))
    assert " ".join(insert.split()).partition("ON CONFLICT DO NOTHING RETURNING ")[2][-2:] == "id"
    assert all(column in insert for column in grant_values(grant()))
