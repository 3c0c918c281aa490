"""Names of those who have visits: the index by person is asked for the next name again and again,
so that the number of people counts and not that of their visits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection

from db.types import Instant

_QUERY: Final = text("""
    WITH RECURSIVE names (person) AS (
        SELECT min(person) FROM visits
        UNION ALL
        SELECT (SELECT min(visits.person) FROM visits WHERE visits.person > names.person)
        FROM names WHERE names.person IS NOT NULL
    )
    SELECT person FROM names WHERE person IS NOT NULL AND EXISTS (
        SELECT 1 FROM visits WHERE visits.person = names.person AND visits.ended_at > :since)
""").bindparams(bindparam("since", type_=Instant()))


def people(connection: Connection, since: float) -> Iterator[str]:
    """Each name with a visit that ends after `since`, once."""
    for (name,) in connection.execute(_QUERY, {"since": since}):
        yield name
