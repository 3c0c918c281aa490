"""Inserts of rows that may be there already."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy import inspect as inspect_object
from sqlalchemy.dialects import postgresql, sqlite

from db.models import Base, GrantRow, VisitRow
from db.types import database_now


def upsert_visits(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Insert visits; where the id is there already, the higher `rev` stays."""
    insert = _insert(dialect, VisitRow).values(updated_at=database_now())
    changed = {
        column.name: insert.excluded[column.name]
        for column in _columns(VisitRow)
        if column.name != "id"
    }
    return insert.on_conflict_do_update(
        index_elements=["id"], set_=changed, where=VisitRow.rev < insert.excluded.rev
    )


def insert_grant(dialect: str) -> Any:
    """Insert a grant; gives its id back, or nothing where the id is there already."""
    insert = _insert(dialect, GrantRow).values(updated_at=database_now())
    return insert.on_conflict_do_nothing().returning(GrantRow.id)


def _insert(dialect: str, row: type[Base]) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(row) if dialect == "sqlite" else postgresql.insert(row)


def _columns(row: type[Base]) -> Any:
    table = inspect_object(row).local_table
    assert isinstance(table, Table)
    return table.columns
