"""`/`, `/me.json` and `/opens`: what the reader has left, their days, and what opens for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from fastapi import HTTPException, Request
from fastapi.responses import Response

from proxy_addon.ledger.interface import TimeRequest
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.usage_statement import statement
from proxy_addon.web import rendering as pages
from proxy_addon.web import time_request_pages as ask
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.device_pages import distrust_note
from proxy_addon.web.employee_view import NO_RECORDS, day_of
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.opens_view import Outlook
from proxy_addon.web.own_records import OwnRecords, RecordReader
from proxy_addon.web.shell import HOME, OPENS, shell
from proxy_addon.web.visitor import visitor
from proxy_addon.web.week_view import day_of_instant, first_day, kept_day, window_of

DAY: Final = "day"  # the field of the query that names a past day


class EmployeePages:
    """The endpoints. Without `admin_service` there is no ledger: today alone is shown."""

    def __init__(self, proxy_state: ProxyState, admin_service: AdminService | None) -> None:
        self._proxy_state = proxy_state
        self._admin_service = admin_service
        self._outlook = Outlook(proxy_state)
        self._reader = None
        if admin_service is not None:
            self._reader = RecordReader.of(
                admin_service.ledger, admin_service.executor, lambda: admin_service.state().up
            )

    async def home(self, request: Request) -> Response:
        """GET /, and with `?day=2026-11-02` one of the days that are kept."""
        who, rules = visitor(request), self._proxy_state.rules()
        now = self._proxy_state.now()
        today, shown = day_of_instant(rules, now), None
        asked_for = request.query_params.get(DAY)
        if asked_for is not None:
            shown = kept_day(rules, asked_for, now)
            if shown is None:
                raise HTTPException(404, _("This day is not kept, or has not come yet."))
        since = window_of(rules, first_day(rules, shown or today, now)).start
        until = window_of(rules, today).end
        asked, records = await asyncio.gather(
            self._requests(who.name), self._records(who.name, since, until, now)
        )
        one = self._proxy_state.person_now(who.name)
        past = None if shown == today else shown
        day = day_of(self._proxy_state, self._outlook, who, one, records, past)
        query = {DAY: asked_for} if asked_for else {}
        return pages.employee(
            shell(rules, who, one.person.roles, HOME, query=query),
            day,
            requests=ask.rows(asked, one.at, rules),
            can_ask=self._admin_service is not None and day.first is not None,
            distrust=distrust_note(self._proxy_state, who),
        )

    async def me(self, request: Request) -> Response:
        """GET /me.json: today, as data."""
        one = self._proxy_state.person_now(visitor(request).name)
        name, zone = visitor(request).name, self._proxy_state.rules().zone
        return pages.data(statement(name, one.person.roles, one.balances, one.visits, zone))

    async def opens(self, request: Request) -> Response:
        """GET /opens."""
        who = visitor(request)
        one = self._proxy_state.person_now(who.name)
        around = shell(self._proxy_state.rules(), who, one.person.roles, OPENS)
        return pages.opens(around, self._outlook.page(one))

    async def _requests(self, person: str) -> Sequence[TimeRequest]:
        if self._admin_service is None:
            return ()
        return await self._admin_service.requests_if_quick(person)

    async def _records(
        self, person: str, since: float, until: float, now: float
    ) -> OwnRecords | None:
        if self._reader is None:
            return NO_RECORDS
        return await self._reader.read(person, since, until, now)
