"""`/policy`: the written policy, and the two forms about it: "I have read this", and "later"."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import Final, NamedTuple
from urllib.parse import urlencode

from babel.dates import format_date
from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from proxy_addon.core.notices.gate import Need, lasts_until
from proxy_addon.core.notices.headings import Heading
from proxy_addon.core.notices.notice import Notice
from proxy_addon.core.types import Person
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.presentation import durations as words
from proxy_addon.presentation import languages, notice_html
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.notice_values import NoticeValues
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.notice_history import (
    ADDRESS,
    ConfirmedText,
    NoticeHistory,
    by_digest,
    by_version,
)
from proxy_addon.web.notice_service import NoticeService
from proxy_addon.web.shell import shell
from proxy_addon.web.visitor import visitor

PATH: Final = "/policy"
DONE: Final = "/policy/done"
PAGE: Final = "policy"  # as the ledger names the page by which somebody confirmed


class LanguageLink(NamedTuple):
    """The same text in another language."""

    href: str
    name: str


class PolicyPage(NamedTuple):
    """The page as its template needs it. `facts`: version, day and owner in one line; `until`: when
    the grace time ends; `platform`: where the way back leads, "" for nowhere; `differs`: there is
    an earlier text that the reader has confirmed."""

    title: str
    facts: tuple[str, ...]
    headings: tuple[Heading, ...]
    body: Markup
    changes: str
    links: tuple[LanguageLink, ...]
    need: Need
    until: str
    platform: str
    notice: str
    digest: str
    back: str
    token: str
    confirmed: tuple[ConfirmedText, ...]
    differs: bool
    signed_in: bool
    wants_later: bool = False
    problem: str = ""


class NoticePages:
    """The endpoints."""

    def __init__(self, state: ProxyState, service: NoticeService, tokens: forms.Tokens) -> None:
        self._state = state
        self._service = service
        self._tokens = tokens
        self._history = NoticeHistory(state, service)

    async def show(self, request: Request) -> Response:
        """GET /policy."""
        who, query = visitor(request), request.query_params
        person, name = self._service.person(who.name), query.get("notice", "")
        if wanted := query.get("text", ""):
            return await self._history.text(who, person, name, by_digest(wanted))
        if wanted := query.get("version", ""):
            return await self._history.text(who, person, name, by_version(wanted))
        notice = self._service.notice(person, name)
        if notice is None and self._service.notice(person) is not None:
            raise forms.Refusal(
                404,
                _("There is no such policy"),
                _("No written policy of that name is for you. Choose “The policy” to read yours."),
            )
        if notice is None:
            return self._none(who)
        if "changes" in query:
            return await self._history.changes(who, person, notice, query.get("back", ""))
        return self._page(who, person, notice, query.get("back", ""), later="later" in query)

    async def submit(self, request: Request) -> Response:
        """POST /policy: read, or later."""
        who = visitor(request)
        fields = await forms.posted(request, who.name, self._tokens, self._state.now())
        person, back = self._service.person(who.name), fields.get("back", "")
        notice = self._service.notice(person, fields.get("notice", ""))
        if notice is None or fields.get("digest") != notice.digest:
            raise forms.Refusal(
                409,
                _("This version is not in force any more"),
                _("Nothing was confirmed. Open the policy again and read the version of today."),
            )
        if not who.signed_in:
            raise forms.Refusal(
                403,
                _("We do not know who you are"),
                _("Sign in to the proxy with your own name, then you can confirm the policy."),
            )
        if fields.get("action") == "later":
            self._put_off(who, notice)
        elif fields.get("read") != "yes":
            problem = _("Please tick the box if you have read the policy.")
            return self._page(who, person, notice, back, problem=problem)
        else:
            try:
                await self._service.confirm(who.name, notice, PAGE)
            except LedgerError:
                problem = _(
                    "We could not keep this just now. The fault is ours: please try again in a "
                    "moment. Until then nothing is closed to you."
                )
                return self._page(who, person, notice, back, problem=problem, status=503)
        query = urlencode({"notice": notice.name, "back": back})
        return RedirectResponse(f"{DONE}?{query}", 303, pages.PRIVATE)

    async def done(self, request: Request) -> Response:
        """After either form: on to where the person was going. Not a redirect from the form itself,
        which a browser would stop at our own pages."""
        who, query = visitor(request), request.query_params
        target = self._service.way_to(who.name, query.get("back", ""))
        title = "" if target is None else self._service.platform_title(target)
        person = self._service.person(who.name)
        notice = self._service.notice(person, query.get("notice", ""))
        need = (
            Need.NOTHING
            if notice is None
            else self._service.standing(who.name, notice, signed_in=who.signed_in).need
        )
        if need not in (Need.NOTHING, Need.PUT_OFF):  # somebody opened this page by hand
            return RedirectResponse(f"{PATH}?{urlencode(dict(query))}", 303, pages.PRIVATE)
        return pages.policy_done(
            shell(self._state.rules(), who, person.roles, PATH),
            target=target,
            platform=title,
            is_confirmed=need is Need.NOTHING,
            again="" if notice is None else self._again(who, notice),
        )

    def _again(self, who: Visitor, notice: Notice) -> str:
        """The day on which somebody has to confirm again what they have confirmed; "" for never."""
        ends = lasts_until(notice, self._service.confirmations(who.name, notice))
        if not isfinite(ends):
            return ""
        day = datetime.fromtimestamp(ends, self._state.rules().zone).date()
        return str(format_date(day, "long", languages.locale()))

    def _put_off(self, who: Visitor, notice: Notice) -> None:
        standing = self._service.standing(who.name, notice, signed_in=who.signed_in)
        if standing.need is Need.DUE:
            raise forms.Refusal(
                409,
                _("It cannot be put off any longer"),
                _("The time in which you could put it off is over. Please read it now."),
            )
        self._service.put_off(who.name, notice)

    def _none(self, who: Visitor) -> Response:
        roles = self._state.roles(who.name)
        return pages.no_policy(shell(self._state.rules(), who, roles, PATH))

    def _page(
        self,
        who: Visitor,
        person: Person,
        notice: Notice,
        back: str,
        *,
        later: bool = False,
        problem: str = "",
        status: int = 200,
    ) -> Response:
        page = self._made(who, person, notice, back)._replace(wants_later=later, problem=problem)
        query = {"notice": notice.name} | ({"back": page.back} if page.back else {})
        around = shell(self._state.rules(), who, person.roles, PATH, query=query)
        if page.links:  # the languages of the text stand above it
            around = around._replace(languages=())
        return pages.policy(around, page, status if not problem or status != 200 else 422)

    def _made(self, who: Visitor, person: Person, notice: Notice, back: str) -> PolicyPage:
        service, now, rules = self._service, self._state.now(), self._state.rules()
        text = notice.text((languages.spoken(),))
        value = NoticeValues(service.engine(), person, notice, now, ADDRESS)
        standing = service.standing(who.name, notice, signed_in=who.signed_in)
        target = service.way_to(who.name, back)
        confirmed = service.confirmations(who.name, notice)
        until = "" if standing.until is None else words.deadline(standing.until, now, rules.zone)
        return PolicyPage(
            title=text.title,
            facts=self._facts(notice, notice_html.minutes_to_read(text)),
            headings=tuple(each for each in text.headings if each.level == 2),
            body=notice_html.body(text, value),
            changes=notice_html.line(text.changes, value) if confirmed else "",
            links=self._links(notice, back),
            need=standing.need,
            until=until,
            platform="" if target is None else service.platform_title(target),
            notice=notice.name,
            digest=notice.digest,
            back=back if target is not None else "",
            token=self._tokens.of(who.name, now=now),
            confirmed=self._history.confirmed(who.name, notice),
            differs=any(each.digest != notice.digest for each in confirmed),
            signed_in=who.signed_in,
        )

    def _facts(self, notice: Notice, minutes: int) -> tuple[str, ...]:
        facts = [_("Version %(version)s") % {"version": notice.version}]
        if notice.effective is not None:
            day = format_date(notice.effective, "long", languages.locale())
            facts.append(_("in force since %(day)s") % {"day": day})
        if owner := notice.owner_in(languages.spoken()):
            facts.append(_("looked after by %(owner)s") % {"owner": owner})
        facts.append(
            languages.ngettext("%(n)d minute to read", "%(n)d minutes to read", minutes)
            % {"n": minutes}
        )
        return tuple(facts)

    def _links(self, notice: Notice, back: str) -> tuple[LanguageLink, ...]:
        offered = [each for each in self._state.rules().office.languages if each in notice.texts]
        query = {"notice": notice.name} | ({"back": back} if back else {})
        return tuple(
            LanguageLink(f"{PATH}?{urlencode(query | {'lang': each})}", languages.name_of(each))
            for each in offered
            if each != languages.spoken() and each in languages.LANGUAGES
        )
