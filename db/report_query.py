"""The visits of everybody as a report reads them: person after person, few columns, few of them in
memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Text, case, select, text, type_coerce
from sqlalchemy.engine import Connection

from db.models import VisitRow
from proxy_addon.core.metering.evidence import says_estimated
from proxy_addon.ledger.interface import PlainVisit

AT_ONCE: Final = 5_000  # rows that are fetched together
# Everybody's visits are sorted once; for this one transaction.
_MEMORY: Final = text("SET LOCAL work_mem = '256MB'")
_PATIENCE: Final = text("SET LOCAL statement_timeout = '300s'")


def stretches(connection: Connection, start: float, end: float) -> Iterator[PlainVisit]:
    """Visits that touch `[start, end)`, by person and then by start."""
    if connection.dialect.name == "postgresql":
        connection.execute(_MEMORY)
        connection.execute(_PATIENCE)
    wanted = (
        select(
            VisitRow.person,
            VisitRow.platform,
            VisitRow.allowance,
            VisitRow.rule,
            VisitRow.started_at,
            VisitRow.ended_at,
            case((VisitRow.allowance.is_(None), type_coerce(VisitRow.evidence, Text))),
        )
        .where(VisitRow.ended_at > start, VisitRow.started_at < end)
        .order_by(VisitRow.person, VisitRow.started_at, VisitRow.id)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in connection.execute(wanted):
        person, platform, allowance, rule, began, ended, evidence = row
        yield PlainVisit(person, platform, allowance, rule, began, ended, says_estimated(evidence))
