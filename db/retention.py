"""Retention: what is older than it may be is deleted, in batches so small that nobody waits for
them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import and_, delete, exists, false, or_, select, tuple_
from sqlalchemy.engine import Connection

from db import audit
from db.models import (
    AcknowledgementRow,
    AuditRow,
    ErasureRow,
    GrantRow,
    NoticeMeetingRow,
    NoticeVersionRow,
    RuleVersionRow,
    TimeRequestRow,
    VisitRow,
)
from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.ledger.erasure import ERASURES_KEPT
from proxy_addon.ledger.interface import AUDIT_LONGER

PAUSE_BETWEEN_BATCHES = 0.02  # seconds in which the others may write while old rows are deleted

type Writing = Callable[[], AbstractContextManager[Connection]]


def prune(
    writing: Writing, before: float, batch: int, kept: Collection[ConfirmationInForce] | None
) -> int:
    """Delete what `Ledger.prune` names; how many rows. Each batch is a transaction of its own."""
    old_audit = before - AUDIT_LONGER
    return sum(
        _delete_all(writing, key, condition, batch)
        for key, condition in (
            ((VisitRow.id,), VisitRow.ended_at < before),
            ((GrantRow.id,), GrantRow.expires_at < before),
            ((TimeRequestRow.id,), TimeRequestRow.created_at < before),
            ((ErasureRow.id,), ErasureRow.erased_at < before - ERASURES_KEPT),
            ((AuditRow.id,), AuditRow.at < old_audit),
            ((RuleVersionRow.id,), RuleVersionRow.loaded_at < old_audit),
            *(() if kept is None else _notices(before, kept)),
        )
    )


def _notices(
    before: float, kept: Collection[ConfirmationInForce]
) -> tuple[tuple[tuple[Any, ...], Any], ...]:
    """Confirmations and meetings that are not in force, then the texts that nobody needs."""
    done, met, texts = AcknowledgementRow, NoticeMeetingRow, NoticeVersionRow
    counts = _any(
        and_(
            done.notice == each.notice,
            done.major >= each.major,
            done.acknowledged_at >= each.since,
        )
        for each in kept
    )
    is_met = _any(and_(met.notice == each.notice, met.major == each.major) for each in kept)
    is_read = exists().where(done.digest == texts.digest)
    in_force = _any(and_(texts.notice == each.notice, texts.major == each.major) for each in kept)
    return (
        ((done.person, done.digest), and_(done.acknowledged_at < before, ~counts)),
        ((met.person, met.notice, met.major), and_(met.first_at < before, ~is_met)),
        (
            (texts.digest,),
            and_(texts.seen_at < before - AUDIT_LONGER, ~or_(is_read, in_force)),
        ),
    )


def _any(conditions: Iterable[Any]) -> Any:
    return or_(false(), *conditions)


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
