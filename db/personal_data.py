"""Everything that the ledger has about one person: reading it, and erasing it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.engine import Connection

from db import audit
from db.columns import GRANT, VISIT
from db.models import (
    AcknowledgementRow,
    AuditRow,
    Base,
    ErasureRow,
    GrantRow,
    NoticeMeetingRow,
    PersonRow,
    TimeRequestRow,
    VisitRow,
)
from db.notices import acknowledgements, meetings
from db.time_requests import requests
from db.types import database_now
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import AuditEntry, Records

# Writers of what is about a person share this lock for a transaction, an erasure has it alone: a
# writer that did not see the sign yet must not put rows back behind its back. Any number that no
# other program takes.
_LOCK = 0x6572617365

_ERASURE = (ErasureRow.id, ErasureRow.salt, ErasureRow.digest, ErasureRow.erased_at)
_ACTOR_PREFIXES = ("", "cli:", "web:")  # how a person may be recorded as an actor


def records(connection: Connection, person: str) -> Records:
    """Everything in the tables about a person, oldest first."""

    def rows(columns: Sequence[Any], condition: Any, *order: Any) -> Any:
        return connection.execute(select(*columns).where(condition).order_by(*order))

    about = or_(
        AuditRow.subject == person,
        AuditRow.actor.in_([f"{prefix}{person}" for prefix in _ACTOR_PREFIXES]),
    )
    return Records(
        tuple(
            Visit(*row)
            for row in rows(VISIT, VisitRow.person == person, VisitRow.started_at, VisitRow.id)
        ),
        tuple(
            Grant(*row)
            for row in rows(GRANT, GrantRow.person == person, GrantRow.created_at, GrantRow.id)
        ),
        tuple(requests(connection, TimeRequestRow.person == person)),
        acknowledgements(connection, AcknowledgementRow.person == person),
        meetings(connection, NoticeMeetingRow.person == person),
        tuple(AuditEntry(*row) for row in rows(audit.AUDIT, about, AuditRow.at, AuditRow.id)),
    )


def erase(
    connection: Connection, erasure: Erasure, person: str, label: str, actor: str, reason: str
) -> Records:
    """Delete and rename, and leave the marker and the audit entry; what was there before."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = records(connection, person)
    connection.execute(insert(ErasureRow).values(**_values(erasure), updated_at=database_now()))
    for row in (VisitRow, TimeRequestRow, GrantRow, AcknowledgementRow, NoticeMeetingRow):
        connection.execute(delete(row).where(row.person == person))
    connection.execute(delete(PersonRow).where(PersonRow.name == person))
    _rename_actors(connection, person, label)
    for row in (GrantRow, TimeRequestRow):
        _rename_in_text(connection, row.id, row.reason, person, label)
    with audit.opened(connection):
        connection.execute(
            # What was done to them may reveal who they were: the reason goes with the name.
            update(AuditRow).where(AuditRow.subject == person).values(subject=label, detail="")
        )
        for prefix in _ACTOR_PREFIXES:
            _replace_value(connection, AuditRow.actor, f"{prefix}{person}", f"{prefix}{label}")
        _rename_in_text(connection, AuditRow.id, AuditRow.detail, person, label)
    counted = ", ".join(f"{count} {what}" for what, count in found.counts.items())
    actor_label = (
        f"{actor.removesuffix(person)}{label}"
        if actor in {f"{d}{person}" for d in _ACTOR_PREFIXES}
        else actor
    )
    audit.append(
        connection,
        AuditEntry(
            erasure.at,
            actor_label,
            "erase",
            label,
            f"{counted}: {_word(person).sub(label, reason)}",
        ),
    )
    return found


def without_erased(connection: Connection, visits: Sequence[Visit]) -> Sequence[Visit]:
    """The visits that may be written: none of somebody erased that began before."""
    return wanted(_erasures(connection), visits)


def is_erased(connection: Connection, person: str, at: float) -> bool:
    """Whether a person was erased after `at`: what they did then must not be written any more."""
    return any(at < each.at and each.names(person) for each in _erasures(connection))


def _erasures(connection: Connection) -> Sequence[Erasure]:
    """All markers; no erasure comes in between until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})
    return [Erasure(*row) for row in connection.execute(select(*_ERASURE))]


def wanted(erasures: Sequence[Erasure], visits: Sequence[Visit]) -> Sequence[Visit]:
    """The same for erasures that are known."""
    if not erasures:
        return visits
    until: dict[str, float] = {}
    for person in {visit.person for visit in visits}:
        until[person] = max(
            (each.at for each in erasures if each.names(person)), default=float("-inf")
        )
    return [visit for visit in visits if visit.start >= until[visit.person]]


def erasures_since(connection: Connection, after: float) -> tuple[Erasure, ...]:
    """The markers that were stored since an instant of the database's clock."""
    query = select(*_ERASURE).where(ErasureRow.updated_at >= after)
    return tuple(Erasure(*row) for row in connection.execute(query))


def _values(erasure: Erasure) -> dict[str, Any]:
    return {
        "id": erasure.id,
        "salt": erasure.salt,
        "digest": erasure.digest,
        "erased_at": erasure.at,
    }


def _rename_actors(connection: Connection, person: str, label: str) -> None:
    _replace_value(connection, GrantRow.granted_by, person, label)
    _replace_value(connection, TimeRequestRow.decided_by, person, label)
    _replace_value(connection, PersonRow.added_by, person, label)


def _replace_value(connection: Connection, column: Any, old: str, new: str) -> None:
    row: type[Base] = column.class_
    connection.execute(update(row).where(column == old).values({column.key: new}))


def _rename_in_text(connection: Connection, key: Any, column: Any, person: str, label: str) -> None:
    """Where free words name the person, whatever the capitals. Reads all of a small table: erasing
    is rare."""
    name = _word(person)
    found = [
        (row[0], row[1]) for row in connection.execute(select(key, column)) if name.search(row[1])
    ]
    for number, words in found:
        connection.execute(
            update(key.class_).where(key == number).values({column.key: name.sub(label, words)})
        )


def _word(person: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(person)}(?!\w)", re.IGNORECASE)
