"""A small pool of connections to Postgres, none of which waits without a limit.

A connection that a primary left behind when it became read-only, or that was cut, throws the whole
pool away: all of it leads to the same place. The next call connects anew, and finds the new primary
at the same address or at the next host of the URL.

Behind a pooler (pgbouncer) a session is not ours alone: the next transaction may run in another
one. There nothing is set for longer than a transaction and no statement is prepared, so that any
kind of pooling is the same to us; see `db/connector.py`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError

from db.address import Address
from db.errors import state_of
from db.late_driver import connector as new_connector

if TYPE_CHECKING:
    from db.connector import PostgresConnector

POOL_SECONDS: Final = 5.0

# After these (SQLSTATE, the longest prefix counts) no connection of the pool is worth keeping: the
# server is read-only now, stops, or is gone.
_POOL_IS_LOST: Final = ("25006", "57P", "08")


def open_postgres(address: Address, node: str) -> Engine:
    """An engine; connections are made when they are needed."""

    @cache
    def connector() -> PostgresConnector:
        return new_connector(address, node)

    engine = create_engine(
        address.url,
        creator=lambda: connector().connect(),
        pool_size=3,
        max_overflow=2,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=1800,
    )
    event.listen(engine, "handle_error", _throw_away)
    event.listen(engine, "begin", _begin)
    return engine


def is_pooled(connection: Connection) -> bool:
    """Whether a pooler stands before the server, so that a session may change with each
    transaction."""
    return bool(getattr(connection.connection.driver_connection, "is_pooled", False))


def _begin(connection: Connection) -> None:
    if is_pooled(connection):
        session: Any = connection.connection.driver_connection
        connection.exec_driver_sql(session.transaction_settings)


def _throw_away(context: ExceptionContext) -> None:
    if isinstance(context.sqlalchemy_exception, DBAPIError):
        state = state_of(context.original_exception) or ""
        if state.startswith(_POOL_IS_LOST):
            context.is_disconnect = True  # which invalidates the pool
