"""The people and the day that the pages are shown with."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.types import EvidenceSummary, Extension, Grant, Visit
from proxy_addon.system.health import down
from proxy_addon.web.interface import Health
from tests.web.admin_setup import UP, AdminSetup
from tests.web.office import MIDNIGHT, MINUTE, NOW, FixedProxyState, balance, visit
from tests.web.test_admin_pages import UnreachableLedger


def with_evidence(visit: Visit) -> Visit:
    """With evidence."""
    at = visit.start
    lines = (
        Extension("page-action", at + 15, at + 50, 14),
        Extension("media-played", at + 30, at + 60, 1),
    )
    return replace(
        visit, evidence=EvidenceSummary(("page-opened", at), lines, ("time-up", visit.end), 600.0)
    )


def office() -> FixedProxyState:
    """Three allowances and a day's visits."""
    return FixedProxyState(
        held=(
            balance(spent=11.5 * MINUTE, granted=5 * MINUTE),
            balance(
                "weekly-video", limit=60 * MINUTE, spent=55 * MINUTE, resets_at=MIDNIGHT + 6 * 86400
            ),
            balance("news", limit=10 * MINUTE, spent=10 * MINUTE, resets_at=NOW + 70 * MINUTE),
        ),
        seen=(
            with_evidence(visit("facebook", 335, 6.2)),
            visit("linkedin", 260, 22, None, "learning", "Learning is work"),
            visit("youtube", 131, 41, None, None, "Lunch is yours"),
            visit("facebook", 60, 4.4),
            visit("youtube", 31, 0.3, "weekly-video", None, "An hour of video a week"),
            with_evidence(visit("linkedin", 1, 1.1)),
        ),
    )


def busy_admin() -> AdminSetup:
    """Requests wait, one has been answered, platforms were used, a rule is tried out."""
    full = AdminSetup(pseudonyms=True)
    full.inner.write_visits([visit("facebook", 60, 5), visit("youtube", 30, 20, None)])
    full.asked(
        1,
        "emil",
        reason="The election night needs somebody on every channel, from eight until the end",
    )
    full.asked(2, "ada", reason="A course")
    full.asked(3, reason="The launch")
    full.ledger.decide(
        "r3", at=NOW - 30, by="ada", actor="web:ada", grant=None, note="After lunch, gladly."
    )
    full.asked(4, reason="A customer waits")
    taken = Grant(
        "urgent-1", "dora", "daily-social", 600.0, "the storm on X", "dora", NOW - 60, MIDNIGHT
    )
    full.ledger.add_grant(taken, actor="web:dora")
    return full


def bad_day() -> AdminSetup:
    """The ledger is away, and the rules folder has mistakes."""
    lines = [
        f"rules/policy.yaml:{n}:5: unknown-key: 'lmit' is not known here; did you mean limit?"
        for n in (3, 14)
    ]
    state = replace(UP, up=False, journal_visits=12)
    bad = AdminSetup(UnreachableLedger(), problems=lines, state=state, would=())
    bad.office.state = Health(
        False, {"ledger": down("down since 12:04: the database does not answer")}
    )
    return bad
