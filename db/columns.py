"""The columns of a visit and of a grant, in the order of the fields of their values."""

from __future__ import annotations

from typing import Any

from db.models import GrantRow, VisitRow
from proxy_addon.core.types import Grant, Visit

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
