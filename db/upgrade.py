"""Bringing the schema of a database to the one this version needs.

`upgrade` runs at every start and is made to cost next to nothing when there is nothing to do: one
connection, two small queries, and Alembic is not even imported (`db/late.py`).
"""

from __future__ import annotations

from sqlalchemy.engine import Engine

from db import late
from db.address import Address, parse
from db.engine import is_due, open_engine, schema_version
from db.errors import translated
from db.sqlite import create_file, use_wal
from proxy_addon.ledger.interface import LedgerUnusable


def upgrade(url: str) -> bool:
    """Create the database file and the tables, or migrate them; false when nothing was to be done.

    Several processes may do so at once: one migrates, the others wait. Raises LedgerUnusable for a
    database that somebody else or a newer version made, and changes nothing in it.
    """
    address = parse(url)
    with translated(address.place):
        if address.is_sqlite:
            create_file(address.file)
        engine = open_engine(address, "upgrade")
        try:
            return _upgrade(engine, address)
        finally:
            engine.dispose()


def upgrade_existing(url: str) -> bool:
    """The same for commands that look into a ledger that a proxy keeps: none is made for a mistyped
    name.

    Raises LedgerUnusable when there is none.
    """
    if not has_ledger(url):
        address = parse(url)
        missing = address.is_sqlite and not address.file.exists()
        what = "there is no such file" if missing else "there is no ledger in it"
        raise LedgerUnusable(
            f"{address.place}: {what}; check --database, put it back if it was moved, or make it"
            " with `allowance run` or `allowance db upgrade`"
        )
    return upgrade(url)


def has_ledger(url: str) -> bool:
    """False where there is no file, or no table in the database yet. Makes nothing. Raises
    LedgerError."""
    address = parse(url)
    if address.is_sqlite and not address.file.exists():
        return False
    with translated(address.place):
        engine = open_engine(address, "upgrade")
        try:
            with engine.connect() as connection:
                version, tables = schema_version(connection)
        finally:
            engine.dispose()
    return version is not None or bool(tables)


def _upgrade(engine: Engine, address: Address) -> bool:
    with engine.connect() as connection:
        due = is_due(connection, address.place)
    if due:
        due = late.to_head(engine, address)
    if address.is_sqlite:
        use_wal(engine)
    return due
