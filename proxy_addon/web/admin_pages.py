"""`/admin`: the rules in force, the proxy's health, what observed rules would block, and requests
for more time.

For people who are signed in and have the role `admin`. Being known by an address alone is not
enough, because somebody else may use that device. Forms are answered with a redirect, so that
reloading a page repeats nothing.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from proxy_addon.identity.pseudonyms import is_pseudonym
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.time_requests import NotPossible
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import marked
from proxy_addon.web import admin_view as views
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.admin_access import START, admin_shell, administrator
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.time_request_pages import ledger_unavailable

PATH: Final = START
REQUESTS: Final = "/admin/requests"
UNMASK: Final = "/admin/unmask"
UNMASKED: Final = "/admin/unmasked"
DONE_MESSAGES: Final = {
    "granted": marked("Granted. It takes effect within seconds, on every proxy."),
    "refused": marked("Refused. The person will see your note on their page."),
}
NAME_SHOWN_SECONDS: Final = 60.0  # seconds, once or twice, that an unmasked name is shown


class AdminPages:
    """The endpoints below `/admin`."""

    def __init__(self, proxy_state: ProxyState, admin_service: AdminService) -> None:
        self._proxy_state = proxy_state
        self._admin_service = admin_service

    async def show(self, request: Request) -> Response:
        """The page."""
        message = _(DONE_MESSAGES.get(request.query_params.get("done", ""), "")) or None
        return await self._page(self._admin(request), message=message)

    async def decide(self, request: Request) -> Response:
        """Grant or refuse a request for more time."""
        who = self._admin(request)
        name, fields = who.name, await self._posted(request, who.name)
        key, verb = fields.get("request", ""), fields.get("verb", "")
        try:
            if verb == "approve":
                closed = await self._admin_service.approve(key, name)
            elif verb == "refuse":
                closed = await self._admin_service.refuse(key, name, fields.get("note", ""))
            else:
                raise NotPossible(_("Choose to approve or to refuse."))
        except NotPossible as problem:
            return await self._page(who, problem=str(problem), problem_at=key, status=400)
        except LedgerError:
            raise ledger_unavailable() from None
        return _redirect(PATH, done=closed.status)

    async def unmask(self, request: Request) -> Response:
        """Unmask a pseudonym: first the audit entry, then a redirect to a page that shows the name
        for a while."""
        who = self._admin(request)
        name, fields = who.name, await self._posted(request, who.name)
        pseudonym = fields.get("pseudonym", "").strip()
        if not is_pseudonym(pseudonym):
            wrong = _("This is not a pseudonym. One is p: and sixteen letters or digits.")
            return await self._page(who, problem=wrong, problem_at="pseudonym", status=400)
        try:
            await self._admin_service.unmask(pseudonym, fields.get("reason", ""), name)
        except NotPossible as problem:
            return await self._page(who, problem=str(problem), problem_at="why", status=400)
        except LedgerError:
            raise ledger_unavailable() from None
        token = self._admin_service.tokens.of(
            UNMASKED, name, pseudonym, now=self._proxy_state.now(), lifetime=NAME_SHOWN_SECONDS
        )
        return _redirect(UNMASKED, pseudonym=pseudonym, token=token)

    async def unmasked(self, request: Request) -> Response:
        """The name, for the administrator who has just asked."""
        who = self._admin(request)
        pseudonym = request.query_params.get("pseudonym", "")
        token = request.query_params.get("token", "")
        now = self._proxy_state.now()
        if not self._admin_service.tokens.is_valid(
            token, UNMASKED, who.name, pseudonym, now=now, lifetime=NAME_SHOWN_SECONDS
        ):
            raise forms.Refusal(
                403,
                _("Please ask again"),
                _("A name is shown for a minute after you gave your reason."),
            )
        try:
            found = await self._admin_service.name_of(pseudonym)
        except (NotPossible, LedgerError):
            raise ledger_unavailable() from None
        return pages.unmasked(admin_shell(self._admin_service, who, PATH), pseudonym, found)

    def _admin(self, request: Request) -> Visitor:
        return administrator(request, self._admin_service)

    async def _posted(self, request: Request, name: str) -> dict[str, str]:
        return await forms.posted(
            request, name, self._admin_service.tokens, self._proxy_state.now()
        )

    async def _page(
        self,
        who: Visitor,
        *,
        message: str | None = None,
        problem: str | None = None,
        problem_at: str = "",
        status: int = 200,
    ) -> Response:
        proxy_state, admin_service = self._proxy_state, self._admin_service
        now, rules, health = proxy_state.now(), proxy_state.rules(), proxy_state.health()
        today = waiting = None
        asked: list[views.OpenRequest] = []
        urgent: list[views.UrgentTaken] = []
        try:
            asked = [
                views.waiting(each, now, rules, own=admin_service.is_own(each, who.name))
                for each in await admin_service.waiting()
            ]
            waiting = tuple(asked[: views.MAX_SHOWN])
            taken = await admin_service.urgent_today()
            urgent = [views.urgent_taken(each, now, rules) for each in reversed(taken)]
            today = views.today(await admin_service.totals(), rules)
        except LedgerError:
            status = 503
        fields = {"pseudonym", "why", *(each.id for each in asked if not each.own)}
        page = views.Admin(
            date=words.day(now, rules.zone),
            at=words.time_of_day(now, rules.zone),
            rules=views.in_force(rules, admin_service.loaded(), admin_service.problems(), now),
            parts=views.parts(health, admin_service.state()),
            ready=health.works,
            observing=views.observing(rules, await admin_service.observed()),
            today=today,
            waiting=waiting,
            more_waiting=len(asked) - len(waiting or ()),
            urgent=tuple(urgent[: views.MAX_SHOWN]),
            more_urgent=max(0, len(urgent) - views.MAX_SHOWN),
            pseudonyms=admin_service.names is not None,
            workers=admin_service.workers,
            token=admin_service.tokens.of(who.name, now=now),
            message=message,
            problem=problem,
            problem_at=problem_at if problem_at in fields else "",
        )
        count = None if waiting is None else len(asked)
        return pages.admin(admin_shell(admin_service, who, PATH, waiting=count), page, status)


def _redirect(path: str, **query: str) -> Response:
    """Redirect after a POST, so that a reload does not send it again."""
    return RedirectResponse(f"{path}?{urlencode(query)}", 303, headers=pages.PRIVATE)
