"""What one person has used and has left, as data: `allowance usage USER --json` and `/me.json`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NotRequired, TypedDict
from zoneinfo import ZoneInfo

from proxy_addon.core.metering.evidence import is_estimated
from proxy_addon.core.types import Balance, Visit
from proxy_addon.presentation.durations import iso
from proxy_addon.presentation.visit_evidence import EvidenceLine


class AllowanceLine(TypedDict):
    """Seconds, and an ISO instant. `left` counts carried time too."""

    limit: float
    spent: float
    granted: float
    left: float
    resets_at: str | None


class VisitLine(TypedDict):
    """A visit; `allowance` is null for free time. ISO instants. `estimated`: free time in
    connections that were not opened, estimated from bytes. `evidence` only where it was asked
    for."""

    platform: str
    section: str | None
    allowance: str | None
    rule: str | None
    start: str
    end: str
    estimated: bool
    evidence: NotRequired[EvidenceLine | None]


class Statement(TypedDict):
    """The whole statement. Field names are part of the outside contract."""

    user: str
    roles: list[str]
    allowances: dict[str, AllowanceLine]
    visits: list[VisitLine]


def statement(
    user: str,
    roles: Iterable[str],
    balances: Iterable[Balance],
    visits: Iterable[Visit],
    zone: ZoneInfo,
) -> Statement:
    """Everything about one person, instants in the policy's zone. Visits given back whole are left
    out."""
    return {
        "user": user,
        "roles": list(roles),
        "allowances": {balance.allowance: allowance_line(balance, zone) for balance in balances},
        "visits": [_visit(visit, zone) for visit in visits if visit.end > visit.start],
    }


def allowance_line(balance: Balance, zone: ZoneInfo) -> AllowanceLine:
    """One allowance of the statement."""
    return {
        "limit": round(balance.limit, 3),
        "spent": round(balance.spent, 3),
        "granted": round(balance.granted, 3),
        "left": round(balance.left, 3),
        "resets_at": None if balance.resets_at is None else iso(balance.resets_at, zone),
    }


def _visit(visit: Visit, zone: ZoneInfo) -> VisitLine:
    return {
        "platform": visit.platform,
        "section": visit.section,
        "allowance": visit.allowance,
        "rule": visit.rule,
        "start": iso(visit.start, zone),
        "end": iso(visit.end, zone),
        "estimated": is_estimated(visit.evidence),
    }
