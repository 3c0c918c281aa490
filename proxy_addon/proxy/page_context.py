"""What pages shown through the proxy need: the person, the balance, the platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

import structlog
from mitmproxy import http

from proxy_addon.core.types import Decision, Person, Reason, Target, Verdict
from proxy_addon.identity.identification import Identity
from proxy_addon.proxy.responses.messages import BY_RULES, PageContext
from proxy_addon.proxy.responses.responses import RequestInfo, is_top_level
from proxy_addon.proxy.services import Services
from proxy_addon.system.clock import timer

log = structlog.get_logger("allowance.proxy")

_LOG_INTERVAL = 60.0  # seconds
_logged: dict[str, float] = {}  # when a failure was logged last

type Scope = MutableMapping[str, Any]
type App = Callable[[Scope, Any, Any], Awaitable[None]]


def context(
    services: Services,
    who: Identity | None,
    decision: Decision,
    ask: RequestInfo | None = None,
) -> PageContext:
    """The context of an answer to `who` (None when the person is not known yet). `ask`: the request
    that it answers, where a link may lead back to it."""
    bare = context_without_balance(services, who, decision)
    if who is None:
        return bare
    person = services.enforcer.person(who.name, who.roles, bare.now)
    bare = bare._replace(roles=person.roles)
    if decision.allowance is not None:
        balance = services.enforcer.balance(person, decision.allowance, bare.now)
        bare = bare._replace(balance=balance)
    return _with_outlook(services, person, decision, ask, bare)


def _with_outlook(
    services: Services,
    person: Person,
    decision: Decision,
    ask: RequestInfo | None,
    bare: PageContext,
) -> PageContext:
    """What comes next, and the way back. Whatever fails here takes nothing but these from the
    answer."""
    if decision.platform is None:
        return bare
    engine, ahead, now = services.enforcer.engine, services.enforcer.next_openings, bare.now
    target = Target(decision.platform, decision.section)
    try:
        if decision.verdict is Verdict.SPEND:
            bare = bare._replace(opening=ahead.free(engine, person, target, now))
        elif decision.reason in BY_RULES:
            opening = ahead.next(engine, person, target, now)
            bare = bare._replace(opening=opening, looked_ahead=True)
        if decision.reason is Reason.EXHAUSTED and decision.allowance is not None:
            bare = bare._replace(urgent=ahead.urgent(engine, person, decision.allowance, now))
        if ask is not None and services.way_back is not None and _can_be_repeated(ask):
            bare = bare._replace(back=services.way_back.seal(ask.url, person.name, now))
    except Exception:
        _note(services)
    return bare


def _note(services: Services) -> None:
    """Count an exception that is being handled, and log it at most once a minute."""
    services.metrics.failed("outlook")
    now = timer()
    if now - _logged.get("outlook", -_LOG_INTERVAL) >= _LOG_INTERVAL:
        _logged["outlook"] = now
        log.exception("our own code failed", where="outlook")


def _can_be_repeated(ask: RequestInfo) -> bool:
    """Whether a link may lead to what was asked for."""
    return ask.method.upper() == "GET" and is_top_level(ask)


def context_without_balance(
    services: Services, who: Identity | None, decision: Decision
) -> PageContext:
    """The same without roles and balance, for when they cannot be read."""
    rules = services.enforcer.rules
    platform = rules.platforms.get(decision.platform or "")
    return PageContext(
        person=who.name if who is not None else None,
        roles=(),
        platform_title=platform.title if platform is not None else None,
        balance=None,
        allowance=decision.allowance,
        request_more=who is not None,
        zone=rules.zone,
        now=services.clock.now(),
        rules=rules,
    )


def for_person(app: App, flow: http.HTTPFlow) -> App:
    """The employee's application with the person that the proxy identified, never one that the
    client names.

    mitmproxy quotes the path once more than the client did, and unquotes the query before it is
    split: both are put right here.
    """
    person = {
        "name": flow.metadata["allowance_person"],
        "identified": flow.metadata["allowance_identified"],
        "address": flow.client_conn.peername[0],
        "reached": flow.client_conn.sockname[0],
        "port": flow.client_conn.sockname[1],
        "signed_in": flow.metadata["allowance_signed_in"],
        "newcomer": flow.metadata.get("allowance_newcomer", False),
        "direct": "allowance_direct" in flow.metadata,
    }
    path, _, query = flow.request.data.path.partition(b"?")

    async def served(scope: Scope, receive: Any, send: Any) -> None:
        fixed = {
            **scope,
            "scheme": str(scope["scheme"]).lower(),
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "extensions": {"allowance.person": person},
        }
        await app(fixed, receive, send)

    return served
