"""The audit in the database: appended to, and changed by erasure and retention only.

Triggers refuse every other UPDATE and DELETE, also by other programs. The two that may do it say
so: on Postgres by a setting of the transaction, on SQLite by a function that exists in our
connections only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import insert, select, text
from sqlalchemy.engine import Connection

from db.models import AuditRow, RuleVersionRow
from proxy_addon.ledger.interface import AuditEntry

RULES = "rules"  # action and subject of the entries about rule versions
OPEN_FUNCTION = "allowance_audit_open"

AUDIT = (AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.subject, AuditRow.detail)


class AuditedConnection(sqlite3.Connection):
    """A connection to SQLite that knows whether the audit may be changed now."""

    audit_is_open = False


def prepare_sqlite(connection: AuditedConnection) -> None:
    """Give the triggers the function that they ask."""
    connection.create_function(OPEN_FUNCTION, 0, lambda: connection.audit_is_open)


@contextmanager
def opened(connection: Connection) -> Iterator[None]:
    """Let rows of the audit be changed inside; for erasure and retention only."""
    if connection.dialect.name == "sqlite":
        driver = cast(AuditedConnection, connection.connection.driver_connection)
        driver.audit_is_open = True
        try:
            yield
        finally:
            driver.audit_is_open = False
        return
    connection.execute(text("SELECT set_config('allowance.audit', 'open', true)"))
    yield
    # When the block fails, the setting ends with the transaction.
    connection.execute(text("SELECT set_config('allowance.audit', '', true)"))


def append(connection: Connection, entry: AuditEntry) -> None:
    """Add one entry."""
    connection.execute(
        insert(AuditRow),
        {
            "at": entry.at,
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "detail": entry.detail,
        },
    )


def rules_in_force(connection: Connection, digest: str, at: float, node: str) -> None:
    """Record that a node uses these rules; audit it where the last entry has others."""
    connection.execute(insert(RuleVersionRow), {"digest": digest, "loaded_at": at, "node": node})
    newest = select(AuditRow.detail).where(AuditRow.subject == RULES, AuditRow.action == RULES)
    last = connection.execute(
        newest.order_by(AuditRow.at.desc(), AuditRow.id.desc()).limit(1)
    ).scalar()
    if last != digest:
        append(connection, AuditEntry(at, f"node:{node}", RULES, RULES, digest))
