"""Names that were stored before pseudonyms were switched on: they become pseudonyms, in every
table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from db import audit, notices
from db.models import (
    AcknowledgementRow,
    AuditRow,
    Base,
    GrantRow,
    NoticeMeetingRow,
    PersonRow,
    TimeRequestRow,
    VisitRow,
)
from db.types import database_now

type PseudonymFunction = Callable[[str], str]

_PEOPLE = (
    VisitRow.person,
    GrantRow.person,
    GrantRow.granted_by,
    TimeRequestRow.person,
    TimeRequestRow.decided_by,
    PersonRow.name,
    PersonRow.added_by,
)
_REREAD = (VisitRow, GrantRow)  # other proxies read these again when they change


def mask_names(
    connection: Connection, mask: PseudonymFunction, mask_actor: PseudonymFunction
) -> int:
    """Replace every name by `mask(name)`; returns how many were changed. Cheap when there is
    nothing to do.

    What people wrote into a reason stays as it is.
    """
    changed = sum(_mask(connection, column, mask) for column in _PEOPLE)
    changed += _mask_notices(connection, mask)
    with audit.opened(connection):
        people = AuditRow.subject.not_like("erased:%") & (AuditRow.subject != audit.RULES)
        changed += _mask(connection, AuditRow.subject, mask, people)
        changed += _mask(connection, AuditRow.actor, mask_actor)
    return changed


def _mask_notices(connection: Connection, mask: PseudonymFunction) -> int:
    """Of confirmations and meetings; there may be some under the pseudonym already."""
    names: set[str] = set()
    for column in (AcknowledgementRow.person, NoticeMeetingRow.person):
        names.update(connection.execute(select(column).distinct()).scalars())
    changed = [(name, new) for name in sorted(names) if (new := mask(name)) != name]
    for name, new in changed:
        notices.rename(connection, name, new)
    return len(changed)


def _mask(
    connection: Connection, column: Any, mask: PseudonymFunction, condition: Any = None
) -> int:
    row: type[Base] = column.class_
    wanted: Any = select(column).distinct().where(column.is_not(None))
    if condition is not None:
        wanted = wanted.where(condition)
    changed = 0
    for name in connection.execute(wanted).scalars().all():
        new = mask(name)
        if new != name:
            values: dict[str, object] = {column.key: new}
            if row in _REREAD:
                values["updated_at"] = database_now()
            connection.execute(update(row).where(column == name).values(values))
            changed += 1
    return changed
