"""Twin of db/audit.py: the audit cannot be changed but by those who may."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import audit
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.ledger.interface import AuditEntry
from tests.db.engines import ENGINES, connected, new_url

ENTRY = AuditEntry(10.0, "cli:ada", "grant", "ana", "why")


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger with one entry in the audit."""
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    ledger = SqlLedger(url, "a")
    ledger.audit(ENTRY)
    ledger.close()
    return url


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET actor = 'eve'"])
def test_the_database_refuses_changes(url: str, statement: str) -> None:
    """A change that nobody may make fails in the database itself, whoever tries."""
    with pytest.raises(DBAPIError, match="never changed"), connected(url) as connection:
        connection.execute(text(statement))
    with connected(url) as connection:
        assert connection.execute(text("SELECT actor FROM audit")).scalars().all() == ["cli:ada"]


def test_the_table_is_protected_again(url: str) -> None:
    """Inside `opened` a change is possible; after it, in the same transaction, it is not."""
    with pytest.raises(DBAPIError, match="never changed"), connected(url) as connection:
        with audit.opened(connection):
            connection.execute(text("UPDATE audit SET actor = 'cli:bo'"))
        connection.execute(text("DELETE FROM audit"))


def test_other_programs_cannot_change_it(tmp_path: Path) -> None:
    """A plain SQLite shell can read the audit and add to it, and nothing else."""
    upgrade(f"sqlite:///{tmp_path}/ledger.db")
    with sqlite3.connect(tmp_path / "ledger.db") as other:
        values = "(at, actor, action, subject, detail) VALUES ('2026', 'a', 'b', 'c', 'd')"
        other.execute(f"INSERT INTO audit {values}")
        with pytest.raises(sqlite3.OperationalError, match="allowance_audit_open"):
            other.execute("DELETE FROM audit")
    other.close()


@pytest.mark.postgres
def test_truncate_is_refused(postgres_url: str) -> None:
    """TRUNCATE, which no row trigger sees, is refused as well."""
    upgrade(postgres_url)
    with pytest.raises(DBAPIError, match="never changed"), connected(postgres_url) as connection:
        connection.execute(text("TRUNCATE audit"))
