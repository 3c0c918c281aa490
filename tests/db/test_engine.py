"""Twin of db/engine.py: whose a database is, and of which version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, text

from db.engine import HEAD, REVISIONS, VERSION_TABLE, is_due, require_head, schema_version
from proxy_addon.ledger.interface import LedgerUnusable


@contextmanager
def empty_database() -> Iterator[Connection]:
    """A connection to a database in memory, which is gone afterwards."""
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@pytest.mark.parametrize(("version", "due"), [(None, True), (REVISIONS[0], True), (HEAD, False)])
def test_what_an_upgrade_has_to_do(version: str | None, due: bool) -> None:
    """Nothing in it, an older schema, ours."""
    with empty_database() as connection:
        if version is not None:
            connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num TEXT)"))
            connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES ('{version}')"))
        assert schema_version(connection) == (version, frozenset())
        assert is_due(connection, "here") is due
        if due:
            with pytest.raises(LedgerUnusable, match="here does not have our tables yet"):
                require_head(connection, "here")
        else:
            require_head(connection, "here")


def test_a_database_of_another_program() -> None:
    """Its tables are named."""
    with empty_database() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
        with pytest.raises(LedgerUnusable, match="another program \\(invoices\\)"):
            is_due(connection, "here")
