"""WebSockets: long messages are passed on in pieces, and what either side sends is bounded.

mitmproxy keeps a message until it is complete, however long it is, and then a second time in each
form that it takes on. Nothing here needs more of a message than its size. One of up to `HELD_BYTES`
is passed on as a whole, in the frames in which it came; of a longer one what is there is passed on
as fragments.

Pings, pongs and empty fragments are counted like frames of HTTP/2 (`shares.py`); who sends too many
is closed with 1008. What is compressed is bounded by `bounded_deflate.py`.

`tests/proxy/budgets/test_relayed_websocket.py` pins what is used of mitmproxy's internals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import wsproto.events
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import websocket
from mitmproxy.proxy.layers.websocket import (
    Fragmentizer,
    WebsocketConnection,
    WebsocketEndHook,
    WebsocketLayer,
    WebsocketMessageHook,
    WebSocketMessageInjected,
)
from mitmproxy.websocket import WebSocketMessage
from wsproto.connection import ConnectionState
from wsproto.frame_protocol import CloseReason, Opcode

from proxy_addon.proxy.budgets.bounded_deflate import bounded
from proxy_addon.proxy.budgets.shares import FRAMES, MEMORY, WEBSOCKET, share_of

HELD_BYTES = 1 << 20  # of a message that is not complete


class RelayedWebSocket(WebsocketLayer):
    """Drop-in for `WebsocketLayer`."""

    def start(self, event: events.Start) -> layer.CommandGenerator[None]:
        """As mitmproxy's, with bounds on what is decompressed."""
        yield from super().start(event)
        for each in (self.client_ws, self.server_ws):
            bounded(each._proto.extensions)
        self._held = {self.client_ws: 0, self.server_ws: 0}
        self._shares = share_of(self.context.client)

    _handle_event = start

    def relay_messages(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Something came from one side."""
        injected = isinstance(event, WebSocketMessageInjected)
        if isinstance(event, WebSocketMessageInjected):
            from_client = event.message.from_client
        else:
            assert isinstance(event, events.ConnectionEvent)
            from_client = event.connection == self.context.client
        sides = self.client_ws, self.server_ws
        source, target = sides if from_client else sides[::-1]
        if isinstance(event, events.DataReceived):
            source.receive_data(event.data)
        elif isinstance(event, events.ConnectionClosed):
            source.receive_data(None)
        elif isinstance(event, WebSocketMessageInjected):
            pieces = Fragmentizer([], event.message.type == Opcode.TEXT)
            source._events.extend(pieces(event.message.content))
        for each in source.events():
            if isinstance(each, wsproto.events.CloseConnection):
                yield from self._close(each, source, from_client=from_client)
            elif not self._is_within_budget(each, source):
                yield from self._refuse(source, WEBSOCKET, "too many frames", from_client)
            elif isinstance(each, wsproto.events.Message):
                yield from self._pass_on(each, source, target, injected=injected)
                if not self._keep(sum(self._held.values())):
                    yield from self._refuse(source, MEMORY, "too much waits", from_client)
            elif target.state is ConnectionState.OPEN:
                yield target.send2(each)
            if self._handle_event == self.done:
                return

    def _is_within_budget(self, event: wsproto.events.Event, source: WebsocketConnection) -> bool:
        if isinstance(event, wsproto.events.Message) and (event.data or event.message_finished):
            return True
        return self._shares.of(source.conn).use(FRAMES)

    # -- messages

    def _pass_on(
        self,
        event: wsproto.events.Message[Any],
        source: WebsocketConnection,
        target: WebsocketConnection,
        *,
        injected: bool,
    ) -> layer.CommandGenerator[None]:
        data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        source.frame_buf[-1] += data
        self._held[source] += len(data)
        if event.frame_finished and not event.message_finished:
            source.frame_buf.append(b"")
        if not event.message_finished and self._held[source] < HELD_BYTES:
            return
        is_text = isinstance(event.data, str)
        pieces, source.frame_buf, self._held[source] = source.frame_buf, [b""], 0
        kind = Opcode.TEXT if is_text else Opcode.BINARY
        from_client = source is self.client_ws
        message = WebSocketMessage(kind, from_client, b"".join(pieces), injected=injected)
        assert self.flow.websocket is not None
        self.flow.websocket.messages.append(message)
        yield WebsocketMessageHook(self.flow)
        if message.dropped or target.state is not ConnectionState.OPEN:
            return
        for piece in Fragmentizer(pieces, is_text)(message.content):
            ends = piece.message_finished and event.message_finished
            yield target.send2(replace(piece, message_finished=ends))

    # -- the end

    def _keep(self, size: int) -> bool:
        """So many bytes of messages wait; False: it is too much."""
        return self._shares.of(self.context.client).keep(size)

    def _refuse(
        self, source: WebsocketConnection, budget: str, reason: str, from_client: bool
    ) -> layer.CommandGenerator[None]:
        self._shares.exceeded(source.conn, budget)
        closed = wsproto.events.CloseConnection(CloseReason.POLICY_VIOLATION, reason)
        yield from self._close(closed, source, from_client=from_client)

    def _close(
        self,
        event: wsproto.events.CloseConnection,
        source: WebsocketConnection,
        *,
        from_client: bool,
    ) -> layer.CommandGenerator[None]:
        """As mitmproxy's: both sides end, with the same code."""
        assert self.flow.websocket is not None
        is_ours = source.state is ConnectionState.OPEN  # the other side has not closed
        if is_ours and event.code == CloseReason.MESSAGE_TOO_BIG:
            self._shares.exceeded(source.conn, WEBSOCKET)
        self.flow.websocket.closed_by_client = from_client
        self.flow.websocket.close_code = event.code
        self.flow.websocket.close_reason = event.reason
        for each in (self.server_ws, self.client_ws):
            if each.state in {ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING}:
                yield each.send2(event)
            yield commands.CloseConnection(each.conn)
        self._keep(0)
        yield WebsocketEndHook(self.flow)
        self.flow.live = False
        self._handle_event = self.done  # type: ignore[method-assign]


def install() -> None:
    """From now on WebSockets are relayed by this layer."""
    websocket.WebsocketLayer = RelayedWebSocket  # type: ignore[misc]
