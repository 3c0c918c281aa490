"""A small pool of connections to Postgres, none of which waits without a limit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from db.address import Address

CONNECT_SECONDS = 5
POOL_SECONDS = 5.0
STATEMENT_SECONDS = 15
LOCK_SECONDS = 3
IDLE_SECONDS = 15

_SESSION = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": f"{LOCK_SECONDS}s",
    # A proxy that is frozen in the middle of a transaction must not hold the others up.
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    "timezone": "UTC",
}

# Notice within half a minute that the other side vanished without a word.
_PATIENCE: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def open_postgres(address: Address, node: str) -> Engine:
    """An engine; connections are made when they are needed."""
    return create_engine(
        address.url,
        connect_args=arguments(address, node),
        pool_size=3,
        max_overflow=2,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        pool_recycle=1800,
    )


def arguments(address: Address, node: str) -> dict[str, Any]:
    """What we want of every connection, but what the URL says itself has precedence."""
    wanted: dict[str, str | int] = {
        **_PATIENCE,
        "application_name": f"allowance {node}",
        "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
    }
    return {name: value for name, value in wanted.items() if name not in address.url.query}
