"""The id of a ledger: one row, written by the migration that makes the table.

A ledger is known by its id and not by its address, which a failover or a new folder changes. So
the id goes wherever the rows go: with backups, with replication, and with `db.copy`.
"""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from db.models import IDENTITY
from proxy_addon.ledger.interface import LedgerUnusable


def identity(connection: Connection, place: str) -> str:
    """The id of this ledger. Raises LedgerUnusable where somebody removed the row or added one."""
    found = connection.execute(select(IDENTITY.c.id)).scalars().all()
    if len(found) == 1:
        return str(found[0])
    raise LedgerUnusable(
        f"{place}: the table ledger_identity has to have one row (found: {len(found)}); restore"
        " the ledger from a backup",
        kind="identity",
    )


def carry(origin: Connection, target: Connection) -> str:
    """Give a copy the id of its source, in the transaction of `target`; the id."""
    row = origin.execute(select(IDENTITY)).one()
    target.execute(delete(IDENTITY))
    target.execute(insert(IDENTITY).values(row._asdict()))
    return str(row.id)
