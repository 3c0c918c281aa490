"""What is asked of every session of Postgres: nothing waits without a limit."""

from __future__ import annotations

from typing import Any, Final

from db.address import Address

CONNECT_SECONDS: Final = 5  # for all hosts of the URL together
STATEMENT_SECONDS: Final = 15
LOCK_SECONDS: Final = 3
IDLE_SECONDS: Final = 15

SESSION: Final = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": f"{LOCK_SECONDS}s",
    # A proxy that is frozen in the middle of a transaction must not hold the others up.
    "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    "timezone": "UTC",
}

# Notice within half a minute that the other side vanished without a word.
_PATIENCE: Final[dict[str, str | int]] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def arguments(address: Address, node: str) -> dict[str, Any]:
    """What we want of every connection, but what the URL says itself has precedence."""
    wanted: dict[str, str | int] = {**_PATIENCE, "application_name": f"allowance {node}"}
    return {name: value for name, value in wanted.items() if name not in address.url.query}


def session_settings(address: Address) -> dict[str, str]:
    """The settings of every session, or of every transaction behind a pooler, but those that the
    URL makes itself in its `options`."""
    options = str(address.url.query.get("options", "")).replace(" ", "")
    return {name: value for name, value in SESSION.items() if f"{name}=" not in options.lower()}
