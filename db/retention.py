"""Retention: what is older than it may be is deleted, in batches so small that nobody waits for
them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import and_, delete, exists, or_, select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from db import audit
from db.models import (
    AcknowledgementRow,
    AuditRow,
    ErasureRow,
    GrantRow,
    RuleVersionRow,
    TimeRequestRow,
    VisitRow,
)
from proxy_addon.ledger.interface import AUDIT_LONGER, ERASURES_KEPT

PAUSE_BETWEEN_BATCHES = 0.02  # seconds in which the others may write while old rows are deleted

type Writing = Callable[[], AbstractContextManager[Connection]]


def prune(writing: Writing, before: float, batch: int) -> int:
    """Delete what `Ledger.prune` names; how many rows. Each batch is a transaction of its own."""
    old_audit = before - AUDIT_LONGER
    return sum(
        _delete_all(writing, key, condition, batch)
        for key, condition in (
            ((VisitRow.id,), VisitRow.ended_at < before),
            ((GrantRow.id,), GrantRow.expires_at < before),
            ((TimeRequestRow.id,), TimeRequestRow.created_at < before),
            ((AcknowledgementRow.person, AcknowledgementRow.digest), _needless(before)),
            ((ErasureRow.id,), ErasureRow.erased_at < before - ERASURES_KEPT),
            ((AuditRow.id,), AuditRow.at < old_audit),
            ((RuleVersionRow.id,), RuleVersionRow.loaded_at < old_audit),
        )
    )


def _needless(before: float) -> Any:
    """Acknowledgements that a newer one replaces, or whose person left no visit: the text in force
    stays read."""
    newer = aliased(AcknowledgementRow)
    replaced = exists().where(
        newer.person == AcknowledgementRow.person,
        newer.acknowledged_at > AcknowledgementRow.acknowledged_at,
    )
    is_here = exists().where(VisitRow.person == AcknowledgementRow.person)
    return and_(AcknowledgementRow.acknowledged_at < before, or_(replaced, ~is_here))


def _delete_all(writing: Writing, key: tuple[Any, ...], condition: Any, batch: int) -> int:
    row = key[0].class_
    total = 0
    while True:
        with writing() as connection:
            old = select(*key).where(condition).limit(batch)
            if connection.dialect.name == "postgresql":
                old = old.with_for_update(skip_locked=True)  # another node may be pruning too
            keys = [tuple(each) for each in connection.execute(old)]
            guard = audit.opened(connection) if row is AuditRow else nullcontext()
            with guard:
                if keys:
                    connection.execute(delete(row).where(tuple_(*key).in_(keys)))
        total += len(keys)
        if len(keys) < batch:
            return total
        time.sleep(PAUSE_BETWEEN_BATCHES)
