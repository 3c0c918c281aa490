"""`/admin/policy`: who has read the written policy, what changed between its versions, reminders;
names only after a reason that is in the audit."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.time_requests import NotPossible
from proxy_addon.presentation import languages
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Shell
from proxy_addon.report.notice_document import NAMES as NAME_COLUMNS
from proxy_addon.report.notice_document import name_rows
from proxy_addon.report.notice_reminders import COLUMNS as REMINDER_COLUMNS
from proxy_addon.report.notice_reminders import reminder_rows
from proxy_addon.report.notice_status import NoticeStatus
from proxy_addon.report.notice_texts import TextNotFound, find
from proxy_addon.report.spreadsheet import written
from proxy_addon.web import admin_policy_view as views
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.admin_access import POLICY, admin_shell, administrator
from proxy_addon.web.admin_policy_service import AdminPolicyService, Overview
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.time_request_pages import ledger_unavailable

NAMES: Final = f"{POLICY}/names"
REMIND: Final = f"{POLICY}/remind"
COMPARE: Final = f"{POLICY}/compare"
NAMES_SHOWN_SECONDS: Final = 60.0  # seconds, once or twice, that names are shown
_CSV: Final = "text/csv; charset=utf-8"


class AdminPolicyPages:
    """The endpoints."""

    def __init__(self, admin: AdminService) -> None:
        self._admin = admin
        self._service = AdminPolicyService(admin)

    async def show(self, request: Request) -> Response:
        """GET /admin/policy: how many have read it, by role, without names."""
        who = administrator(request, self._admin)
        return await self._page(who, request.query_params.get("notice", ""))

    async def named(self, request: Request) -> Response:
        """GET /admin/policy/names: the same with the names, for who has just said why."""
        who, query = administrator(request, self._admin), request.query_params
        notice = query.get("notice", "")
        if not self._admin.tokens.is_valid(
            query.get("token", ""),
            *(NAMES, who.name, notice),
            now=self._now(),
            lifetime=NAMES_SHOWN_SECONDS,
        ):
            raise forms.Refusal(
                403,
                _("Please ask again"),
                _("Names are shown for a minute after you gave your reason."),
            )
        return await self._page(who, notice, names=True)

    async def ask_names(self, request: Request) -> Response:
        """POST /admin/policy/names: first the audit entry, then the page with the names, or a
        table."""
        who = administrator(request, self._admin)
        fields = await self._posted(request, who)
        notice, reason = fields.get("notice", ""), fields.get("reason", "")
        try:
            status = await self._names(who, notice, reason)
        except NotPossible as problem:
            return await self._page(who, notice, problem=str(problem), reason=reason)
        if fields.get("as") == "csv":
            zone = self._admin.engine().rule_set.zone
            rows = name_rows([status], {notice: status.waiting}, zone)
            return _table(written(NAME_COLUMNS, rows), f"{notice}-not-read.csv")
        token = self._admin.tokens.of(
            NAMES, who.name, notice, now=self._now(), lifetime=NAMES_SHOWN_SECONDS
        )
        query = urlencode({"notice": notice, "token": token})
        return RedirectResponse(f"{NAMES}?{query}", 303, headers=pages.PRIVATE)

    async def remind(self, request: Request) -> Response:
        """GET /admin/policy/remind: a text to send."""
        who = administrator(request, self._admin)
        return await self._remind_page(who, request.query_params.get("notice", ""))

    async def reminders(self, request: Request) -> Response:
        """POST /admin/policy/remind: a table with a text for each, after a reason."""
        who = administrator(request, self._admin)
        fields = await self._posted(request, who)
        notice, reason = fields.get("notice", ""), fields.get("reason", "")
        try:
            status = await self._names(who, notice, reason)
        except NotPossible as problem:
            return await self._remind_page(who, notice, problem=str(problem), reason=reason)
        rules = self._admin.engine().rule_set
        rows = reminder_rows(status.notice, status.waiting, rules, self._now())
        return _table(written(REMINDER_COLUMNS, rows), f"{notice}-reminders.csv")

    async def compare(self, request: Request) -> Response:
        """GET /admin/policy/compare: what changed between two texts."""
        who, query = administrator(request, self._admin), request.query_params
        overview = await self._overview()
        try:
            old, new = (
                find(overview.texts, query.get("notice", ""), query.get(each, ""))
                for each in ("old", "new")
            )
        except TextNotFound:
            raise forms.Refusal(
                404,
                _("There is no such version"),
                _("Neither the rules in force nor the ledger have it."),
            ) from None
        around = self._shell(who, overview, COMPARE, dict(query))
        notices = self._admin.engine().rule_set.notices
        notice = next((each for each in notices if each.name == new.notice), None)
        title = new.notice if notice is None else notice.text((languages.spoken(),)).title
        return pages.admin_compare(around, views.compare(old, new, title))

    async def _page(
        self,
        who: Visitor,
        notice: str,
        *,
        names: bool = False,
        problem: str = "",
        reason: str = "",
    ) -> Response:
        overview = await self._overview()
        status = _chosen(overview, notice)
        around = self._shell(who, overview, POLICY, {"notice": notice} if notice else {})
        if status is None:
            return pages.admin_policy(around, None)
        page = views.policy_admin(
            overview,
            status,
            self._admin.engine().rule_set,
            self._now(),
            self._token(who),
            names=names,
        )
        page = page._replace(problem=problem, reason=reason)
        return pages.admin_policy(around, page, 422 if problem else 200)

    async def _remind_page(
        self, who: Visitor, notice: str, *, problem: str = "", reason: str = ""
    ) -> Response:
        overview = await self._overview()
        status = _chosen(overview, notice)
        around = self._shell(who, overview, REMIND, {"notice": notice} if notice else {})
        if status is None:
            return pages.admin_policy(around, None)
        rules = self._admin.engine().rule_set
        page = views.remind(status, rules, self._now(), self._token(who))
        page = page._replace(problem=problem, reason=reason)
        return pages.admin_remind(around, page, 422 if problem else 200)

    async def _names(self, who: Visitor, notice: str, reason: str) -> NoticeStatus:
        """Who has not read it, audited. Raises NotPossible, and Refusal."""
        try:
            found = await self._service.waiting_names(notice, reason, who.name)
        except LedgerError:
            raise ledger_unavailable() from None
        if found is None:
            raise _no_such_notice()
        return found

    async def _overview(self) -> Overview:
        try:
            return await self._service.overview()
        except LedgerError:
            raise ledger_unavailable() from None

    async def _posted(self, request: Request, who: Visitor) -> dict[str, str]:
        return await forms.posted(request, who.name, self._admin.tokens, self._now())

    def _shell(self, who: Visitor, overview: Overview, path: str, query: dict[str, str]) -> Shell:
        return admin_shell(
            self._admin, who, POLICY, waiting=overview.requests, path=path, query=query
        )

    def _token(self, who: Visitor) -> str:
        return self._admin.tokens.of(who.name, now=self._now())

    def _now(self) -> float:
        return self._admin.clock.now()


def _chosen(overview: Overview, notice: str) -> NoticeStatus | None:
    """The notice of that name; without a name the first; None where none is in force. Raises
    Refusal."""
    if not notice:
        return next(iter(overview.statuses), None)
    for each in overview.statuses:
        if each.notice.name == notice:
            return each
    raise _no_such_notice()


def _no_such_notice() -> forms.Refusal:
    return forms.Refusal(
        404,
        _("There is no such policy"),
        _("No written policy of that name is in force now."),
    )


def _table(text: str, name: str) -> Response:
    """With the mark by which spreadsheets know that it is UTF-8."""
    return pages.file(b"\xef\xbb\xbf" + text.encode("utf-8", "replace"), _CSV, name)
