"""Connections that are to end are closed, whatever they are waiting for.

A handler of mitmproxy takes one event of a client at a time. A connection that has read something
waits for its turn, and when it is cancelled in that moment (`closed by command`), its task ends
without closing the socket: the peer stays connected to nobody, and a client that uploads waits for
ever. The handler of each client gets its `handle_connection` replaced by one that finishes the
work.

A socket that is closed stays open until its last byte is sent, and a peer that reads nothing keeps
it for ever. When nothing has been sent for `STALLED` seconds, the rest is thrown away.

Internals of mitmproxy are used; `tests/proxy/layers/test_closing.py` pins them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import events

STALLED = 10.0  # seconds

type HandleConnection = Callable[[Connection], Awaitable[None]]


def close_reliably(handler: Any) -> None:
    """Have every connection of a `ConnectionHandler` closed when its task ends. Before its first
    connection is read."""
    original: HandleConnection = handler.handle_connection

    async def handle_connection(connection: Connection) -> None:
        writer = handler.transports[connection].writer
        try:
            await original(connection)
        except asyncio.CancelledError:
            if connection in handler.transports:
                await _finish(handler, connection)
            raise
        finally:
            if isinstance(writer, asyncio.StreamWriter):
                _abort_when_stalled(writer.transport)

    handler.handle_connection = handle_connection


async def _finish(handler: Any, connection: Connection) -> None:
    """What the handler does at the end of a connection, the socket first: what follows may be
    cancelled again."""
    connection.state = ConnectionState.CLOSED
    writer = handler.transports[connection].writer
    if writer is not None:
        writer.close()
    try:
        await handler.server_event(events.ConnectionClosed(connection))
    finally:
        handler.transports.pop(connection, None)


def _abort_when_stalled(transport: asyncio.WriteTransport, before: int | None = None) -> None:
    """Look again every `STALLED` seconds for as long as something is sent. `before`: bytes that
    were waiting then."""
    waiting = transport.get_write_buffer_size()
    if waiting == 0:
        return
    if waiting == before:
        transport.abort()
        return
    asyncio.get_running_loop().call_later(STALLED, _abort_when_stalled, transport, waiting)
