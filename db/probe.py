"""The state of a database: schema, speed and clock. Creates nothing, migrates nothing."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import select

from db.address import parse
from db.engine import HEAD, REVISIONS, open_engine, schema_version
from db.errors import translated
from db.ledger import SqlLedger
from db.types import database_now


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """`schema`: the revision (None: no tables yet). `opened`, `written`: seconds. `clock`: instant
    of the database's clock, and `asked` how many seconds after the beginning it was read."""

    schema: str | None
    clock: float
    asked: float
    opened: float
    written: float | None


def schema_of(url: str) -> str | None:
    """The revision that a database says it has; None while it has no tables of ours. Raises
    LedgerError."""
    address = parse(url)
    with translated(address.place):
        engine = open_engine(address, "schema")
        try:
            with engine.connect() as connection:
                return schema_version(connection)[0]
        finally:
            engine.dispose()


def describe_schema(revision: str) -> str:
    """ "schema ledger_0004", and for a revision of a newer version that this one may use, that it
    is newer."""
    if revision in REVISIONS:
        return f"schema {revision}"
    return f"schema {revision} (newer than {HEAD} of this version, but compatible)"


def health(url: str) -> DatabaseHealth:
    """Look at a database that exists, and write one row as it was. Raises LedgerError.

    A database without our tables is not written to: `written` is None.
    """
    address = parse(url)
    start = perf_counter()
    with translated(address.place):
        engine = open_engine(address, "doctor")
        try:
            with engine.connect() as connection:
                opened = perf_counter() - start
                schema, tables = schema_version(connection)
                clock = float(connection.execute(select(database_now())).scalar_one())
                asked = perf_counter() - start
        finally:
            engine.dispose()
    if schema is None and not tables:
        return DatabaseHealth(None, clock, asked, opened, None)
    ledger = SqlLedger(url, "doctor")
    try:
        start = perf_counter()
        ledger.check()
        return DatabaseHealth(schema, clock, asked, opened, perf_counter() - start)
    finally:
        ledger.close()
