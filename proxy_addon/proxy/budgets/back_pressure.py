"""Who sends waits for whom it is sent to: what a client and its sites send each other is read no
faster than the other side takes it.

* A connection is not read while what came from it waits in the buffer of a socket. Of several
  streams in an HTTP/2 connection of a client each has its own site, so there one site that does not
  read must not keep the others waiting: the client's windows are left closed instead.
* A site's HTTP/1.1 connection is not read while more than `HELD_BYTES` of its answer wait for the
  window of the client's stream, and an HTTP/1.1 client is not while so much of what it uploads or
  has asked for already waits.
* HTTP/2 streams are not acknowledged while more than `HELD_BYTES` wait (`flow_control.py`).

Layers and the handler of a client's connections (`event_handler.py`) meet in its `BackPressure`.
`tests/proxy/budgets/test_back_pressure.py` pins what is used of mitmproxy's internals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

from mitmproxy.connection import Client, Connection
from mitmproxy.proxy import commands
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.layers.http._events import RequestData, ResponseData
from mitmproxy.proxy.layers.http._http2 import Http2Client

from proxy_addon.proxy.budgets.flow_control import FlowControlled

HELD_BYTES = 131_072


class HttpSide(Protocol):
    """A layer that speaks HTTP on a connection."""

    conn: Connection
    context: Any

    def is_full(self) -> bool:
        """Whether no more may be read from its connection."""


class RoomWanted(commands.RequestWakeup):
    """Wakes a layer when `is_full` says no."""

    def __init__(self, is_full: Callable[[], bool]) -> None:
        super().__init__(0.0)
        self.is_full = is_full


class BackPressure:
    """Of one client's connections. Event loop only."""

    def __init__(self) -> None:
        self._sides: WeakValueDictionary[str, HttpSide] = WeakValueDictionary()
        self._waiting: list[asyncio.Future[None]] = []
        self._handler: Callable[[], Any] = lambda: None

    def serves(self, handler: Any) -> None:
        """The handler of the client's connections. (A weak reference: it holds the client, which is
        the key of a weak dictionary of these.)"""
        self._handler = ref(handler)

    def speaks(self, side: HttpSide) -> None:
        """From now on this is the layer of its connection."""
        self._sides[side.conn.id] = side

    def side(self, connection: Connection) -> HttpSide | None:
        """The layer that speaks HTTP on a connection."""
        return self._sides.get(connection.id)

    def is_full(self, connection: Connection) -> bool:
        """Whether no more may be read from a connection. (One through another proxy is known by
        the name of the site in it: then all are asked.)"""
        side = self.side(connection)
        if side is not None:
            return side.is_full()
        if isinstance(connection, Client):
            return False
        sites = [each for each in self._sides.values() if not isinstance(each.conn, Client)]
        return any(each.is_full() for each in sites)

    def unsent(self, connection: Connection) -> int:
        """Bytes that wait in the buffer of the socket; of one through another proxy, the most of
        any site."""
        handler = self._handler()
        if handler is None:
            return 0
        found = handler.transports.get(connection)
        others = [each for key, each in handler.transports.items() if key is not handler.client]
        return max(map(unsent, others if found is None else [found]), default=0)

    # -- waiting

    def changed(self) -> None:
        """An event was handled: there may be room."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                if not each.done():
                    each.set_result(None)

    async def change(self) -> None:
        """Wait for the next event."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


def unsent(opened: Any) -> int:
    """Bytes that wait in the buffer of a connection of mitmproxy's handler."""
    transport = getattr(opened.writer, "transport", None)
    return 0 if transport is None else int(transport.get_write_buffer_size())


def for_client(side: HttpSide, stream_id: int) -> int:
    """Bytes of an answer that wait for the client. `stream_id`: as the client has it."""
    http = _http(side)
    if http is None:
        return 0
    size = _held(http.streams.get(stream_id), ResponseData)
    client = http.connections.get(side.context.client)
    return size + _in_windows(client, stream_id)


def for_site(side: HttpSide, stream_id: int) -> int:
    """Bytes of a request that wait for the site."""
    http = _http(side)
    stream = None if http is None else http.streams.get(stream_id)
    if stream is None:
        return 0
    size = _held(stream, RequestData)
    pressure = back_pressure_of(side.context.client)
    site: Any = pressure.side(stream.context.server)
    if isinstance(site, Http2Client):
        ours = site.our_stream_id.get(stream_id)
        if ours is not None:
            return size + _in_windows(site, ours)
        return size + _sizes(site.stream_queue.get(stream_id, ()), RequestData)
    return size if site is None else size + pressure.unsent(site.conn)


def _http(side: HttpSide) -> HttpLayer | None:
    return next(
        (each for each in reversed(side.context.layers) if isinstance(each, HttpLayer)), None
    )


def _held(stream: Any, kind: type[RequestData | ResponseData]) -> int:
    """Bytes of a body for which a stream has no time: it waits for a connection or a hook."""
    waits = stream is not None and stream._paused
    return _sizes(stream._paused_event_queue, kind) if waits else 0


def _sizes(waiting: Iterable[Any], kind: type[RequestData | ResponseData]) -> int:
    return sum(len(each.data) for each in waiting if type(each) is kind)


def _in_windows(side: Any, stream_id: int) -> int:
    found = getattr(side, "h2_conn", None)
    return found.waiting(stream_id) if isinstance(found, FlowControlled) else 0


_FOUND: WeakKeyDictionary[Client, BackPressure] = WeakKeyDictionary()


def back_pressure_of(client: Client) -> BackPressure:
    """That of a client's connection, in whatever layer it is asked for."""
    found = _FOUND.get(client)
    if found is None:
        found = _FOUND[client] = BackPressure()
    return found
