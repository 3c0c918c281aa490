"""Written policies in the ledger: who has confirmed which text, who has met which version, and the
texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from db.columns import (
    ACKNOWLEDGEMENT,
    MEETING,
    NOTICE_VERSION,
    acknowledgement_values,
    meeting_values,
)
from db.models import AcknowledgementRow, Base, NoticeMeetingRow, NoticeVersionRow
from db.types import database_now
from proxy_addon.core.notices.notice import major_of
from proxy_addon.ledger.interface import Acknowledgement, NoticeMeeting, NoticeVersion


def acknowledge(connection: Connection, done: Acknowledgement) -> bool:
    """Store a confirmation, unless an equal or a later one is there; whether it is stored."""
    row = AcknowledgementRow
    insert = _insert(connection, row).values(
        **acknowledgement_values(done), updated_at=database_now()
    )
    new = insert.excluded
    upsert = insert.on_conflict_do_update(
        index_elements=["person", "digest"],
        set_={
            **{
                name: new[name]
                for name in ("notice", "version", "major", "page", "acknowledged_at")
            },
            "updated_at": database_now(),
        },
        where=row.acknowledged_at < new.acknowledged_at,
    )
    return connection.execute(upsert.returning(row.person)).first() is not None


def meet(connection: Connection, meeting: NoticeMeeting) -> bool:
    """Store a meeting or merge it with the stored one; whether that changed anything."""
    row = NoticeMeetingRow
    insert = _insert(connection, row).values(**meeting_values(meeting), updated_at=database_now())
    new = insert.excluded
    upsert = insert.on_conflict_do_update(
        index_elements=["person", "notice", "major"],
        set_={
            "first_at": case((new.first_at < row.first_at, new.first_at), else_=row.first_at),
            "later_at": case((new.later_at > row.later_at, new.later_at), else_=row.later_at),
            "updated_at": database_now(),
        },
        where=(new.first_at < row.first_at) | (new.later_at > row.later_at),
    )
    return connection.execute(upsert.returning(row.person)).first() is not None


def keep(connection: Connection, version: NoticeVersion) -> None:
    """Store the texts of a notice, unless they are there."""
    connection.execute(
        _insert(connection, NoticeVersionRow)
        .values(
            digest=version.digest,
            notice=version.notice,
            version=version.version,
            major=major_of(version.version),
            seen_at=version.at,
            texts=version.texts,
        )
        .on_conflict_do_nothing()
    )


def acknowledgements(connection: Connection, *conditions: Any) -> tuple[Acknowledgement, ...]:
    """The confirmations that fit, oldest first."""
    row = AcknowledgementRow
    wanted = select(*ACKNOWLEDGEMENT).where(*conditions)
    ordered = wanted.order_by(row.acknowledged_at, row.person, row.digest)
    return tuple(Acknowledgement(*each) for each in connection.execute(ordered))


def meetings(connection: Connection, *conditions: Any) -> tuple[NoticeMeeting, ...]:
    """The meetings that fit, oldest first."""
    row = NoticeMeetingRow
    wanted = select(*MEETING).where(*conditions)
    ordered = wanted.order_by(row.first_at, row.person, row.notice, row.major)
    return tuple(NoticeMeeting(*each) for each in connection.execute(ordered))


def versions(connection: Connection, *conditions: Any) -> Sequence[NoticeVersion]:
    """The texts that fit, oldest first."""
    wanted = select(*NOTICE_VERSION).where(*conditions)
    ordered = wanted.order_by(NoticeVersionRow.seen_at, NoticeVersionRow.digest)
    return [NoticeVersion(*each) for each in connection.execute(ordered)]


def rename(connection: Connection, old: str, new: str) -> None:
    """What is stored under one name goes to another, merged with what is stored there."""
    for done in acknowledgements(connection, AcknowledgementRow.person == old):
        acknowledge(connection, replace(done, person=new))
    for meeting in meetings(connection, NoticeMeetingRow.person == old):
        meet(connection, replace(meeting, person=new))
    for row in (AcknowledgementRow, NoticeMeetingRow):
        connection.execute(delete(row).where(row.person == old))


def _insert(connection: Connection, row: type[Base]) -> sqlite.Insert | postgresql.Insert:
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(row) if is_sqlite else postgresql.insert(row)
