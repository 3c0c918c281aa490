"""`proxy_addon/relay/open_connections.py`, on real connections of a loop."""

from __future__ import annotations

import asyncio
import gc

from proxy_addon.relay.open_connections import OpenConnections

MOST = 3


async def _connected(number: int) -> tuple[asyncio.Server, list[asyncio.Transport]]:
    """A server, and so many transports of its clients."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = [
        await loop.create_connection(asyncio.Protocol, "127.0.0.1", port) for _ in range(number)
    ]
    return server, [transport for transport, _ in made]


def test_each_address_has_a_number() -> None:
    """The one beyond it is refused; that of another address is not; one that has closed makes
    room."""

    async def check() -> None:
        server, transports = await _connected(6)
        counts = OpenConnections()
        assert [counts.admits("a", each, MOST) for each in transports[:4]] == [True] * 3 + [False]
        assert counts.admits("b", transports[4], MOST)
        transports[0].close()
        assert counts.admits("a", transports[5], MOST)
        assert counts.count("a") == MOST and counts.count("c") == 0
        for each in transports:
            each.abort()
        server.close()

    asyncio.run(check())


def test_nothing_is_kept() -> None:
    """Addresses that have no connection any more are forgotten."""

    async def check() -> None:
        server, transports = await _connected(2)
        counts = OpenConnections()
        for number, each in enumerate(transports):
            counts.admits(str(number), each, MOST)
            each.abort()
        server.close()
        del each
        transports.clear()
        await asyncio.sleep(0.05)
        gc.collect()
        counts.sweep()
        assert not counts._open

    asyncio.run(check())
