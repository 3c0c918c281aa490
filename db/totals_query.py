"""Seconds by person, platform and allowance, with what overlaps counted once.

The union is made by the database: visits of a person on an allowance in the order of their start,
each adding what lies beyond the furthest end before it. So time that two platforms share is counted
for the one that was used first, and the platforms of an allowance add up to what was spent of it.
Free time is an allowance of its own.

On Postgres the index by person holds all that is asked for, in an order that leaves next to nothing
to sort; and because Postgres runs a window function in one process only, people are cut into
slices, each of which is asked for over a connection of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from itertools import chain, pairwise
from typing import Any, Final

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.engine import Connection

from db.types import Instant
from proxy_addon.ledger.interface import Total

SLICES: Final = 12  # more than at once, so that answers are unpacked while others are computed
AT_ONCE: Final = 3  # of the five connections that there are at most (db/postgres.py)

_POSTGRES: Final = """
    WITH cut AS (
        SELECT person, platform, allowance,
            greatest(started_at, :start) AS since, least(ended_at, :end) AS until
        FROM visits WHERE {people} ended_at > :start AND started_at < :end
    ), placed AS (
        SELECT *, max(until) OVER (
            PARTITION BY person, allowance
            ORDER BY since, until ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
        FROM cut
    )
    SELECT person, platform, allowance,
        date_part('epoch', sum(until - greatest(since, reached)))
    FROM placed WHERE reached IS NULL OR until > reached GROUP BY person, platform, allowance
"""
# Instants are text there; seconds are the whole ones by the calendar and the six digits behind the
# point.
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


def _query(sql: str) -> TextClause:
    return text(sql).bindparams(
        bindparam("start", type_=Instant()), bindparam("end", type_=Instant())
    )


_SQLITE_QUERY: Final = _query(_SQLITE)
_POSTGRES_QUERY: Final = _query(_POSTGRES.format(people="person >= :low AND person < :high AND"))
_POSTGRES_LAST: Final = _query(_POSTGRES.format(people="person >= :low AND"))

# Names that cut the people into parts of about the same number of visits, as the statistics know
# them.
_NAMES: Final = text(
    "SELECT histogram_bounds::text::text[] FROM pg_stats WHERE tablename = 'visits' AND attname = 'person' "
    "AND schemaname = ANY (current_schemas(false))"
)
# For this one transaction: enough to group without the disk, no time lost to compile what runs
# once.
_SETTINGS: Final = tuple(
    text(f"SET LOCAL {setting}")
    for setting in ("work_mem = '128MB'", "statement_timeout = '120s'", "jit = off")
)

type Connect = Callable[[], AbstractContextManager[Connection]]


def totals(connect: Connect, start: float, end: float) -> Sequence[Total]:
    """Everybody's seconds within `[start, end)`, where there are any. `connect` opens a
    transaction, from any thread; there are at most AT_ONCE at once."""
    with connect() as connection:
        if connection.dialect.name == "sqlite":
            return _read(connection, _SQLITE_QUERY, start=start, end=end)
        names = connection.execute(_NAMES).scalar_one_or_none() or []
    with ThreadPoolExecutor(AT_ONCE, "ledger-totals") as threads:
        parts = threads.map(partial(_slice, connect, start, end), *zip(*slices(names), strict=True))
        return list(chain.from_iterable(parts))


def slices(names: Sequence[str]) -> list[tuple[str, str | None]]:
    """The first name of each slice and the first of the next; together they hold everybody. `names`
    is sorted."""
    inner = (names[len(names) * part // SLICES] for part in range(1, SLICES) if names)
    firsts: list[str | None] = ["", *dict.fromkeys(inner), None]
    return [(low or "", high) for low, high in pairwise(firsts)]


def _slice(connect: Connect, start: float, end: float, low: str, high: str | None) -> list[Total]:
    with connect() as connection:
        for setting in _SETTINGS:
            connection.execute(setting)
        if high is None:
            return _read(connection, _POSTGRES_LAST, start=start, end=end, low=low)
        return _read(connection, _POSTGRES_QUERY, start=start, end=end, low=low, high=high)


def _read(connection: Connection, query: TextClause, **values: Any) -> list[Total]:
    return [Total(*row) for row in connection.execute(query, values) if row[3] > 0]
