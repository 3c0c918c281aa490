"""The two small web applications: the employee's, reached through the proxy, and the one on the web
port.

All endpoints are coroutines and run on the event loop: a worker thread would read the enforcer's
state while the proxy changes it. What they show comes from memory; the few that need the ledger ask
it through `AdminService`.
"""

from __future__ import annotations

import logging
from typing import Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import marked
from proxy_addon.presentation.theme import Shell
from proxy_addon.web import (
    admin_access,
    admin_policy_pages,
    explain_api,
    forms,
    health_api,
    notice_pages,
    reload_api,
    rule_explanation,
    urgent_pages,
)
from proxy_addon.web import admin_pages as admin
from proxy_addon.web import rendering as pages
from proxy_addon.web import time_request_pages as ask
from proxy_addon.web.admin_policy_pages import AdminPolicyPages
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.admin_view import part_name
from proxy_addon.web.balance_events import PATH as EVENTS
from proxy_addon.web.balance_events import BalanceEvents
from proxy_addon.web.device_pages import DevicePages, Endpoint
from proxy_addon.web.employee_pages import EmployeePages
from proxy_addon.web.employee_view import Visitor
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.language import SpokenLanguage
from proxy_addon.web.notice_service import NoticeService
from proxy_addon.web.shell import open_shell, shell
from proxy_addon.web.urgent_service import UrgentService

_LOG: Final = logging.getLogger("proxy_addon.web.app")  # fixed, because log filters rely on it
_METHODS: Final = ("GET", "HEAD")
_TITLES: Final = {
    403: marked("We do not know who you are"),
    404: marked("There is no such page"),
}


