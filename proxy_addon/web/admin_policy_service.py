"""What administrators see of the written policy: who has read it, its texts, and names after a
reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from proxy_addon.core.policy.engine import Engine
from proxy_addon.ledger import unmasking
from proxy_addon.ledger.interface import whole_milliseconds
from proxy_addon.ledger.time_requests import NotPossible, one_line
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.report.notice_names import waiting_by_name
from proxy_addon.report.notice_status import NoticeStatus, read_status
from proxy_addon.report.notice_texts import PolicyText, known_texts
from proxy_addon.web.admin_service import AdminService


class Overview(NamedTuple):
    """Everything that the page shows without names. `confirmed`: by how many the text with a digest
    was confirmed; `requests`: how many requests for more time wait."""

    statuses: Sequence[NoticeStatus]
    texts: Sequence[PolicyText]
    confirmed: Mapping[str, int]
    requests: int


@dataclass(frozen=True)
class AdminPolicyService:
    """For the event loop of the proxy: every coroutine asks the ledger on a thread of its own, and
    raises LedgerError."""

    admin: AdminService

    async def overview(self) -> Overview:
        """Who has read what, and the texts that there are."""
        engine, now = self.admin.engine(), self.admin.clock.now()
        return await self.admin.executor.run(lambda: self._overview(engine, now))

    async def waiting_names(self, notice: str, reason: str, by: str) -> NoticeStatus | None:
        """The same of one notice, whose readers may now be named: who asks and why is in the
        audit. None where it is not in force. Raises NotPossible without a reason."""
        words = one_line(reason)
        if not words:
            raise NotPossible(_("Please say why you need the names; the audit keeps your reason."))
        engine, now = self.admin.engine(), whole_milliseconds(self.admin.clock.now())

        def ask() -> NoticeStatus | None:
            found = [each for each in self._statuses(engine, now) if each.notice.name == notice]
            if found:
                waiting_by_name(self.admin.ledger, found, reason=words, actor=f"web:{by}", at=now)
            return found[0] if found else None

        return await self.admin.executor.run(ask)

    def _overview(self, engine: Engine, now: float) -> Overview:
        ledger = self.admin.ledger
        confirmed = Counter(each.digest for each in ledger.acknowledgements())
        return Overview(
            self._statuses(engine, now),
            known_texts(engine.rule_set.notices, ledger.notice_versions()),
            confirmed,
            len(ledger.requests(status="open")),
        )

    def _statuses(self, engine: Engine, now: float) -> tuple[NoticeStatus, ...]:
        admin = self.admin
        if admin.names is None:
            return read_status(admin.ledger, engine, now)
        known = list(unmasking.known_names(engine.rule_set, admin.users()))
        return read_status(admin.ledger, engine, now, mask=admin.names.of, known=known)
