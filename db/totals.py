"""Seconds by person, platform and allowance, with what overlaps counted once.

The union is made by the database: visits of a person on an allowance in the order of their start, each adding
what lies beyond the furthest end before it. So time that two platforms share is told of the one that was used
first, and the platforms of an allowance add up to what was spent of it. Free time is an allowance of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection

from db.types import Instant
from proxy_addon.ports import Total

# The hash is only for speed: numbers are sorted several times as fast as names that begin alike.
_POSTGRES: Final = """
    WITH cut AS (
        SELECT person, platform, allowance,
            greatest(started_at, :start) AS since, least(ended_at, :end) AS until
        FROM visits WHERE ended_at > :start AND started_at < :end
    ), placed AS (
        SELECT *, max(until) OVER (
            PARTITION BY hashtextextended(person, 0), person, allowance
            ORDER BY since, until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
        FROM cut
    )
    SELECT person, platform, allowance,
        extract(epoch FROM sum(greatest(until, reached) - greatest(since, reached)))::float8
    FROM placed GROUP BY person, platform, allowance
"""
# Instants are text there; seconds are the whole ones by the calendar and the six digits behind the point.
_SQLITE: Final = """
    WITH within AS (
        SELECT person, platform, allowance, max(started_at, :start) AS first, min(ended_at, :end) AS last
        FROM visits WHERE ended_at > :start AND started_at < :end
    ), cut AS (
        SELECT person, platform, allowance,
            CAST(strftime('%s', first) AS INTEGER) + CAST(substr(first, 20, 7) AS REAL) AS since,
            CAST(strftime('%s', last) AS INTEGER) + CAST(substr(last, 20, 7) AS REAL) AS until
        FROM within
    ), placed AS (
        SELECT *, coalesce(max(until) OVER (PARTITION BY person, allowance ORDER BY since, until
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), since) AS reached
        FROM cut
    )
    SELECT person, platform, allowance, sum(max(until, reached) - max(since, reached))
    FROM placed GROUP BY person, platform, allowance
"""
_QUERIES: Final = {
    name: text(query).bindparams(bindparam("start", type_=Instant()), bindparam("end", type_=Instant()))
    for name, query in (("postgresql", _POSTGRES), ("sqlite", _SQLITE))
}
# Enough to sort a month of a large office without the disk; for this one transaction.
_MEMORY: Final = text("SET LOCAL work_mem = '256MB'")
_PATIENCE: Final = text("SET LOCAL statement_timeout = '120s'")


def totals(connection: Connection, start: float, end: float) -> Sequence[Total]:
    """Everybody's seconds within `[start, end)`, where there are any."""
    if connection.dialect.name == "postgresql":
        connection.execute(_MEMORY)
        connection.execute(_PATIENCE)
    rows = connection.execute(_QUERIES[connection.dialect.name], {"start": start, "end": end})
    return [Total(*row) for row in rows if row[3] > 0]
