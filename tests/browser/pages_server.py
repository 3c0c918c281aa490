"""A proxy on loopback that answers every request with one ASGI application, whatever the host: the
browser shows the address that people see, and the origin is the one that our forms check.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from proxy_addon.config.parsers import HostPort
from proxy_addon.web.balance_events import CAPABILITY
from proxy_addon.web.server import WebServer
from tests.e2e.waiting import free_port

SITE = "http://allowance.internal"


class PagesServer:
    """`app` may be exchanged between two pages. A context manager."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.port = free_port()
        self._server = WebServer(self, HostPort("127.0.0.1", self.port))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request to a proxy, `GET http://host/path`, as one to a site."""
        if self.app is None or scope.get("method") == "CONNECT":
            # What a browser asks its makers for by itself.
            await Response(status_code=502)(scope, receive, send)
            return
        if scope["type"] == "http" and "://" in scope["path"]:
            path = urlsplit(scope["path"]).path or "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        extensions = {**scope.get("extensions", {}), CAPABILITY: _stream_begins}
        await self.app({**scope, "extensions": extensions}, receive, send)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()


def _stream_begins(end: Callable[[], None]) -> Callable[[], None]:
    """Streams are passed on as they are written, and end when their client leaves."""
    return lambda: None
