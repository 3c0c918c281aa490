"""What pages shown through the proxy need: the person, the balance, the platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from mitmproxy import http

from proxy_addon.core.types import Decision
from proxy_addon.identity.identification import Identity
from proxy_addon.proxy.responses.messages import PageContext
from proxy_addon.proxy.services import Services

type Scope = MutableMapping[str, Any]
type App = Callable[[Scope, Any, Any], Awaitable[None]]


def context(services: Services, who: Identity | None, decision: Decision) -> PageContext:
    """The context of an answer to `who` (None when the person is not known yet)."""
    bare = context_without_balance(services, who, decision)
    if who is None:
        return bare
    person = services.enforcer.person(who.name, who.roles, bare.now)
    bare = bare._replace(roles=person.roles)
    if decision.allowance is None:
        return bare
    return bare._replace(balance=services.enforcer.balance(person, decision.allowance, bare.now))


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
