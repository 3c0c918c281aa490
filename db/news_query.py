"""What others wrote to the ledger since a cursor.

It rests on `updated_at`, which is the *database's* clock when the row was written: on Postgres
the server's, on SQLite the host's. The clocks of the proxies do not matter. A row becomes visible
only when its transaction commits, a moment after it was stamped, so a reader must not move its
cursor past a transaction that is still open: see `_horizon`. The rest of the care is `OVERLAP`, for
which rows are read twice.
"""

from __future__ import annotations

from sqlalchemy import func, literal, select, text
from sqlalchemy.engine import Connection

from db import notices
from db.columns import GRANT, VISIT
from db.models import AcknowledgementRow, GrantRow, NoticeMeetingRow, VisitRow
from db.personal_data import erasures_since
from db.types import Instant, database_now
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.interface import News

OVERLAP = 2.0  # seconds; more than a database's clock is ever set back by those who keep it right

# The oldest transaction that may yet commit rows older than now. One of another program that never
# ends must not make every reader read again and again what it knows already: our own end within
# seconds (db/postgres.py).
_POSTGRES_HORIZON = text(
    "SELECT least(clock_timestamp(), min(greatest(xact_start, clock_timestamp() - interval '60 s')))"
    " AS horizon FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"
).columns(horizon=Instant())

# SQLite commits one transaction after the other, and stamps its rows while it holds the lock: what
# is not visible yet is stamped no earlier than the newest row that is. min() is for a clock that
# was set back.
_BEGINNING = literal(0.0, Instant())
_NEWEST = (
    func.coalesce(select(func.max(row.updated_at)).scalar_subquery(), _BEGINNING)
    for row in (VisitRow, GrantRow, AcknowledgementRow, NoticeMeetingRow)
)
_SQLITE_HORIZON = select(func.min(database_now(), func.max(*_NEWEST), type_=Instant()))


def news(connection: Connection, cursor: float, not_from: str | None) -> News:
    """Visits (of other nodes than `not_from`) and all else written since `cursor` (0 = the
    beginning).

    The cursor is an instant of the database's clock. Rows of the last `OVERLAP` seconds come again.
    """
    after = cursor - OVERLAP
    visits = select(*VISIT).where(VisitRow.updated_at >= after)
    if not_from is not None:
        visits = visits.where(VisitRow.node != not_from)
    grants = select(*GRANT).where(GrantRow.updated_at >= after)
    horizon = _horizon(connection)  # first: what commits after this is read next time
    return News(
        tuple(Visit(*row) for row in connection.execute(visits)),
        tuple(Grant(*row) for row in connection.execute(grants)),
        horizon,
        erasures_since(connection, after),
        notices.acknowledgements(connection, AcknowledgementRow.updated_at >= after),
        notices.meetings(connection, NoticeMeetingRow.updated_at >= after),
    )


def _horizon(connection: Connection) -> float:
    """The instant from which the next `news` has to read."""
    is_sqlite = connection.dialect.name == "sqlite"
    query = _SQLITE_HORIZON if is_sqlite else _POSTGRES_HORIZON
    return float(connection.execute(query).scalar_one())
