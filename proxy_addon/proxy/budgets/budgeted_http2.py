"""HTTP/2 with a peer that may flood us: see `paced_frames.py` for what is counted and why.

`BudgetedHttp2` goes in front of mitmproxy's layer, towards clients and towards sites. What a peer
has sent is handled in turns; between two of them other connections have theirs, and the peer's
share of the processor (`shares.py`) says how long that takes.

`tests/proxy/budgets/test_budgeted_http2.py` pins what is used of mitmproxy's internals.
"""

from __future__ import annotations

from typing import Any

import h2.errors
import h2.events
from hyperframe.frame import Frame, RstStreamFrame
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http._http2 import Http2Connection

from proxy_addon.proxy.budgets.paced_frames import Flooded, PacedFrames
from proxy_addon.proxy.budgets.shares import share_of


class BudgetedHttp2(Http2Connection):
    """Mix it in before `Http2Server` or `Http2Client`."""

    conn: Connection

    def __init__(self, ctx: context.Context) -> None:
        super().__init__(ctx)  # type: ignore[call-arg]  # mitmproxy's add the connection
        self._client_share = share_of(ctx.client)
        self._share = self._client_share.of(self.conn)
        self._next_turn: commands.RequestWakeup | None = None
        self._reading = False

    def _begin(self) -> None:
        """Before the first byte, whatever class the connection of h2 has."""
        self._frames = PacedFrames(self.h2_conn.incoming_buffer, self._share.use)
        self.h2_conn.incoming_buffer = self._frames
        self._prepare = self.h2_conn._prepare_for_sending
        self.h2_conn._prepare_for_sending = self._count_resets  # type: ignore[method-assign]

    def _count_resets(self, frames: list[Frame]) -> None:
        """Resets that a peer makes us send while we read what it sent cost as much as its own."""
        self._prepare(frames)
        if self._reading:
            for frame in frames:
                if isinstance(frame, RstStreamFrame):
                    self._frames.reset()

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup) and event.command is self._next_turn:
            self._next_turn = None
            self._client_share.turn_of = self.conn
            event = events.DataReceived(self.conn, b"")
        if isinstance(event, events.DataReceived):
            yield from self._take_turn(event)
            return
        if isinstance(event, events.Start):
            self._begin()
        for command in super()._handle_event(event):
            self._note_sent(command)
            yield command

    def _note_sent(self, command: commands.Command) -> None:
        if type(command) is commands.SendData and command.connection is self.conn:
            self._frames.sent(len(command.data))

    def _take_turn(self, event: events.DataReceived) -> layer.CommandGenerator[None]:
        if self._next_turn is not None:  # its turn will come
            self._frames.add_data(event.data)
            self._share.held = self._frames.size
            return
        self._frames.begin()
        self._reading = True
        for command in super()._handle_event(event):
            self._note_sent(command)
            yield command
        self._reading = False
        if "_handle_event" in vars(self):  # it was closed
            self._share.held = 0
        elif self._frames.is_held:
            self._share.held = self._frames.size
            self._next_turn = commands.RequestWakeup(self._share.rest())
            yield self._next_turn
        else:
            self._share.held = 0

    def handle_h2_event(self, event: Any) -> layer.CommandGenerator[bool]:
        """As mitmproxy's. A peer that floods is told so."""
        if isinstance(event, Flooded):
            self._client_share.exceeded(self.conn, event.budget)
            yield from self.protocol_error(str(event), h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
            return True
        return (yield from super().handle_h2_event(event))
