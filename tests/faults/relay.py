"""A TCP relay between the proxy and its database: passes on, delays, swallows, or cuts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Relay:
    """Listens on `port` for `to`, which may change for new connections. `mode`: pass, slow (each
    piece is `delay` seconds late), drop (connections stay and nothing comes through, what was sent
    meanwhile is gone) or cut (no connection stands)."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.mode, self.delay = "pass", 30.0
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        self._listener, self.port = listener, int(listener.getsockname()[1])
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.mode = "cut"
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def set(self, mode: str, delay: float = 30.0) -> None:
        """Change what happens from now on. What was dropped leaves a stream that makes no sense: it
        is cut when the relay passes on again, as a router does that has forgotten it."""
        cuts = mode == "cut" or (self.mode == "drop" and mode == "pass")
        self.mode, self.delay = mode, delay
        if cuts:
            asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        listening = asyncio.start_server(self._connected, sock=self._listener)
        server = self._loop.run_until_complete(listening)
        self._loop.run_forever()
        server.close()
        self._loop.close()

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _close(self) -> None:
        await self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "cut":
            writer.transport.abort()
            return
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
            pair = {writer, back}
            self._open |= pair
            try:
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            finally:
                self._open -= pair
                for each in pair:
                    each.transport.abort()
            return
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.mode == "slow":
                    await asyncio.sleep(self.delay)
                if self.mode != "drop":
                    writer.write(data)
                    await writer.drain()
        if not writer.transport.is_closing():
            writer.transport.abort()
