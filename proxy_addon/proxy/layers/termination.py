"""Ends running exchanges. Internals of mitmproxy are used; `tests/proxy/layers/test_termination.py`
pins them.

mitmproxy has no public way to end a body before its end: `kill` waits for the end of the answer. So
every HTTP layer of ours, towards the proxy's client and inside an opened tunnel, is a
`TerminableHttp`, which understands one more event, `Cut`:

* an answer that has not begun is replaced by the page that says why;
* a body is ended by resetting its stream: other HTTP/2 streams go on, an HTTP/1.1 connection is
  closed, and the connection to the site is closed or its stream reset, so that nothing goes on
  unnoticed;
* a WebSocket is closed with code 1008 on both sides.

While this process drains, `Drain` has clients of HTTP/2 open no more streams (GOAWAY; what they
have opened or just sent is answered), and at the end closes WebSockets with code 1001.

A tunnel that we only relay ends with the connection to the client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import wsproto.events
from hyperframe.frame import GoAwayFrame
from mitmproxy import connection, http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http import HTTPMode, HttpStream
from mitmproxy.proxy.layers.http._events import ErrorCode, RequestProtocolError, ResponseData
from mitmproxy.proxy.layers.http._http2 import Http2Server
from mitmproxy.proxy.layers.websocket import WebsocketLayer
from mitmproxy.utils import asyncio_utils

from proxy_addon.proxy.layers.bounded_stream import BoundedStream
from proxy_addon.proxy.layers.client_http2 import client_layer
from proxy_addon.proxy.layers.client_side import ExchangeEnded
from proxy_addon.proxy.layers.closing import close_reliably
from proxy_addon.proxy.layers.repeated_handshake import RepeatingHttp
from proxy_addon.proxy.responses import responses
from proxy_addon.system.descriptors import has_unread

REASON = "time is up"
POLICY_VIOLATION = 1008
GOING_AWAY = 1001
# No number of a stream is the last one yet: what a client has sent meanwhile is answered.
_GOAWAY = GoAwayFrame(0, last_stream_id=2**31 - 1, error_code=0).serialize()


@dataclass
class Cut(events.Event):
    """End the exchange of this flow, wherever in the layers of a connection it is. `answer`: for a
    client to which nothing has been sent yet."""

    flow: http.HTTPFlow
    answer: responses.Answer | None = None


@dataclass
class Drain(events.Event):
    """This process accepts no more connections. `ends`: what still runs is about to be ended."""

    ends: bool


@dataclass
class Leave(events.Event):
    """Nothing is asked on this connection any more: end it."""


class TerminableHttp(RepeatingHttp):
    """mitmproxy's HTTP layer; its exchanges can be ended one by one."""

    def __init__(self, ctx: context.Context, mode: HTTPMode = HTTPMode.transparent) -> None:
        super().__init__(ctx, mode)
        self._is_draining = False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, Cut):
            return self._cut(event)
        if isinstance(event, Drain):
            return self._drain(event)
        if isinstance(event, Leave):
            return self._leave(event)
        if isinstance(event, events.Start):
            self.connections.setdefault(self.context.client, client_layer(self.context))
        handled: layer.CommandGenerator[None] = super()._handle_event(event)
        return handled

    def make_stream(self, stream_id: int) -> layer.CommandGenerator[None]:
        """As mitmproxy's, with our stream."""
        stream = self.streams[stream_id] = BoundedStream(self.context.fork(), stream_id)
        yield from self.event_to_child(stream, events.Start())

    def _cut(self, event: Cut) -> layer.CommandGenerator[None]:
        for stream in list(self.streams.values()):
            flow = getattr(stream, "flow", None)
            if flow is event.flow:
                yield from self._end(stream, event.answer)
            elif (
                flow is not None and flow.request.method == "CONNECT"
            ):  # it may run inside this tunnel
                yield from self.event_to_child(stream, event)

    def _drain(self, event: Drain) -> layer.CommandGenerator[None]:
        client = self.context.client
        if not self._is_draining and isinstance(self.connections.get(client), Http2Server):
            yield commands.SendData(client, _GOAWAY)
        self._is_draining = True
        for stream in list(self.streams.values()):
            if isinstance(stream.child_layer, WebsocketLayer):
                if event.ends:
                    yield from self._end_websocket(stream, stream.child_layer, GOING_AWAY, "")
            elif self._has_http_inside(stream):
                yield from self.event_to_child(stream, event)

    def _leave(self, event: Leave) -> layer.CommandGenerator[None]:
        """A client of HTTP/2 is told which of its streams was the last that came here, so that it
        can ask for a later one again (RFC 9113, 6.8)."""
        inside = [each for each in self.streams.values() if self._has_http_inside(each)]
        if inside:
            yield from self.event_to_child(inside[0], event)
            return
        side = self.connections.get(self.context.client)
        if isinstance(side, Http2Server):
            side.h2_conn.close_connection()
            yield commands.SendData(self.context.client, side.h2_conn.data_to_send())
        yield commands.CloseConnection(self.context.client)

    def _has_http_inside(self, stream: HttpStream) -> bool:
        stack = stream.context.layers
        return any(map(is_http, stack[stack.index(self) + 1 :]))

    def _end(
        self, stream: HttpStream, answer: responses.Answer | None
    ) -> layer.CommandGenerator[None]:
        if isinstance(stream.child_layer, WebsocketLayer):
            yield from self._end_websocket(stream, stream.child_layer, POLICY_VIOLATION, REASON)
        elif stream.child_layer is not None:
            yield commands.CloseConnection(self.context.client)
        else:
            yield from self._end_body(stream, answer)

    def _end_websocket(
        self, stream: HttpStream, socket: WebsocketLayer, code: int, reason: str
    ) -> layer.CommandGenerator[None]:
        """Inject a close event as if the site had sent it, in the way mitmproxy injects messages.

        (Bytes of a close frame would be lost in a frame of which only a part has come.)
        """
        closed = wsproto.events.CloseConnection(code, reason)
        socket.server_ws._events.append(closed)
        yield from self.event_to_child(stream, ResponseData(stream.stream_id, b""))

    def _end_body(
        self, stream: HttpStream, answer: responses.Answer | None
    ) -> layer.CommandGenerator[None]:
        site = stream.flow.server_conn
        ended = ExchangeEnded(stream.stream_id, REASON, ErrorCode.CANCEL, answer)
        yield from self.event_to_child(stream, ended)
        server = self.connections.get(site)
        if server is not None and not isinstance(server, HttpStream) and site.connected:
            dropped = RequestProtocolError(stream.stream_id, REASON, ErrorCode.CANCEL)
            yield from self.event_to_child(server, dropped)


