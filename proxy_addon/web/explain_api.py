"""`GET /api/explain?user=…&url=…`: what the running proxy would answer and why, from its live
state.

Only for commands on the same machine: it names a person. A connection from elsewhere is refused,
and so is one that a front proxy passes on, or that a page in a browser could make (a foreign Host,
or an Origin).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Protocol

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.rules import explanation
from proxy_addon.rules.explanation import Explanation

PATH = "/api/explain"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via", "origin")


class ExplainingState(Protocol):
    """What this endpoint needs of the proxy's state."""

    def rules(self) -> RuleSet:
        """The rules in force."""

    def explanation(self, user: str, url: str) -> Explanation:
        """What the answer would be now. Raises ValueError for what is not a name or not a URL."""


def explain(proxy_state: ExplainingState, user: str, url: str) -> dict[str, Any]:
    """The answer as `rules explain --json` prints it. Raises ValueError for what is not a name or
    not a URL."""
    return explanation.data(proxy_state.explanation(user, url), proxy_state.rules().zone)


def is_local(request: Request) -> bool:
    """True for a connection that a command on this machine made."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    return _is_loopback(request.client.host) and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def endpoints(proxy_state: ExplainingState) -> dict[str, Callable[[Request], Awaitable[Response]]]:
    """The path and its endpoint."""

    async def answer(request: Request) -> Response:
        if not is_local(request):
            raise HTTPException(403, "Only commands on the proxy's own machine may ask this.")
        user, url = request.query_params.get("user"), request.query_params.get("url")
        if not user or not url:
            raise HTTPException(400, "Ask with ?user=…&url=…")
        try:
            found = explain(proxy_state, user, url)
        except ValueError as error:
            return JSONResponse({"detail": str(error)}, 400, {"Cache-Control": "no-store"})
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    return {PATH: answer}
