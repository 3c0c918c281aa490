"""Requests for more time: asked, listed, closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.engine import Connection

from db import audit
from db.models import AuditRow, GrantRow, TimeRequestRow
from proxy_addon.core.types import URGENT, Grant
from proxy_addon.ledger.interface import REFUSED, AuditEntry, TimeRequest

# Two who ask for one person at once are counted one after the other. Any number that no other
# program takes.
_LOCK = 0x61736B

_COLUMNS = (
    TimeRequestRow.id,
    TimeRequestRow.person,
    TimeRequestRow.allowance,
    TimeRequestRow.seconds,
    TimeRequestRow.reason,
    TimeRequestRow.status,
    TimeRequestRow.created_at,
    TimeRequestRow.decided_at,
    TimeRequestRow.decided_by,
    TimeRequestRow.grant_id,
)
_UNTIL = select(GrantRow.expires_at).where(GrantRow.id == TimeRequestRow.grant_id).scalar_subquery()
# A refusal and its entry are written with one instant, in one transaction.
_REFUSAL = (
    select(AuditRow.detail)
    .where(
        TimeRequestRow.status == "refused",
        AuditRow.subject == TimeRequestRow.person,
        AuditRow.at == TimeRequestRow.decided_at,
        AuditRow.action == REFUSED,
    )
    .order_by(AuditRow.id)
    .limit(1)
    .scalar_subquery()
)


def requests(connection: Connection, *conditions: Any) -> Sequence[TimeRequest]:
    """Those that fit, oldest first."""
    wanted = select(*_COLUMNS, _UNTIL, _REFUSAL).where(*conditions)
    rows = connection.execute(wanted.order_by(TimeRequestRow.created_at, TimeRequestRow.id))
    return [_request(*row) for row in rows]


def ask(connection: Connection, request: TimeRequest, most_open: int) -> bool:
    """Store it, unless the person has as many open ones already; whether it is stored."""
    _one_at_a_time(connection, request.person)
    if connection.execute(select(TimeRequestRow.id).where(TimeRequestRow.id == request.id)).first():
        return True
    own = select(func.count()).where(
        TimeRequestRow.person == request.person, TimeRequestRow.status == "open"
    )
    if connection.execute(own).scalar_one() >= most_open:
        return False
    connection.execute(insert(TimeRequestRow).values(_values(request)))
    return True


def may_take(connection: Connection, grant: Grant, most: int, since: float) -> bool:
    """Whether the person has taken fewer than `most` urgent grants since `since`, or this one
    already; nobody else writes one for them before this transaction ends."""
    _one_at_a_time(connection, grant.person)
    if connection.execute(select(GrantRow.id).where(GrantRow.id == grant.id)).first():
        return True
    taken = select(func.count()).where(
        GrantRow.person == grant.person,
        GrantRow.created_at >= since,
        GrantRow.id.startswith(URGENT, autoescape=True),
    )
    return connection.execute(taken).scalar_one() < most


def _one_at_a_time(connection: Connection, person: str) -> None:
    """Two transactions about one person follow each other; SQLite has one writer in any case."""
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:key, hashtext(:person))")
        connection.execute(lock, {"key": _LOCK, "person": person})


def close(connection: Connection, key: str, at: float, by: str, *, is_granted: bool) -> bool:
    """It is open no longer; False when it was not, or is unknown. Of two who decide at once, one
    gets True."""
    status = "granted" if is_granted else "refused"
    changed = (
        update(TimeRequestRow)
        .where(TimeRequestRow.id == key, TimeRequestRow.status == "open")
        .values(status=status, decided_at=at, decided_by=by)
        .returning(TimeRequestRow.id)
    )
    return connection.execute(changed).first() is not None


def granted(connection: Connection, key: str, grant: str) -> None:
    """Name the grant that a closed request led to."""
    connection.execute(
        update(TimeRequestRow).where(TimeRequestRow.id == key).values(grant_id=grant)
    )


def refused(connection: Connection, key: str, at: float, actor: str, note: str) -> None:
    """Write the refusal of a closed request to the audit."""
    (closed,) = requests(connection, TimeRequestRow.id == key)
    audit.append(connection, AuditEntry.of_refusal(closed, at, actor, note))


def _values(request: TimeRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "person": request.person,
        "allowance": request.allowance,
        "seconds": request.seconds,
        "reason": request.reason,
        "status": "open",
        "created_at": request.created,
    }


def _request(*row: Any) -> TimeRequest:
    *fields, detail = row
    found = TimeRequest(*fields)
    if detail is None:
        return found
    entry = AuditEntry(0.0, "", REFUSED, found.person, detail)
    return replace(found, note=entry.note_for(found))