class _ErrorPages:
    """Turns an unexpected exception into an error page and logs it; the server never sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def track_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, track_start)
        except Exception:
            if started or scope["type"] != "http":
                raise
            _LOG.exception("a page failed")
            title = _("Something went wrong")
            detail = _("The fault is ours. Please try again in a moment.")
            await pages.error(Request(scope), 500, title, detail)(scope, receive, send)


def employee_app(
    proxy_state: ProxyState,
    admin_service: AdminService | None = None,
    notice_service: NoticeService | None = None,
) -> FastAPI:
    """`http(s)://allowance.internal/`: one person's own page.

    The person is in `scope["extensions"]["allowance.person"]`, set by the proxy: a mapping of
    "name", "identified" and "address", and optionally "reached" (the proxy's own address on that
    connection, for `/proxy.pac`), "signed_in", "newcomer" and "direct" (see `Visitor`). No header
    and no query can name a person. Without `admin_service` nobody can ask for more time, and there
    is no page for administrators.
    """
    app = _bare_app(proxy_state)

    mine = EmployeePages(proxy_state, admin_service)
    own = {
        "/": mine.home,
        "/me.json": mine.me,
        "/opens": mine.opens,
        rule_explanation.PATH: rule_explanation.endpoint(proxy_state),
    }
    _serve(app, own | DevicePages(proxy_state, notice_service).endpoints())
    events = BalanceEvents(proxy_state)
    _route(app, EVENTS, events.endpoint, "GET")
    if admin_service is not None:
        _serve_urgent(app, proxy_state, admin_service, notice_service)
        _serve_requests(app, proxy_state, admin_service, notice_service)
        _serve_policy_administration(app, AdminPolicyPages(admin_service))
    if admin_service is not None and notice_service is not None:
        policy = notice_pages.NoticePages(proxy_state, notice_service, admin_service.tokens)
        _serve(app, {notice_pages.PATH: policy.show, notice_pages.DONE: policy.done})
        _route(app, notice_pages.PATH, policy.submit, "POST")
    return app


def _serve_urgent(
    app: FastAPI, state: ProxyState, admin_service: AdminService, notices: NoticeService | None
) -> None:
    service = UrgentService(state, admin_service)
    found = urgent_pages.UrgentPages(state, service, admin_service.tokens, notices)
    _serve(app, {urgent_pages.PATH: found.show, urgent_pages.DONE: found.done})
    _route(app, urgent_pages.PATH, found.submit, "POST")


def _serve_requests(
    app: FastAPI, state: ProxyState, admin_service: AdminService, notices: NoticeService | None
) -> None:
    time_request_pages = ask.TimeRequestPages(state, admin_service, notices)
    services = admin.AdminPages(state, admin_service)
    _serve(
        app,
        {
            ask.PATH: time_request_pages.show,
            admin.PATH: services.show,
            admin.REQUESTS: services.show,
            admin.UNMASKED: services.unmasked,
        },
    )
    for path, submit in (
        (ask.PATH, time_request_pages.submit),
        (admin.REQUESTS, services.decide),
        (admin.UNMASK, services.unmask),
    ):
        _route(app, path, submit, "POST")


def _serve_policy_administration(app: FastAPI, policy: AdminPolicyPages) -> None:
    _serve(
        app,
        {
            admin_access.POLICY: policy.show,
            admin_policy_pages.NAMES: policy.named,
            admin_policy_pages.REMIND: policy.remind,
            admin_policy_pages.COMPARE: policy.compare,
        },
    )
    for path, submit in (
        (admin_policy_pages.NAMES, policy.ask_names),
        (admin_policy_pages.REMIND, policy.reminders),
    ):
        _route(app, path, submit, "POST")


def web_app(proxy_state: ProxyState) -> FastAPI:
    """The web port: for administrators and their monitoring. It names an employee only to commands
    on this machine."""
    app = _bare_app(proxy_state)

    async def home(request: Request) -> Response:
        return pages.index(
            open_shell(proxy_state.rules(), "/"),
            rules=proxy_state.rules(),
            health=proxy_state.health(),
            part_name=part_name,
            port=proxy_state.proxy_port(),
        )

    async def metrics(request: Request) -> Response:
        return pages.text(*proxy_state.metrics(request.headers.get("accept", "")))

    _serve(app, {"/": home, "/metrics": metrics} | health_api.endpoints(proxy_state))
    _serve(app, DevicePages(proxy_state, is_web_port=True).endpoints())
    _serve(app, explain_api.endpoints(proxy_state))
    _route(app, reload_api.PATH, reload_api.endpoint(proxy_state), "POST")
    return app


def _bare_app(proxy_state: ProxyState) -> FastAPI:
    """An application without documentation endpoints, with error pages for people, in the reader's
    language."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(_ErrorPages)
    app.add_middleware(SpokenLanguage, offered=lambda: proxy_state.rules().office.languages)

    async def http_error(request: Request, problem: Exception) -> Response:
        """With the navigation, for whoever may use the other pages."""
        who = Visitor.of(request.scope)
        if who is None or who.newcomer:
            return _http_error(request, problem, None)
        roles = proxy_state.roles(who.name)
        around = shell(proxy_state.rules(), who, roles, request.url.path)
        return _http_error(request, problem, around._replace(languages=()))

    app.add_exception_handler(StarletteHTTPException, http_error)
    return app


def _serve(app: FastAPI, endpoints: dict[str, Endpoint]) -> None:
    for path, endpoint in endpoints.items():
        _route(app, path, endpoint, *_METHODS)


def _route(app: FastAPI, path: str, endpoint: Endpoint, *methods: str) -> None:
    """Starlette's own routes: FastAPI's look for the arguments of each endpoint, and read its
    source from the disk when it is asked for the first time, on the event loop."""
    route = Route(path, endpoint)
    route.methods = set(methods)  # no HEAD where it is not meant: a stream has no end
    app.router.routes.append(route)


def _http_error(request: Request, problem: Exception, around: Shell | None) -> Response:
    """Our own errors say what is wrong; the framework's only have a status."""
    status = problem.status_code if isinstance(problem, StarletteHTTPException) else 500
    detail = (
        str(problem.detail)
        if isinstance(problem, HTTPException)
        else _("Please check the address.")
    )
    title = _(_TITLES[status]) if status in _TITLES else _("That does not work here")
    if isinstance(problem, forms.Refusal):
        title = problem.title
    return pages.error(request, status, title, detail, around)
