"""Requests for more time: the form, its submission, and the rows about requests on a person's own
page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.ledger.interface import LedgerError, TimeRequest
from proxy_addon.ledger.time_requests import LONGEST, MOST_MINUTES, MOST_OPEN, NotPossible
from proxy_addon.presentation import allowance_names
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.theme import Shell
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.notice_service import NoticeService
from proxy_addon.web.shell import shell
from proxy_addon.web.visitor import visitor
from proxy_addon.web.way_back import WayBack, way_back

PATH: Final = "/ask"
SHOWN_FOR: Final = 24 * 3600.0  # seconds that an answer stays on the person's own page
MAX_SHOWN: Final = 6
DEFAULT_MINUTES: Final = "10"  # minutes that the form starts with


class TimeRequestView(NamedTuple):
    """One request. `state` is its outcome in words, `tone` is "wait", "yes" or "no"."""

    allowance: str
    time: str
    reason: str
    asked: str
    state: str
    tone: str
    note: str


class AllowanceChoice(NamedTuple):
    """An allowance that can be asked for."""

    value: str
    title: str
    left: str


class FormValues(NamedTuple):
    """What has been filled in so far."""

    allowance: str = ""
    minutes: str = DEFAULT_MINUTES
    reason: str = ""
    back: str = ""


class AskPage(NamedTuple):
    """The page with the form. `open`: whether another request may be made; `problem`: why the last
    one was refused, and `field` the field that it is about ("" for none). `asked`: one has just
    been made; `back`: where the person was going."""

    choices: tuple[AllowanceChoice, ...]
    rows: tuple[TimeRequestView, ...]
    values: FormValues
    token: str
    open: bool
    back: WayBack
    problem: str = ""
    field: str = ""
    asked: bool = False
    most_minutes: int = MOST_MINUTES
    longest: int = LONGEST

    @property
    def again(self) -> str:
        """The same page once more, after a request."""
        given = {"asked": "1", "allowance": self.values.allowance, "back": self.back.sealed}
        return f"{PATH}?{urlencode(given)}"


def rows(
    requests: Iterable[TimeRequest], now: float, rules: RuleSet
) -> tuple[TimeRequestView, ...]:
    """The open requests of a person and the recently answered ones, newest first."""
    fresh = [each for each in requests if each.decided is None or each.decided > now - SHOWN_FOR]
    return tuple(_row(each, now, rules) for each in reversed(fresh[-MAX_SHOWN:]))


def _row(request: TimeRequest, now: float, rules: RuleSet) -> TimeRequestView:
    state, tone = _("waits for an answer"), "wait"
    if request.status == "refused":
        state, tone = _("refused"), "no"
    elif request.status == "granted":
        state, tone = _("granted"), "yes"
        if request.until is not None and request.until <= now:
            state = _("granted; that time is over")
        elif request.until is not None:
            until = words.deadline(request.until, now, rules.zone)
            state = _("granted until %(when)s") % {"when": until}
    return TimeRequestView(
        allowance=allowance_names.title(rules, request.allowance),
        time=words.duration(request.seconds),
        reason=request.reason,
        asked=when(request.created, now, rules.zone),
        state=state,
        tone=tone,
        note=request.note,
    )


def when(instant: float, now: float, zone: ZoneInfo) -> str:
    """When something was: "today at 14:05", "Monday, 2 November 2026, 14:05"."""
    day, time = words.day(instant, zone), words.time_of_day(instant, zone)
    if day == words.day(now, zone):
        return _("today at %(time)s") % {"time": time}
    return _("%(day)s, %(time)s") % {"day": day, "time": time}


class TimeRequestPages:
    """The endpoints of `/ask`. Without `notices` nothing leads back."""

    def __init__(
        self,
        proxy_state: ProxyState,
        admin_service: AdminService,
        notices: NoticeService | None = None,
    ) -> None:
        self._proxy_state = proxy_state
        self._admin_service = admin_service
        self._notices = notices

    async def show(self, request: Request) -> Response:
        """The form; `?allowance=` preselects one, `?back=` is the sealed way back. After a request
        was made (`?asked=`) it is shown, and once there is time again the page leads back."""
        who, query = visitor(request), request.query_params
        values = FormValues(query.get("allowance", ""), back=query.get("back", ""))
        page = await self._page(who, values)
        if "asked" not in query:
            return self._answer(who, page)
        if page.back.target is not None and self._has_time(who, values.allowance):
            title = _("You have minutes again")
            around = self._shell(who, page)
            return pages.time_given(around, title=title, back=page.back, is_ready=True)
        return self._answer(who, page._replace(asked=True))

    async def submit(self, request: Request) -> Response:
        """Make a request, then redirect to a page that shows it."""
        who = visitor(request)
        fields = await forms.posted(
            request, who.name, self._admin_service.tokens, self._proxy_state.now()
        )
        values = FormValues(*(fields.get(name, "") for name in FormValues._fields))
        among = [balance.allowance for balance in self._proxy_state.balances(who.name)]
        try:
            await self._admin_service.request_time(
                who.name, values.allowance, values.minutes, values.reason, among
            )
        except NotPossible as problem:
            page = await self._page(who, values)
            page = page._replace(problem=str(problem), field=problem.field)
            return self._answer(who, page, 400)
        except LedgerError:
            raise ledger_unavailable() from None
        if way_back(self._notices, who.name, values.back).target is None:
            return RedirectResponse("/#requests", 303, headers=pages.PRIVATE)
        query = urlencode({"asked": "1", "allowance": values.allowance, "back": values.back})
        return RedirectResponse(f"{PATH}?{query}", 303, headers=pages.PRIVATE)

    def _answer(self, who: Visitor, page: AskPage, status: int = 200) -> Response:
        return pages.ask(self._shell(who, page), page, status)

    def _shell(self, who: Visitor, page: AskPage) -> Shell:
        given = {"allowance": page.values.allowance, "back": page.back.sealed}
        query = {name: value for name, value in given.items() if value}
        state = self._proxy_state
        return shell(state.rules(), who, state.roles(who.name), PATH, query=query)

    def _has_time(self, who: Visitor, allowance: str) -> bool:
        found = self._proxy_state.balances(who.name)
        return any(each.allowance == allowance and each.left > 0 for each in found)

    async def _page(self, who: Visitor, values: FormValues) -> AskPage:
        now, rules = self._proxy_state.now(), self._proxy_state.rules()
        try:
            own = await self._admin_service.requests_of(who.name)
        except LedgerError:
            raise ledger_unavailable() from None
        choices = tuple(
            AllowanceChoice(
                each.allowance,
                allowance_names.title(rules, each.allowance),
                words.duration(each.left),
            )
            for each in self._proxy_state.balances(who.name)
        )
        return AskPage(
            choices=choices,
            rows=rows(own, now, rules),
            values=values,
            token=self._admin_service.tokens.of(who.name, now=now),
            open=_open_count(own) < MOST_OPEN,
            back=way_back(self._notices, who.name, values.back),
        )


def _open_count(requests: Sequence[TimeRequest]) -> int:
    return sum(each.status == "open" for each in requests)


def ledger_unavailable() -> forms.Refusal:
    """The page for when the ledger does not answer."""
    return forms.Refusal(
        503,
        _("We cannot reach our records right now"),
        _("Nothing was changed. The fault is ours; please try again in a little while."),
    )
