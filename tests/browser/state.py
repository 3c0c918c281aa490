"""What a page is shown with: the application that serves it, and a form that was sent to it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from proxy_addon.web.forms import TYPE
from tests.web.admin_setup import SAME


class State(NamedTuple):
    """A page: the application that serves it, its path, the status that it is answered with."""

    app: ASGIApp
    path: str = "/"
    status: int = 200


class Form:
    """An application where opening `path` sends a form there, with these fields."""

    def __init__(self, app: ASGIApp, path: str, fields: dict[str, str]) -> None:
        self._app, self._path, self._body = app, path, urlencode(fields).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != self._path or scope["query_string"]:  # where the form leads to
            await self._app(scope, receive, send)
            return
        headers = {**SAME, "Host": "allowance.internal", "Content-Type": TYPE}
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        parts = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive_form() -> Message:
            return parts.pop() if parts else await receive()

        await self._app({**scope, "method": "POST", "headers": pairs}, receive_form, send)
