"""What pages shown through the proxy have to know: the person, the balance, the words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mitmproxy import http

from proxy_addon.core.types import Decision
from proxy_addon.proxy.desk import Desk
from proxy_addon.proxy.identity import Who
from proxy_addon.proxy.story import PageContext

type Scope = MutableMapping[str, Any]
type App = Callable[[Scope, Any, Any], Awaitable[None]]


def context(desk: Desk, who: Who | None, decision: Decision) -> PageContext:
    """The context of an answer to `who` (None when nobody could be told yet)."""
    rules, now = desk.enforcer.rules, desk.clock.now()
    person = desk.enforcer.person(who.name, who.roles) if who is not None else None
    balance = None
    if person is not None and decision.allowance is not None:
        balance = desk.enforcer.balance(person, decision.allowance, now)
    platform = rules.platforms.get(decision.platform or "")
    return PageContext(
        person=who.name if who is not None else None,
        roles=person.roles if person is not None else (),
        platform_title=platform.title if platform is not None else None,
        balance=balance,
        allowance=decision.allowance,
        zone=rules.zone,
        now=now,
    )


def for_person(app: App, flow: http.HTTPFlow) -> App:
    """The employee's application with the person that the proxy found out, never one that the client names."""
    person = {
        "name": flow.metadata["allowance_person"],
        "identified": flow.metadata["allowance_identified"],
        "address": flow.client_conn.peername[0],
        "reached": flow.client_conn.sockname[0],
    }

    async def served(scope: Scope, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), "allowance.person": person}
        fixed = {**scope, "scheme": str(scope["scheme"]).lower(), "extensions": extensions}
        await app(fixed, receive, send)

    return served
