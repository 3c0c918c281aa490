"""A person's way to the proxy: from a loopback address of their own, by which the proxy knows
them."""

from __future__ import annotations

import asyncio
from typing import Self

CHUNK = 65_536


class Relay:
    """Listens on a port of 127.0.0.1 and passes bytes on to `proxy_port`, from `address`. An async
    context manager."""

    def __init__(self, address: str, proxy_port: int) -> None:
        self._address, self._proxy_port = address, proxy_port
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._server.close_clients()
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward, proxy = await asyncio.open_connection(
                "127.0.0.1", self._proxy_port, local_addr=(self._address, 0)
            )
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass(reader, proxy), _pass(onward, writer))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
