"""The health pages of the web port: `/livez`, `/readyz`, `/statusz`.

Each has its own reader, and 503 is said only for what that reader can do something about. Whoever
restarts processes asks `/livez`: 503 while no event loop turns. A balancer asks `/readyz`: 503
while no new connection is accepted, or there are no rules. A ledger that is away is neither: people
are served from memory, and taking the proxy out would be the outage. People and programs that want
to know more read `/statusz`, which is always 200.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from proxy_addon.web import rendering as pages
from proxy_addon.web.device_pages import Endpoint
from proxy_addon.web.interface import ProxyState


def endpoints(proxy_state: ProxyState) -> dict[str, Endpoint]:
    """The pages by path. `/healthz` is another name of `/livez`."""

    async def alive(request: Request) -> Response:
        if proxy_state.health().alive:
            return pages.text("ok", "text/plain")
        return pages.text("no event loop turns", "text/plain", 503)

    async def ready(request: Request) -> Response:
        health = proxy_state.health()
        body = {
            "ready": health.ready,
            "checks": {name: part.text for name, part in health.checks.items()},
        }
        return pages.data(body, 200 if health.ready else 503)

    async def status(request: Request) -> Response:
        return pages.data(proxy_state.status())

    return {"/livez": alive, "/healthz": alive, "/readyz": ready, "/statusz": status}
