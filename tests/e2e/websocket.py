"""A WebSocket client for tests that read and write in turn.

The client of `websockets` with threads reads and writes one TLS connection in two threads at once.
OpenSSL does not allow that, and now and then the handshake hangs. Here the client with asyncio does
the work, in one thread.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import connect

OPENS_WITHIN = 10.0  # seconds; the same for closing


class WebSocket:
    """An open connection to `url` over `sock`, a context manager; `tls` for `wss`.

    Raises:
        websockets.exceptions.InvalidStatus: the answer was no.
        TimeoutError: there was no answer.

    """

    def __init__(self, url: str, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="websocket client")
        self._thread.start()
        try:
            self._connection = self._wait(self._open(url, sock, tls), OPENS_WITHIN)
        except BaseException:
            self._stop()
            sock.close()
            raise

    def send(self, message: str) -> None:
        """Send one text message."""
        self._wait(self._connection.send(message), OPENS_WITHIN)

    def recv(self, timeout: float) -> str | bytes:
        """The next message; `ConnectionClosed` when there are no more, `TimeoutError` after so many
        seconds."""
        return self._wait(self._connection.recv(), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._wait(self._connection.close(), OPENS_WITHIN)
        finally:
            self._stop()

    @staticmethod
    async def _open(url: str, sock: socket.socket, tls: ssl.SSLContext | None) -> Any:
        sock.setblocking(False)
        return await connect(url, sock=sock, ssl=tls, proxy=None, ping_interval=None)

    def _wait(self, work: Coroutine[Any, Any, Any], timeout: float) -> Any:
        limited = asyncio.wait_for(work, timeout)
        return asyncio.run_coroutine_threadsafe(limited, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
