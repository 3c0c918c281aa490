"""`POST /api/reload`: read the rules folder now, and return the outcome. Only for commands on the
same machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response

from proxy_addon.rules.active import Outcome
from proxy_addon.system.health import FINE
from proxy_addon.web.explain_api import is_local
from proxy_addon.web.interface import Health

PATH = "/api/reload"
BROKEN = 422  # the status when the rules have problems and the old ones stay in force


class ReloadingState(Protocol):
    """What this endpoint needs of the proxy's state."""

    def reload(self) -> Outcome:
        """Read the rules folder and put its rules into force. Blocks."""

    def health(self) -> Health:
        """Whether the proxy works, part by part."""


def endpoint(proxy_state: ReloadingState) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint.

    `{"ok", "changed", "digest", "problems": [line, …], "warnings": [line, …]}`, with status 200, or
    422 when there are problems. Warnings are what only a running proxy knows.
    """

    async def answer(request: Request) -> Response:
        if not is_local(request):
            raise HTTPException(403, "Only commands on the proxy's own machine may ask this.")
        outcome = await asyncio.to_thread(proxy_state.reload)
        part = proxy_state.health().checks.get("rules", FINE)
        body = {
            "ok": outcome.ok,
            "changed": outcome.changed,
            "digest": outcome.digest,
            "problems": list(outcome.problems),
            "warnings": [part.detail] if outcome.ok and not part.ok else [],
        }
        return JSONResponse(body, 200 if outcome.ok else BROKEN, {"Cache-Control": "no-store"})

    return answer
