"""Ends what is already running. The only user of mitmproxy's internals; `tests/proxy/test_cut.py` pins them.

mitmproxy has no public way to end a body in its middle: `kill` waits for the end of the answer. What works:

* closing the connection to the *site* ends an HTTP/1.1 body and the WebSockets of the outer layer at once;
* in a tunnel that we opened, `CuttableHttp` ends one stream: HTTP/2 neighbours go on, and the next request in
  the same tunnel gets its answer; a WebSocket is closed with code 1008, as if the site had said so;
* closing the connection to the *client* ends a tunnel that we only relay.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from mitmproxy import connection, http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import commands, context, events, layer, layers
from mitmproxy.proxy.layers.http import HTTPMode, HttpStream
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseProtocolError,
)

TURN = 0.25  # seconds between two looks at what has to be cut in a tunnel
REASON = "time is up"
POLICY_VIOLATION = 1008


class CuttableHttp(layers.HttpLayer):
    """mitmproxy's HTTP layer with a list of flows to end. It looks at the list while streams are open."""

    def __init__(self, inner: context.Context) -> None:
        super().__init__(inner, HTTPMode.transparent)
        self.to_cut: list[http.HTTPFlow] = []
        self._wakeup: commands.RequestWakeup | None = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup) and event.command is self._wakeup:
            self._wakeup = None
            flows, self.to_cut = self.to_cut, []
            for flow in flows:
                yield from self._cut(flow)
        else:
            yield from super()._handle_event(event)
        if self._wakeup is None and self.streams:
            self._wakeup = commands.RequestWakeup(TURN)
            yield self._wakeup

    def _stream(self, flow: http.HTTPFlow) -> HttpStream | None:
        return next((s for s in self.streams.values() if getattr(s, "flow", None) is flow), None)

    def _cut(self, flow: http.HTTPFlow) -> layer.CommandGenerator[None]:
        stream = self._stream(flow)
        if stream is None:
            return
        if flow.websocket is not None:
            frame = ResponseData(stream.stream_id, close_frame())
            yield from self.event_to_child(stream, frame)
            return
        server = self.connections.get(flow.server_conn)
        yield from self.event_to_child(
            stream, ResponseProtocolError(stream.stream_id, REASON, ErrorCode.CANCEL)
        )
        if server is not None and not isinstance(server, HttpStream):
            ended = RequestProtocolError(stream.stream_id, REASON, ErrorCode.CANCEL)
            yield from self.event_to_child(server, ended)


def close_frame() -> bytes:
    """A WebSocket close frame of a server (unmasked): code 1008 and the reason."""
    payload = struct.pack("!H", POLICY_VIOLATION) + REASON.encode()
    return bytes((0x88, len(payload))) + payload


class Scissors:
    """Ends flows and connections by way of the running proxy server."""

    def __init__(self, proxyserver: Proxyserver) -> None:
        self._server = proxyserver

    def _handler(self, client: connection.Client) -> Any:
        return self._server.connections.get(client.id)

    def http(self, flow: http.HTTPFlow, cuttable: CuttableHttp | None) -> None:
        """End one answer in its middle, or one WebSocket."""
        if cuttable is not None:
            cuttable.to_cut.append(flow)
            return
        handler = self._handler(flow.client_conn)
        if handler is not None:
            for side in (flow.server_conn, flow.client_conn):
                if side in handler.transports:
                    handler.close_connection(side)

    def client(self, client: connection.Client) -> None:
        """End a client connection with all that is in it."""
        handler = self._handler(client)
        if handler is not None and client in handler.transports:
            handler.close_connection(client)

    def clients(self) -> Iterator[connection.Client]:
        """All client connections that are open now."""
        for handler in list(self._server.connections.values()):
            yield handler.client