def is_http(found: object) -> bool:
    """Whether a layer is one of ours for HTTP."""
    return isinstance(found, TerminableHttp)


class Terminator:
    """Ends flows and connections of the running proxy server. Event loop only."""

    def __init__(self, proxyserver: Proxyserver) -> None:
        self._server = proxyserver
        self._told = WeakSet[Any]()  # handlers of clients that know of the drain

    def _handler(self, client: connection.Client) -> Any:
        return self._server.connections.get(client.id)

    def prepare(
        self,
        client: connection.Client,
        on_crash: Callable[[], bytes],
        on_failure: Callable[[], None],
    ) -> None:
        """A client has connected: its connections are to be closed for certain when they are ended,
        and when its layers have failed (`on_crash`) or no connection could be opened because of a
        bug (`on_failure`); both are called while the exception is handled."""
        handler = self._handler(client)
        if handler is not None:
            close_reliably(handler, on_failure)
            handler.on_crash = on_crash

    def http(
        self, flow: http.HTTPFlow, *, cuttable: bool, answer: responses.Answer | None = None
    ) -> None:
        """End one running answer, or one WebSocket. `cuttable`: the layers are ours and can do
        that."""
        handler = self._handler(flow.client_conn)
        if handler is None:
            return
        if cuttable:
            asyncio_utils.create_task(
                handler.server_event(Cut(flow, answer)),
                name="cut",
                keep_ref=True,
                client=flow.client_conn.peername,
            )
            return
        for side in (flow.server_conn, flow.client_conn):
            if side in handler.transports:
                handler.close_connection(side)

    def drain(self, *, ends: bool) -> None:
        """Tell all clients whose protocol has words for it that this process accepts nothing more,
        once; with `ends` that what runs is about to be ended."""
        for handler in list(self._server.connections.values()):
            if not any(map(is_http, handler.layer.context.layers)):
                continue  # others do not know this event
            if handler in self._told and not ends:
                continue  # an event counts as activity, and what is idle is closed
            self._told.add(handler)
            asyncio_utils.create_task(
                handler.server_event(Drain(ends)),
                name="drain",
                keep_ref=True,
                client=handler.client.peername,
            )

    def client(self, client: connection.Client) -> None:
        """End a client connection with all that is in it."""
        handler = self._handler(client)
        if handler is not None and client in handler.transports:
            handler.close_connection(client)

    def leave(self, client: connection.Client) -> None:
        """End a client connection in which nothing runs. What it has just sent is answered."""
        handler = self._handler(client)
        if handler is None or self.unread(client):
            return
        if not any(map(is_http, handler.layer.context.layers)):
            self.client(client)
            return
        asyncio_utils.create_task(
            handler.server_event(Leave()), name="leave", keep_ref=True, client=client.peername
        )

    def unread(self, client: connection.Client) -> bool:
        """Whether a client has sent something that nobody has read yet."""
        handler = self._handler(client)
        found = None if handler is None else handler.transports.get(client)
        return found is not None and has_unread(found.writer.transport)

    def clients(self) -> Iterator[connection.Client]:
        """All client connections that are open now."""
        for handler in list(self._server.connections.values()):
            yield handler.client

    def last_active(self, client: connection.Client) -> float:
        """A number that changes whenever there is traffic on a connection."""
        handler = self._handler(client)
        return float(handler.timeout_watchdog.last_activity) if handler is not None else 0.0
