"""Names of those who have not read a written policy: given only after the look is in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from proxy_addon.ledger.interface import EVERYBODY, AuditEntry, Ledger
from proxy_addon.report.notice_status import NoticeStatus, Reader

ACTION: Final = "policy"  # of the audit entry


def waiting_by_name(
    ledger: Ledger, statuses: Sequence[NoticeStatus], *, reason: str, actor: str, at: float
) -> dict[str, tuple[Reader, ...]]:
    """Who has not read each of these notices, by the name of the notice. Audited first, with who
    asks and why. Raises LedgerError, and then gives no name."""
    told = ", ".join(
        f"{each.notice.name} {each.notice.version} ({len(each.waiting)})" for each in statuses
    )
    ledger.audit(AuditEntry(at, actor, ACTION, EVERYBODY, f"who has not read {told}: {reason}"))
    return {each.notice.name: each.waiting for each in statuses}
