"""Opening the database, and whether its schema is the one this version needs."""

from __future__ import annotations

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

from db.address import Address
from db.postgres import is_pooled, open_postgres
from db.sqlite import open_sqlite
from proxy_addon.ledger.interface import LedgerUnusable

# All that this version knows, oldest first; tested against migrations/versions.
REVISIONS = tuple(f"ledger_{number:04}" for number in range(1, 7))
HEAD = REVISIONS[-1]
VERSION_TABLE = "alembic_version"
# A newer schema that older versions may go on using says so here, from ledger_0005 on: one row
# whose `oldest` is the oldest revision that a program has to know. Migrations only add, so that two
# versions can share one ledger while machines are updated one by one.
COMPATIBILITY_TABLE = "schema_compatibility"


def open_engine(address: Address, node: str) -> Engine:
    """An engine over a database that exists. `node` shows up in the list of Postgres sessions."""
    return open_sqlite(address) if address.is_sqlite else open_postgres(address, node)


def writing(engine: Engine) -> Engine:
    """The same engine and pool, for transactions that write."""
    return engine.execution_options(writes=True)


def for_reading(connection: Connection) -> Connection:
    """The same connection, for statements that are independent of each other: without a transaction
    around them Postgres is asked once instead of three times. Behind a pooler the transaction
    stays, because it holds the time limits."""
    if connection.dialect.name == "sqlite" or is_pooled(connection):
        return connection
    return connection.execution_options(isolation_level="AUTOCOMMIT")


def schema_version(connection: Connection) -> tuple[str | None, frozenset[str]]:
    """The revision that the database says it has, and the names of all other tables in it."""
    tables = frozenset(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        return None, tables
    rows = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()  # noqa: S608
    return ", ".join(sorted(rows)) or None, tables - {VERSION_TABLE}


def server_version(engine: Engine) -> str:
    """What the server said when it was connected to first: "PostgreSQL 17.2"; only its kind before
    that."""
    kind = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}.get(engine.dialect.name, "")
    numbers = engine.dialect.server_version_info or ()
    return " ".join((kind, ".".join(map(str, numbers)))).strip()


def is_due(connection: Connection, place: str) -> bool:
    """Whether an upgrade has something to do; False too for a newer schema that this version may
    use.

    Raises LedgerUnusable when the database is not ours, or is too new.
    """
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
        if COMPATIBILITY_TABLE in tables and _oldest(connection) in REVISIONS:
            return False
        raise LedgerUnusable(
            f"{place} has schema {version!r}, which this version does not know: a newer Allowance or another "
            "program made it; install that version or name another database",
            kind="newer",
        )
    return version != HEAD


def _oldest(connection: Connection) -> str | None:
    """The oldest revision that a program has to know to use this schema; None where it is not
    said."""
    rows = connection.execute(text(f"SELECT oldest FROM {COMPATIBILITY_TABLE}")).scalars().all()  # noqa: S608
    return str(rows[0]) if len(rows) == 1 else None


def require_head(connection: Connection, place: str) -> None:
    """Raise LedgerUnusable unless the schema is the one this version needs."""
    if is_due(connection, place):
        raise LedgerUnusable(
            f"{place} does not have our tables yet; run `allowance db upgrade`", kind="schema"
        )
