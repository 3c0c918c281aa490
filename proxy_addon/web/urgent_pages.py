"""`/urgent`: a customer is waiting. Minutes that the rules let somebody take at once."""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from proxy_addon.core.policy.urgent import UrgentOffer
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.time_requests import LONGEST, NotPossible
from proxy_addon.presentation import allowance_names
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.notice_service import NoticeService
from proxy_addon.web.shell import shell
from proxy_addon.web.time_request_pages import ledger_unavailable
from proxy_addon.web.urgent_service import UrgentService
from proxy_addon.web.visitor import visitor
from proxy_addon.web.way_back import WayBack, way_back

PATH: Final = "/urgent"
DONE: Final = "/urgent/done"


class UrgentPage(NamedTuple):
    """The page as its template needs it. `state`: "offered", "taken" (all of them), "not-needed"
    (there is time left) or "not-given". `amount`: "10 minutes"; `left` of `times`; `renews`: when
    they are counted anew; `form`: a number that no other form has, so that a second click takes
    nothing more."""

    state: str
    allowance: str
    title: str
    amount: str
    left: int
    times: int
    renews: str
    back: WayBack
    token: str
    form: str
    reason: str = ""
    problem: str = ""
    longest: int = LONGEST

    @property
    def ask_url(self) -> str:
        """Where to ask for more instead."""
        given = {"allowance": self.allowance, "back": self.back.sealed}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/ask?{query}" if query else "/ask"


class UrgentPages:
    """The endpoints. Without `notices` nothing leads back."""

    def __init__(
        self,
        state: ProxyState,
        service: UrgentService,
        tokens: forms.Tokens,
        notices: NoticeService | None,
    ) -> None:
        self._state = state
        self._service = service
        self._tokens = tokens
        self._notices = notices

    async def show(self, request: Request) -> Response:
        """GET /urgent: what may be taken, with the button."""
        who, query = visitor(request), request.query_params
        page = await self._page(who, query.get("allowance", ""), query.get("back", ""))
        return self._answer(who, page)

    async def submit(self, request: Request) -> Response:
        """POST /urgent: take them, then on to where the person was going."""
        who = visitor(request)
        fields = await forms.posted(request, who.name, self._tokens, self._state.now())
        allowance, back = fields.get("allowance", ""), fields.get("back", "")
        reason = fields.get("reason", "")
        try:
            taken = await self._service.take(who.name, allowance, reason, fields.get("form", ""))
        except NotPossible as problem:
            page = await self._page(who, allowance, back)
            if problem.field:
                page = page._replace(reason=reason, problem=str(problem))
            return self._answer(who, page, 400)
        except LedgerError:
            raise ledger_unavailable() from None
        if not taken:
            return self._answer(who, await self._page(who, allowance, back), 409)
        await self._service.arrived(who.name, allowance)
        query = urlencode({"allowance": allowance, "back": back})
        return RedirectResponse(f"{DONE}?{query}", 303, pages.PRIVATE)

    async def done(self, request: Request) -> Response:
        """GET /urgent/done: on to where the person was going."""
        who, query = visitor(request), request.query_params
        back = way_back(self._notices, who.name, query.get("back", ""))
        ready = self._service.has_time(who.name, query.get("allowance", ""))
        return pages.time_given(
            shell(self._state.rules(), who, self._state.roles(who.name), PATH),
            title=_("You have minutes again"),
            back=back,
            is_ready=ready,
        )

    def _answer(self, who: Visitor, page: UrgentPage, status: int = 200) -> Response:
        query = {"allowance": page.allowance, "back": page.back.sealed}
        around = shell(self._state.rules(), who, self._state.roles(who.name), PATH, query=query)
        return pages.urgent(around, page, status)

    async def _page(self, who: Visitor, allowance: str, back: str) -> UrgentPage:
        now, rules = self._state.now(), self._state.rules()
        try:
            offer = await self._service.offer(who.name)
        except LedgerError:
            raise ledger_unavailable() from None
        used_up = [each.allowance for each in self._service.used_up(who.name)]
        wanted = allowance if allowance in used_up else next(iter(used_up), "")
        way = way_back(self._notices, who.name, back)
        return UrgentPage(
            state=_state_of(offer, wanted),
            allowance=wanted,
            title=allowance_names.yours(rules, wanted) if wanted else "",
            amount="" if offer is None else words.duration(offer.seconds),
            left=0 if offer is None else offer.left,
            times=0 if offer is None else offer.times,
            renews="" if offer is None else words.moment(offer.renews, now, rules.zone),
            back=way,
            token=self._tokens.of(who.name, now=now),
            form=secrets.token_hex(16),
        )


def _state_of(offer: UrgentOffer | None, wanted: str) -> str:
    if offer is None:
        return "not-given"
    if not wanted:
        return "not-needed"
    return "offered" if offer.left > 0 else "taken"
