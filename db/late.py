"""The imports of `db` that wait until they are needed, because of what they cost.

Alembic takes a tenth of the two seconds that a start may take, and is needed once a release. The
driver of Postgres is as large, and a start on SQLite has no time for it. Only `db/late_driver.py`
imports late as well, and `proxy_addon/rules/calendar_libraries.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from db.address import Address
from db.changeover import Changeovers
from db.in_flight import CallWatchdog

if TYPE_CHECKING:
    from db.listener import LedgerListener


def to_head(engine: Engine, address: Address) -> bool:
    """See `db.migrate.to_head`. Loads Alembic."""
    from db import migrate

    return migrate.to_head(engine, address)


def listener(
    address: Address,
    calls: CallWatchdog,
    node: str,
    on_notification: Callable[[], None],
    changeovers: Changeovers,
) -> LedgerListener:
    """A `db.listener.LedgerListener`. Loads psycopg."""
    from db.listener import LedgerListener

    return LedgerListener(address, calls, node, on_notification, changeovers)
