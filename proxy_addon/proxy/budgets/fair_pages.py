"""Our own pages, shared fairly: somebody who asks for page after page waits for their own, and is
refused in the end (429); everybody else gets theirs.

The application is the same on both ways, the light path and the engine, and so is this around it.
A stream without an end (`/me/events`) gives its turn back when it has begun.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any

from proxy_addon.presentation.languages import marked
from proxy_addon.proxy.budgets.fair_turns import FairTurns, QueueFull
from proxy_addon.proxy.responses import responses

PAGES = "pages"
RETRY_AFTER = 2  # seconds

type _Message = MutableMapping[str, Any]
type _Send = Callable[[_Message], Awaitable[None]]
type _App = Callable[..., Awaitable[None]]


class FairPages:
    """An ASGI application around another one."""

    def __init__(self, app: _App, note: Callable[[str, str], None]) -> None:
        """`note` counts what is refused: the budget, and the peer."""
        self._app = app
        self._note = note
        self._turns = FairTurns()

    async def __call__(self, scope: _Message, receive: Any, send: _Send) -> None:
        """Answer one request when it is its person's turn."""
        person = scope.get("extensions", {}).get("allowance.person")
        if person is None:
            await self._app(scope, receive, send)
            return
        async with AsyncExitStack() as turn:
            try:
                await turn.enter_async_context(self._turns.turn(person["name"]))
            except QueueFull:
                self._note(PAGES, "client")
                await _refuse(scope, send)
                return

            async def sent(message: _Message) -> None:
                await send(message)
                if message["type"] == "http.response.start" and _is_stream(message):
                    await turn.aclose()

            await self._app(scope, receive, sent)


def _is_stream(message: _Message) -> bool:
    kinds = [value for name, value in message.get("headers", ()) if name == b"content-type"]
    return any(kind.startswith(b"text/event-stream") for kind in kinds)


async def _refuse(scope: _Message, send: _Send) -> None:
    fields = dict(scope["headers"])
    answer = responses.refused(
        429,
        marked("Too many pages at once"),
        marked("This page was asked for more often than we can answer. Please try again soon."),
        languages=fields.get(b"accept-language", b"").decode("latin-1") or None,
    )
    headers = [(k.lower().encode(), v.encode("latin-1", "replace")) for k, v in answer.headers]
    headers.append((b"retry-after", b"%d" % RETRY_AFTER))
    if all(name != b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
