"""Connections that are told to end while they wait for their turn are closed all the same.

A handler of mitmproxy takes one event of a client at a time. A connection that has read something waits for its turn,
and when it is cancelled in that moment (`closed by command`), its task ends without closing the socket: the peer stays
connected to nobody, and a client that uploads waits for ever. The handler of each client gets its `handle_connection`
replaced by one that finishes the work. Internals of mitmproxy are used; `tests/proxy/layers/test_closing.py` pins them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import events

type HandleConnection = Callable[[Connection], Awaitable[None]]


def close_reliably(handler: Any) -> None:
    """Have every connection of a `ConnectionHandler` closed when its task ends. Before its first connection is read."""
    original: HandleConnection = handler.handle_connection

    async def handle_connection(connection: Connection) -> None:
        try:
            await original(connection)
        except asyncio.CancelledError:
            if connection in handler.transports:
                await _finish(handler, connection)
            raise

    handler.handle_connection = handle_connection


async def _finish(handler: Any, connection: Connection) -> None:
    """What the handler does at the end of a connection, the socket first: what follows may be cancelled again."""
    connection.state = ConnectionState.CLOSED
    writer = handler.transports[connection].writer
    if writer is not None:
        writer.close()
    try:
        await handler.server_event(events.ConnectionClosed(connection))
    finally:
        handler.transports.pop(connection, None)
