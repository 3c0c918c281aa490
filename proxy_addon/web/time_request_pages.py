"""Asking for more time: the form, what becomes of it, and the lines about it on a person's own page."""

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
from proxy_addon.web import forms
from proxy_addon.web import rendering as pages
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.visitor import visitor

PATH: Final = "/ask"
SHOWN_FOR: Final = 24 * 3600.0  # seconds that an answer stays on the person's own page
MOST_SHOWN: Final = 6
USUAL: Final = "10"  # minutes that the form begins with


class Row(NamedTuple):
    """One request. `state` says what became of it, `tone` is "wait", "yes" or "no"."""

    allowance: str
    time: str
    reason: str
    asked: str
    state: str
    tone: str
    note: str


class Choice(NamedTuple):
    """An allowance to ask for."""

    value: str
    title: str
    left: str


class Typed(NamedTuple):
    """What somebody has typed so far."""

    allowance: str = ""
    minutes: str = USUAL
    reason: str = ""


class AskPage(NamedTuple):
    """The page with the form. `open`: whether one more may be asked; `problem`: why the last one was not."""

    person: str
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]
    typed: Typed
    token: str
    open: bool
    problem: str | None = None
    most_minutes: int = MOST_MINUTES
    longest: int = LONGEST


def rows(requests: Iterable[TimeRequest], now: float, rules: RuleSet) -> tuple[Row, ...]:
    """The requests that a person still wants to see, newest first."""
    fresh = [each for each in requests if each.decided is None or each.decided > now - SHOWN_FOR]
    return tuple(_row(each, now, rules) for each in reversed(fresh[-MOST_SHOWN:]))


def _row(request: TimeRequest, now: float, rules: RuleSet) -> Row:
    state, tone = "waits for an answer", "wait"
    if request.status == "refused":
        state, tone = "refused", "no"
    elif request.status == "granted":
        state, tone = "granted", "yes"
        if request.until is not None and request.until <= now:
            state = "granted; that time is over"
        elif request.until is not None:
            state = (
                f"granted until {words.moment(request.until, now, rules.zone).removeprefix('on ')}"
            )
    return Row(
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


class Asking:
    """What answers on `/ask`."""

    def __init__(self, proxy_state: ProxyState, back: AdminService) -> None:
        self._proxy_state = proxy_state
        self._back = back

    async def show(self, request: Request) -> Response:
        """The form; `?allowance=` chooses."""
        who = visitor(request)
        typed = Typed(request.query_params.get("allowance", ""))
        return pages.ask(await self._page(who, typed))

    async def take(self, request: Request) -> Response:
        """Somebody asks; then back to their own page, where it stands."""
        who = visitor(request)
        fields = await forms.posted(request, who.name, self._back.tokens, self._proxy_state.now())
        typed = Typed(
            fields.get("allowance", ""), fields.get("minutes", ""), fields.get("reason", "")
        )
        among = [balance.allowance for balance in self._proxy_state.balances(who.name)]
        try:
            await self._back.ask(who.name, *typed, among)
        except NotPossible as problem:
            return pages.ask(await self._page(who, typed, str(problem)), 400)
        except LedgerError:
            raise away() from None
        return RedirectResponse("/#requests", 303, headers=pages.PRIVATE)

    async def _page(self, who: Visitor, typed: Typed, problem: str | None = None) -> AskPage:
        now, rules = self._proxy_state.now(), self._proxy_state.rules()
        try:
            own = await self._back.asked_by(who.name)
        except LedgerError:
            raise away() from None
        choices = tuple(
            Choice(each.allowance, words.label(each.allowance), words.duration(each.left))
            for each in self._proxy_state.balances(who.name)
        )
        return AskPage(
            person=who.name if who.identified else "this device",
            choices=choices,
            rows=rows(own, now, rules),
            typed=typed,
            token=self._back.tokens.of(who.name, now=now),
            open=_open(own) < MOST_OPEN,
            problem=problem,
        )


def _open(requests: Sequence[TimeRequest]) -> int:
    return sum(each.status == "open" for each in requests)


def away() -> forms.Refusal:
    """The ledger does not answer."""
    return forms.Refusal(
        503,
        "We cannot reach our books right now",
        "Nothing was changed. The fault is ours; please try again in a little while.",
    )
