"""The columns of the ledger's values, in the order of their fields."""

from __future__ import annotations

from typing import Any

from db.models import AcknowledgementRow, GrantRow, NoticeMeetingRow, NoticeVersionRow, VisitRow
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.interface import Acknowledgement, NoticeMeeting

VISIT = (
    VisitRow.id,
    VisitRow.person,
    VisitRow.platform,
    VisitRow.section,
    VisitRow.allowance,
    VisitRow.rule,
    VisitRow.started_at,
    VisitRow.ended_at,
    VisitRow.node,
    VisitRow.rev,
    VisitRow.evidence,
)
GRANT = (
    GrantRow.id,
    GrantRow.person,
    GrantRow.allowance,
    GrantRow.seconds,
    GrantRow.reason,
    GrantRow.granted_by,
    GrantRow.created_at,
    GrantRow.expires_at,
    GrantRow.resets,
)
ACKNOWLEDGEMENT = (
    AcknowledgementRow.person,
    AcknowledgementRow.notice,
    AcknowledgementRow.version,
    AcknowledgementRow.digest,
    AcknowledgementRow.acknowledged_at,
    AcknowledgementRow.page,
)
MEETING = (
    NoticeMeetingRow.person,
    NoticeMeetingRow.notice,
    NoticeMeetingRow.major,
    NoticeMeetingRow.first_at,
    NoticeMeetingRow.later_at,
)
NOTICE_VERSION = (
    NoticeVersionRow.digest,
    NoticeVersionRow.notice,
    NoticeVersionRow.version,
    NoticeVersionRow.seen_at,
    NoticeVersionRow.texts,
)


def visit_values(visit: Visit) -> dict[str, Any]:
    """A visit by column."""
    return {
        "id": visit.id,
        "person": visit.person,
        "platform": visit.platform,
        "section": visit.section,
        "allowance": visit.allowance,
        "rule": visit.rule,
        "started_at": visit.start,
        "ended_at": visit.end,
        "node": visit.node,
        "rev": visit.rev,
        "evidence": visit.evidence,
    }


def grant_values(grant: Grant) -> dict[str, Any]:
    """A grant by column."""
    return {
        "id": grant.id,
        "person": grant.person,
        "allowance": grant.allowance,
        "seconds": grant.seconds,
        "reason": grant.reason,
        "granted_by": grant.granted_by,
        "created_at": grant.created,
        "expires_at": grant.expires,
        "resets": grant.resets,
    }


def acknowledgement_values(done: Acknowledgement) -> dict[str, Any]:
    """A confirmation by column, with the major version that retention compares by."""
    return {
        "person": done.person,
        "notice": done.notice,
        "version": done.version,
        "digest": done.digest,
        "acknowledged_at": done.at,
        "page": done.page,
        "major": done.major,
    }


def meeting_values(meeting: NoticeMeeting) -> dict[str, Any]:
    """A meeting with a notice by column."""
    return {
        "person": meeting.person,
        "notice": meeting.notice,
        "major": meeting.major,
        "first_at": meeting.first,
        "later_at": meeting.later,
    }
