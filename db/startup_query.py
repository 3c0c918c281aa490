"""The visits of everybody, packed by person in the database: a start reads thousands of people in
one go.

Making a `Visit` of each row costs some microseconds, and most people do not come in the next
minutes. So the database hands over one text for each person, which is unpacked when they come. With
it comes the evidence of the last two days, which people's own pages show; balances need none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import bindparam, text
from sqlalchemy.engine import Connection

from db.types import Instant
from proxy_addon.core.metering.evidence import unpacked
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import History

_POSTGRES: Final = """
    SELECT person, extract(epoch FROM max(ended_at))::float8, json_agg(json_build_array(
        id, platform, section, allowance, rule, extract(epoch FROM started_at)::float8,
        extract(epoch FROM ended_at)::float8, node, rev,
        CASE WHEN ended_at > now() - interval '2 days' THEN evidence END))::text
    FROM visits WHERE ended_at > :since GROUP BY person
"""
_SQLITE: Final = """
    SELECT person, max(ended_at), json_group_array(json_array(
        id, platform, section, allowance, rule, started_at, ended_at, node, rev,
        CASE WHEN ended_at > date('now', '-2 days') THEN evidence END))
    FROM visits WHERE ended_at > :since GROUP BY person
"""
_QUERIES: Final = {
    name: text(query).bindparams(bindparam("since", type_=Instant()))
    for name, query in (("postgresql", _POSTGRES), ("sqlite", _SQLITE))
}


def histories(connection: Connection, since: float) -> Iterator[History]:
    """One history for each person with a visit that ends after `since`."""
    for person, latest, packed in connection.execute(
        _QUERIES[connection.dialect.name], {"since": since}
    ):
        yield History(person, _instant(latest), partial(_unpack, person, packed))


def _unpack(person: str, packed: str) -> Sequence[Visit]:
    return [
        Visit(
            key,
            person,
            platform,
            section,
            allowance,
            rule,
            _instant(start),
            _instant(end),
            node,
            rev,
            unpacked(evidence),
        )
        for key, platform, section, allowance, rule, start, end, node, rev, evidence in json.loads(
            packed
        )
    ]


def _instant(value: Any) -> float:
    """SQLite has its instants as text; see `db.types.Instant`."""
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else float(value)
