"""Opening the database, and bringing its schema to the one this version needs.

`upgrade` runs at every start and is made to cost next to nothing when there is nothing to do: one
connection, two small queries, and Alembic is not even imported.
"""

from __future__ import annotations

import importlib

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

from db.address import Address, parse
from db.errors import translated
from db.postgres import open_postgres
from db.sqlite import create_file, open_sqlite, use_wal
from proxy_addon.ledger.interface import LedgerUnusable

# All that this version knows, oldest first; tested against migrations/versions.
REVISIONS = ("ledger_0001", "ledger_0002", "ledger_0003", "ledger_0004")
HEAD = REVISIONS[-1]
VERSION_TABLE = "alembic_version"


def open_engine(address: Address, node: str) -> Engine:
    """An engine over a database that exists. `node` shows up in the list of Postgres sessions."""
    return open_sqlite(address) if address.is_sqlite else open_postgres(address, node)


def writing(engine: Engine) -> Engine:
    """The same engine and pool, for transactions that write."""
    return engine.execution_options(writes=True)


def upgrade(url: str) -> bool:
    """Create the database file and the tables, or migrate them; false when nothing was to be done.

    Several processes may do so at once: one migrates, the others wait. Raises LedgerUnusable for a database
    that somebody else or a newer version made, and changes nothing in it.
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
    """The same for commands that look into a ledger that a proxy keeps: no file is made for a mistyped name.

    Raises LedgerUnusable when there is none.
    """
    address = parse(url)
    if address.is_sqlite and not address.file.exists():
        raise LedgerUnusable(
            f"{address.place}: there is no such file; check --database, or make it with `allowance run` "
            "or `allowance db upgrade`"
        )
    return upgrade(url)


def _upgrade(engine: Engine, address: Address) -> bool:
    with engine.connect() as connection:
        due = is_due(connection, address.place)
    if due:
        # Importing Alembic costs a tenth of the two seconds that a start may take, and is needed once a
        # release. It is one of two places in the project that import late (the other: `SqlLedger.attend`).
        due = importlib.import_module("db.migrate").to_head(engine, address)
    if address.is_sqlite:
        use_wal(engine)
    return due


def schema_version(connection: Connection) -> tuple[str | None, frozenset[str]]:
    """The revision that the database says it has, and the names of all other tables in it."""
    tables = frozenset(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        return None, tables
    rows = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()  # noqa: S608
    return ", ".join(sorted(rows)) or None, tables - {VERSION_TABLE}


def is_due(connection: Connection, place: str) -> bool:
    """Whether an upgrade has something to do. Raises LedgerUnusable when the database is not ours."""
    version, tables = schema_version(connection)
    if version is None:
        if tables:
            names = ", ".join(sorted(tables)[:3])
            raise LedgerUnusable(
                f"{place} holds tables of another program ({names}); name a database of its own",
                kind="foreign",
            )
        return True
    if version not in REVISIONS:
        raise LedgerUnusable(
            f"{place} has schema {version!r}, which this version does not know: a newer Allowance or another "
            "program made it; install that version or name another database",
            kind="newer",
        )
    return version != HEAD


def require_head(connection: Connection, place: str) -> None:
    """Raise LedgerUnusable unless the schema is the one this version needs."""
    if is_due(connection, place):
        raise LedgerUnusable(
            f"{place} has not our tables yet; run `allowance db upgrade`", kind="schema"
        )
