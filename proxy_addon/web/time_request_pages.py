"""Requests for more time: the form, its submission, and the rows about requests on a person's own
page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.ledger.interface import LedgerError, TimeRequest
from proxy_addon.ledger.time_requests import LONGEST, MOST_MINUTES, MOST_OPEN, NotPossible
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.visitor import visitor

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


class AskPage(NamedTuple):
    """The page with the form. `open`: whether another request may be made; `problem`: why the last
    one was refused."""

    person: str
    choices: tuple[AllowanceChoice, ...]
    rows: tuple[TimeRequestView, ...]
    values: FormValues
    token: str
    open: bool
    problem: str | None = None
    most_minutes: int = MOST_MINUTES
    longest: int = LONGEST


def rows(
    requests: Iterable[TimeRequest], now: float, rules: RuleSet
) -> tuple[TimeRequestView, ...]:
    """The open requests of a person and the recently answered ones, newest first."""
    fresh = [each for each in requests if each.decided is None or each.decided > now - SHOWN_FOR]
    return tuple(_row(each, now, rules) for each in reversed(fresh[-MAX_SHOWN:]))


def _row(request: TimeRequest, now: float, rules: RuleSet) -> TimeRequestView:
    state, tone = "waits for an answer", "wait"
    if request.status == "refused":
        state, tone = "refused", "no"
    elif request.status == "granted":
        state, tone = "granted", "yes"
        if request.until is not None and request.until <= now:
            state = "granted; that time is over"
        elif request.until is not None:
            state = f"granted until {words.deadline(request.until, now, rules.zone)}"
    return TimeRequestView(
        allowance=words.label(request.allowance),
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
    return f"today at {time}" if day == words.day(now, zone) else f"{day}, {time}"


class TimeRequestPages:
    """The endpoints of `/ask`."""

    def __init__(self, proxy_state: ProxyState, admin_service: AdminService) -> None:
        self._proxy_state = proxy_state
        self._admin_service = admin_service

    async def show(self, request: Request) -> Response:
        """The form; `?allowance=` preselects one."""
        who = visitor(request)
        values = FormValues(request.query_params.get("allowance", ""))
        return pages.ask(await self._page(who, values))

    async def submit(self, request: Request) -> Response:
        """Make a request, then redirect to the person's own page, which shows it."""
        who = visitor(request)
        fields = await forms.posted(
            request, who.name, self._admin_service.tokens, self._proxy_state.now()
        )
        values = FormValues(
            fields.get("allowance", ""), fields.get("minutes", ""), fields.get("reason", "")
        )
        among = [balance.allowance for balance in self._proxy_state.balances(who.name)]
        try:
            await self._admin_service.request_time(who.name, *values, among)
        except NotPossible as problem:
            return pages.ask(await self._page(who, values, str(problem)), 400)
        except LedgerError:
            raise ledger_unavailable() from None
        return RedirectResponse("/#requests", 303, headers=pages.PRIVATE)

    async def _page(self, who: Visitor, values: FormValues, problem: str | None = None) -> AskPage:
        now, rules = self._proxy_state.now(), self._proxy_state.rules()
        try:
            own = await self._admin_service.requests_of(who.name)
        except LedgerError:
            raise ledger_unavailable() from None
        choices = tuple(
            AllowanceChoice(each.allowance, words.label(each.allowance), words.duration(each.left))
            for each in self._proxy_state.balances(who.name)
        )
        return AskPage(
            person=who.name if who.identified else "this device",
            choices=choices,
            rows=rows(own, now, rules),
            values=values,
            token=self._admin_service.tokens.of(who.name, now=now),
            open=_open_count(own) < MOST_OPEN,
            problem=problem,
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
