"""`/admin`: what is in force, how the proxy does, what tried-out rules would do, who waits for more time.

For people who are signed in and have the role `admin`. Whoever is known by an address alone is not: somebody else
may sit down there. Forms are answered with a redirect, so that loading a page again repeats nothing.
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
from proxy_addon.web import admin_view as views
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.admin_service import ADMIN, AdminService
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.time_request_pages import away
from proxy_addon.web.visitor import visitor

PATH: Final = "/admin"
REQUESTS: Final = "/admin/requests"
UNMASK: Final = "/admin/unmask"
UNMASKED: Final = "/admin/unmasked"
SAID: Final = {
    "granted": "Granted: it counts within seconds, on every proxy.",
    "refused": "Refused: the person reads your note on their page.",
}
TOLD_FOR: Final = 60.0  # seconds, once or twice, that an unmasked name can be looked at


class AdminPages:
    """What answers below `/admin`."""

    def __init__(self, proxy_state: ProxyState, back: AdminService) -> None:
        self._proxy_state = proxy_state
        self._back = back

    async def show(self, request: Request) -> Response:
        """The page."""
        said = SAID.get(request.query_params.get("done", ""))
        return await self._page(self._admin(request), said=said)

    async def decide(self, request: Request) -> Response:
        """A request for more is granted or refused."""
        name = self._admin(request)
        fields = await self._posted(request, name)
        key, verb = fields.get("request", ""), fields.get("verb", "")
        try:
            if verb == "approve":
                closed = await self._back.approve(key, name)
            elif verb == "refuse":
                closed = await self._back.refuse(key, name, fields.get("note", ""))
            else:
                raise NotPossible("Choose to approve or to refuse.")
        except NotPossible as problem:
            return await self._page(name, problem=str(problem), status=400)
        except LedgerError:
            raise away() from None
        return _see(PATH, done=closed.status)

    async def unmask(self, request: Request) -> Response:
        """The name behind a pseudonym is asked for: first the audit, then a page that shows it for a while."""
        name = self._admin(request)
        fields = await self._posted(request, name)
        pseudonym = fields.get("pseudonym", "").strip()
        try:
            if not is_pseudonym(pseudonym):
                raise NotPossible(
                    "This is not a pseudonym: it has p: and sixteen letters or digits."
                )
            await self._back.unmask(pseudonym, fields.get("reason", ""), name)
        except NotPossible as problem:
            return await self._page(name, problem=str(problem), status=400)
        except LedgerError:
            raise away() from None
        pass_ = self._back.tokens.of(
            UNMASKED, name, pseudonym, now=self._proxy_state.now(), lives=TOLD_FOR
        )
        return _see(UNMASKED, pseudonym=pseudonym, token=pass_)

    async def unmasked(self, request: Request) -> Response:
        """Who it is, for the administrator who has just asked."""
        name = self._admin(request)
        pseudonym = request.query_params.get("pseudonym", "")
        token = request.query_params.get("token", "")
        now = self._proxy_state.now()
        if not self._back.tokens.holds(token, UNMASKED, name, pseudonym, now=now, lives=TOLD_FOR):
            raise forms.Refusal(
                403, "Ask again", "A name is shown for a minute after you said why you need it."
            )
        try:
            found = await self._back.name_of(pseudonym)
        except (NotPossible, LedgerError):
            raise away() from None
        return pages.unmasked(pseudonym, found)

    def _admin(self, request: Request) -> str:
        """Who asks. Raises Refusal for everybody but administrators."""
        who = visitor(request)
        title = "For administrators only"
        if not who.signed_in:
            raise forms.Refusal(
                403,
                title,
                f"This page needs the role {ADMIN}, and that you sign in to the proxy with your own name and "
                "password. You are known by the address of your device alone.",
            )
        if not self._back.is_admin(who.name):
            raise forms.Refusal(
                403, title, f"This page needs the role {ADMIN}, which the people file gives."
            )
        return who.name

    async def _posted(self, request: Request, name: str) -> dict[str, str]:
        return await forms.posted(request, name, self._back.tokens, self._proxy_state.now())

    async def _page(
        self, name: str, *, said: str | None = None, problem: str | None = None, status: int = 200
    ) -> Response:
        proxy_state, back = self._proxy_state, self._back
        now, rules, health = proxy_state.now(), proxy_state.rules(), proxy_state.health()
        today = waiting = None
        asked: list[views.OpenRequest] = []
        try:
            asked = [
                views.waiting(each, now, rules, own=back.is_own(each, name))
                for each in await back.waiting()
            ]
            waiting = tuple(asked[: views.MOST_SHOWN])
            today = views.today(await back.totals(), rules)
        except LedgerError:
            status = 503
        page = views.Admin(
            person=name,
            date=words.day(now, rules.zone),
            at=words.time_of_day(now, rules.zone),
            rules=views.in_force(rules, back.loaded(), back.problems(), now),
            parts=views.parts(health, back.state()),
            ready=health.ready,
            observing=views.observing(rules, await back.observed()),
            today=today,
            waiting=waiting,
            more_waiting=len(asked) - len(waiting or ()),
            pseudonyms=back.names is not None,
            workers=back.workers,
            token=back.tokens.of(name, now=now),
            said=said,
            problem=problem,
        )
        return pages.admin(page, status)


def _see(path: str, **query: str) -> Response:
    """Look there: what was sent is done, and is not sent again."""
    return RedirectResponse(f"{path}?{urlencode(query)}", 303, headers=pages.PRIVATE)
