"""`/me/events`: what a person has left, sent again whenever it changes (server-sent events).

* `event: balance` with the allowances of `/me.json`: at once, and at each change, at most one a
  second. Somebody's usage, a grant and other rules are seen by a mark that is cheap to compare;
  what time alone changes is looked for every five seconds.
* A comment every 15 seconds, so that nobody on the way takes the connection for dead.
* `event: full`, and the end, for the oldest of a person's streams when they open too many: their
  page asks now and then instead.

A stream needs a connection that passes on what is written at once: the light path says so in the
ASGI scope. Elsewhere the answer is 501.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.usage_statement import allowance_line
from proxy_addon.web import forms
from proxy_addon.web.interface import ProxyState
from proxy_addon.web.rendering import PRIVATE
from proxy_addon.web.visitor import visitor

PATH: Final = "/me/events"
CAPABILITY: Final = "allowance.streams"  # in the extensions of the ASGI scope
MOST_STREAMS: Final = 10  # of one person
LOOK_SECONDS: Final = 1.0  # between two looks at what has changed
AGAIN_SECONDS: Final = 5.0  # after this long also what only time has changed
COMMENT_SECONDS: Final = 15.0
RETRY_MILLISECONDS: Final = 3_000  # how long a browser waits before it connects again


class _Stream:
    """One open answer. `text`: what it has to show."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ended = self.full = False
        self.wake = asyncio.Event()

    def show(self, text: str) -> None:
        """Send this, unless it was the last that was sent."""
        self.text = text
        self.wake.set()

    def end(self) -> None:
        """Come to an end."""
        self.ended = True
        self.wake.set()


class _Watched:
    """A person whose page is open. `mark`: on what `text` rests; `at`: when it was made."""

    def __init__(self) -> None:
        self.streams: list[_Stream] = []
        self.mark: object = None
        self.text = ""
        self.at = 0.0


class BalanceEvents:
    """All streams of one event loop."""

    def __init__(self, proxy_state: ProxyState) -> None:
        self._proxy_state = proxy_state
        self._watched: dict[str, _Watched] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return sum(len(watched.streams) for watched in self._watched.values())

    async def endpoint(self, request: Request) -> Response:
        """The endpoint. Raises Refusal (501) where answers are not passed on as they are
        written."""
        person = visitor(request).name
        begins = request.scope["extensions"].get(CAPABILITY)
        if begins is None:
            raise forms.Refusal(
                501,
                _("Changes cannot be sent here"),
                _("This connection goes another way. Ask for /me.json now and then instead."),
            )
        return _EventStream(self, person, self._text(person), begins)

    def open(self, person: str, text: str) -> _Stream:
        """A stream begins; the oldest ends when there are too many."""
        stream = _Stream(text)
        watched = self._watched.setdefault(person, _Watched())
        for other in watched.streams:
            other.show(text)
        watched.streams.append(stream)
        watched.text = text
        for oldest in watched.streams[:-MOST_STREAMS]:
            oldest.full = True
            oldest.end()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
        return stream

    def close(self, person: str, stream: _Stream) -> None:
        """A stream is over."""
        watched = self._watched.get(person)
        if watched is None or stream not in watched.streams:
            return
        watched.streams.remove(stream)
        if not watched.streams:
            del self._watched[person]
        if not self._watched and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LOOK_SECONDS, self._look)
        now = loop.time()
        for person, watched in list(self._watched.items()):
            try:
                self._look_at(person, watched, now)
            except Exception:  # whoever connects again is told, and it is logged then
                for stream in list(watched.streams):
                    stream.end()

    def _look_at(self, person: str, watched: _Watched, now: float) -> None:
        mark = self._proxy_state.usage_mark(person)
        if mark == watched.mark and now - watched.at < AGAIN_SECONDS:
            return
        watched.mark, watched.at = mark, now
        text = self._text(person)
        if text != watched.text:
            watched.text = text
            for stream in watched.streams:
                stream.show(text)

    def _text(self, person: str) -> str:
        """What a person has left, as JSON in one line."""
        zone = self._proxy_state.rules().zone
        lines = {
            balance.allowance: allowance_line(balance, zone)
            for balance in self._proxy_state.balances(person)
        }
        return json.dumps({"allowances": lines}, separators=(",", ":"))


class _EventStream(Response):
    """The answer. It goes on until its client leaves, or somebody ends it."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: BalanceEvents,
        person: str,
        text: str,
        begins: Callable[[Callable[[], None]], Callable[[], None]],
    ) -> None:
        """`begins` is told how to end this, and returns what to call when it is over."""
        super().__init__(headers=PRIVATE)
        del self.headers["content-length"]
        self._events = events
        self._person = person
        self._text = text
        self._begins = begins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._events.open(self._person, self._text)
        over = self._begins(stream.end)
        leaving = asyncio.get_running_loop().create_task(_leave(receive, stream))
        try:
            await self._send_all(stream, send)
        finally:
            leaving.cancel()
            over()
            self._events.close(self._person, stream)

    async def _send_all(self, stream: _Stream, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        await send(_part(f"retry: {RETRY_MILLISECONDS}\n\n{_event('balance', stream.text)}"))
        sent = stream.text
        while not stream.ended:
            try:
                async with asyncio.timeout(COMMENT_SECONDS):
                    await stream.wake.wait()
            except TimeoutError:
                await send(_part(": nothing new\n\n"))
                continue
            stream.wake.clear()
            if stream.text != sent:
                sent = stream.text
                await send(_part(_event("balance", sent)))
        last = _event("full", str(MOST_STREAMS)) if stream.full else ""
        await send(_part(last) | {"more_body": False})


async def _leave(receive: Receive, stream: _Stream) -> None:
    """Wait until the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


def _part(text: str) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}
