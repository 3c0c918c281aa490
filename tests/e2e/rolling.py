"""Clients that are at work while workers are replaced: new connections, and connections that stay
open; what goes wrong for them is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

PAGE = "http://allowance.internal/proxy.pac"  # answered on the light path
SITE = "http://work.example/"  # answered by the engine


@dataclass
class Load:
    """Clients of one proxy. `prefix`: a header of the PROXY protocol, before everything else."""

    port: int
    prefix: bytes = b""
    pause: float = 0.01  # seconds between two requests of one client
    done: bool = False
    answers: Counter[str] = field(default_factory=Counter)
    closes: Counter[str] = field(default_factory=Counter)  # answers that announced the end
    failures: list[str] = field(default_factory=list)

    async def new_connections(self, kind: str, address: str, source: str) -> None:
        """Each request on a connection of its own: none may be refused or reset."""
        while not self.done:
            try:
                reader, writer = await self._connect(source)
                try:
                    await self._ask(reader, writer, address, kind)
                finally:
                    await _closed(writer)
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.failures.append(f"{kind}: {error!r}")
            await asyncio.sleep(self.pause)

    async def kept_connection(self, kind: str, address: str, source: str) -> None:
        """One connection as long as the proxy keeps it, like a browser: opened again once an answer
        says that it ends, or it has ended before a request."""
        connection = None
        while not self.done:
            if connection is not None and connection[0].at_eof():
                await _closed(connection[1])
                connection = None
            if connection is None:
                connection = await self._connect(source)
            try:
                if await self._ask(*connection, address, kind):
                    await _closed(connection[1])
                    connection = None
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.failures.append(f"{kind}: {error!r}")
                await _closed(connection[1])
                connection = None
            await asyncio.sleep(self.pause)
        if connection is not None:
            await _closed(connection[1])

    async def _connect(self, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0)
        )
        writer.write(self.prefix)
        return reader, writer

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, kind: str
    ) -> bool:
        """One request and its whole answer; whether the connection ends with it."""
        host = address.split("/")[2]
        writer.write(f"GET {address} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        async with asyncio.timeout(30):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
        if b" 200 " not in head.split(b"\r\n")[0]:
            self.failures.append(f"{kind}: {head[:60]!r}")
        self.answers[kind] += 1
        ends = b"\r\nconnection: close" in head
        self.closes[kind] += ends
        return ends


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and wait until it is."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
