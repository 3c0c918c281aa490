"""Chromium's DevTools protocol over its WebSocket, without a library that would pin hidden tabs
visible."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

ANSWER_SECONDS = 60.0


class DevToolsError(Exception):
    """The browser refused a command, or is gone."""


class DevTools:
    """One connection to a browser. Tabs are sessions on it. An async context manager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        # Messages are as large as a picture; a browser that is stopped answers no ping.
        self._socket: ClientConnection = await connect(self._url, max_size=None, ping_interval=None)
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._reader = self._group.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await self._group.__aexit__(None, None, None)
        await self._socket.close()

    async def send(
        self,
        method: str,
        session: str | None = None,
        seconds: float = ANSWER_SECONDS,
        **params: Any,
    ) -> dict[str, Any]:
        """The result of one command. Raises DevToolsError, also after `seconds`."""
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        message = {"id": number, "method": method, "params": params}
        try:
            await self._socket.send(
                json.dumps(message | ({"sessionId": session} if session else {}))
            )
            found = await asyncio.wait_for(answer, seconds)
        except TimeoutError:
            raise DevToolsError(f"{method}: no answer within {seconds:g} s") from None
        except ConnectionClosed:
            raise DevToolsError(f"{method}: the browser is gone") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in found:
            raise DevToolsError(f"{method}: {found['error'].get('message', found['error'])}")
        result: dict[str, Any] = found["result"]
        return result

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                message = json.loads(text)
                waiting = self._waiting.get(message.get("id", 0))
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
        except ConnectionClosed:
            pass
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(DevToolsError("the browser is gone"))
