"""Connections that are to end are closed, whatever they are waiting for.

A handler of mitmproxy takes one event of a client at a time. A connection that has read something
waits for its turn, and when it is cancelled in that moment (`closed by command`), its task ends
without closing the socket: the peer stays connected to nobody, and a client that uploads waits for
ever. The same happens to a connection to a site that has just been opened and waits to report it.
The handler of each client gets its `handle_connection` and `open_connection` replaced by ones that
finish the work.

A socket that is closed stays open until its last byte is sent, and a peer that reads nothing keeps
it for ever. When nothing has been sent for `STALLED` seconds, the rest is thrown away.

Internals of mitmproxy are used; `tests/proxy/layers/test_closing.py` pins them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import commands, events, server_hooks

from proxy_addon.proxy.layers.reset_connections import read_to_the_end

STALLED = 10.0  # seconds

type HandleConnection = Callable[[Connection], Awaitable[None]]
type OpenConnection = Callable[[commands.OpenConnection], Awaitable[None]]


def close_reliably(handler: Any, on_failure: Callable[[], None]) -> None:
    """Have every connection of a `ConnectionHandler` closed when its task ends. Before its first
    connection is read. `on_failure`: called while an exception is handled that the handler does not
    expect."""
    original: HandleConnection = handler.handle_connection
    original_open: OpenConnection = handler.open_connection

    async def handle_connection(connection: Connection) -> None:
        opened = handler.transports[connection]
        writer = opened.writer
        if connection is not handler.client and isinstance(writer, asyncio.StreamWriter):
            read_to_the_end(opened.reader, writer.transport)
        try:
            await original(connection)
        except asyncio.CancelledError:
            if connection in handler.transports:
                await _finish(handler, connection)
            raise
        finally:
            if isinstance(writer, asyncio.StreamWriter):
                _abort_when_stalled(writer.transport)

    async def open_connection(command: commands.OpenConnection) -> None:
        try:
            await original_open(command)
        except asyncio.CancelledError:
            opened = handler.transports.get(command.connection)
            if opened is not None and opened.writer is not None:
                await _give_up(handler, command)
            raise
        except Exception:
            on_failure()
            await _failed(handler, command)

    handler.handle_connection = handle_connection
    handler.open_connection = open_connection


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


async def _give_up(handler: Any, command: commands.OpenConnection) -> None:
    """What the handler does when a connection cannot be opened: nobody knows of this one yet."""
    connection = command.connection
    connection.state, connection.error = ConnectionState.CLOSED, "connection cancelled"
    handler.transports.pop(connection).writer.close()
    try:
        await handler.server_event(events.OpenConnectionCompleted(command, connection.error))
    finally:
        data = server_hooks.ServerConnectionHookData(client=handler.client, server=connection)
        await handler.handle_hook(server_hooks.ServerDisconnectedHook(data))


async def _failed(handler: Any, command: commands.OpenConnection) -> None:
    """An exception that the handler does not expect, for example of a name that cannot be looked
    up. Whoever waits for the connection is told."""
    connection = command.connection
    is_known = connection.state is not ConnectionState.CLOSED
    connection.state, connection.error = ConnectionState.CLOSED, "it cannot be connected to"
    opened = handler.transports.pop(connection, None)
    if opened is not None and opened.writer is not None:
        opened.writer.close()
    if is_known:
        await handler.server_event(events.ConnectionClosed(connection))
    else:
        await handler.server_event(events.OpenConnectionCompleted(command, connection.error))


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
