"""Runs the Alembic migrations that are packaged beside this file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine

from db.address import Address
from db.engine import is_due, writing

# Any number that no other program on the same Postgres database takes for its advisory lock.
_LOCK = 0x616C6C6F77


def to_head(engine: Engine, address: Address) -> bool:
    """Migrate to the newest schema; false when another process did so while this one waited."""
    with _alone(engine, address) as connection:
        if not is_due(connection, address.place):
            return False
        command.upgrade(config(connection), "head")
    return True


def to_revision(engine: Engine, address: Address, revision: str) -> None:
    """Migrate back to `revision`, or to nothing with "base". Rows that have no place there are
    lost."""
    with _alone(engine, address) as connection:
        command.downgrade(config(connection), revision)


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, found without regard to the working folder."""
    settings = Config(Path(__file__).with_name("alembic.ini"))
    settings.attributes["connection"] = connection
    return settings


@contextmanager
def _alone(engine: Engine, address: Address) -> Iterator[Connection]:
    """One transaction that holds the right to migrate; it all happens, or none of it."""
    with writing(engine).begin() as connection:  # SQLite: BEGIN IMMEDIATE keeps the others out
        if not address.is_sqlite:
            # The session's timeouts are for daily work; a migration, and waiting for one, may take
            # longer.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection
