"""HTTP/2 with a peer that may flood us: see `paced_frames.py` for what is counted and why.

`BudgetedHttp2` goes in front of mitmproxy's layer, towards clients and towards sites. What a peer
has sent is handled in turns; between two of them other connections have theirs, and the peer's
share of the processor (`shares.py`) says how long that takes. It may send no more than can be
passed on (`back_pressure.py`).

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

from proxy_addon.proxy.budgets.back_pressure import (
    HELD_BYTES,
    RoomWanted,
    back_pressure_of,
    for_client,
    for_site,
)
from proxy_addon.proxy.budgets.flow_control import FlowControlled
from proxy_addon.proxy.budgets.paced_frames import Flooded, PacedFrames
from proxy_addon.proxy.budgets.shares import MEMORY, share_of


class BudgetedHttp2(Http2Connection):
    """Mix it in before `Http2Server` or `Http2Client`."""

    conn: Connection

    def __init__(self, ctx: context.Context) -> None:
        super().__init__(ctx)  # type: ignore[call-arg]  # mitmproxy's add the connection
        self._client_share = share_of(ctx.client)
        self._share = self._client_share.of(self.conn)
        self._next_turn: commands.RequestWakeup | None = None
        self._reading = False
        self._room_wanted: RoomWanted | None = None
        self._end_wanted: commands.RequestWakeup | None = None
        back_pressure_of(ctx.client).speaks(self)

    def _begin(self) -> None:
        """Before the first byte, whatever class the connection of h2 has."""
        self._frames = PacedFrames(self.h2_conn.incoming_buffer, self._share.use)
        self.h2_conn.incoming_buffer = self._frames
        self._prepare = self.h2_conn._prepare_for_sending
        self.h2_conn._prepare_for_sending = self._count_resets  # type: ignore[method-assign]
        if isinstance(self.h2_conn, FlowControlled):
            self.h2_conn.is_full = self._is_full
        self._receive = self.h2_conn.receive_data
        self.h2_conn.receive_data = self._received  # type: ignore[method-assign]

    def _received(self, data: bytes) -> list[Any]:
        """What has come, without requests that the client took back in the same turn: they are
        never sent to a site."""
        found = self._receive(data)
        resets = {each.stream_id for each in found if isinstance(each, h2.events.StreamReset)}
        begun = {each.stream_id for each in found if isinstance(each, h2.events.RequestReceived)}
        gone = resets & begun
        if not gone:
            return list(found)
        for each in found:
            if isinstance(each, h2.events.DataReceived) and each.stream_id in gone:
                size = each.flow_controlled_length
                self.h2_conn.acknowledge_received_data(size, each.stream_id)
        return [each for each in found if getattr(each, "stream_id", None) not in gone]

    def _count_resets(self, frames: list[Frame]) -> None:
        """Resets that a peer makes us send while we read what it sent cost as much as its own."""
        self._prepare(frames)
        if self._reading:
            for frame in frames:
                if isinstance(frame, RstStreamFrame):
                    self._frames.reset()

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.Wakeup):
            if event.command is self._next_turn:
                self._next_turn = None
                self._client_share.turn_of = self.conn
                event = events.DataReceived(self.conn, b"")
            elif event.command is self._room_wanted:
                yield from self._acknowledge()
                return
            elif event.command is self._end_wanted:
                yield from self._end_for_memory()
                return
        if isinstance(event, events.DataReceived):
            yield from self._take_turn(event)
            yield from self._ask_for_room()
            yield from self._keep()
            return
        if isinstance(event, events.Start):
            self._begin()
        for command in super()._handle_event(event):
            self._note_sent(command)
            yield command
        yield from self._keep()

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

    # -- memory

    def _keep(self) -> layer.CommandGenerator[None]:
        """Say how much waits for the peer. Too much is dealt with in a turn of its own: whoever
        sends it is in the middle of that."""
        if not isinstance(self.h2_conn, FlowControlled):
            return
        if "_handle_event" in vars(self):  # it was closed
            self.h2_conn.stream_buffers.clear()
        if not self._share.keep(self.h2_conn.waiting_bytes) and self._end_wanted is None:
            self._end_wanted = commands.RequestWakeup(0.0)
            yield self._end_wanted

    def _end_for_memory(self) -> layer.CommandGenerator[None]:
        self._client_share.exceeded(self.conn, MEMORY)
        code = h2.errors.ErrorCodes.ENHANCE_YOUR_CALM
        yield from self.protocol_error("too much waits to be read", code)
        yield from self._keep()

    # -- back pressure

    def is_full(self) -> bool:
        """Streams wait in their windows, each on its own."""
        return False

    def _is_full(self, stream_id: int) -> bool:
        if self.conn is self.context.client:
            return for_site(self, stream_id) > HELD_BYTES
        theirs = getattr(self, "their_stream_id", {}).get(stream_id, stream_id)
        return for_client(self, theirs) > HELD_BYTES

    def _ask_for_room(self) -> layer.CommandGenerator[None]:
        """Be woken when something can be acknowledged that could not be when it came."""
        is_over = "_handle_event" in vars(self)
        if self._room_wanted is None and not is_over and getattr(self.h2_conn, "owed", None):
            self._room_wanted = RoomWanted(self._has_no_room)
            yield self._room_wanted

    def _has_no_room(self) -> bool:
        return all(map(self._is_full, self.h2_conn.owed))  # type: ignore[attr-defined]

    def _acknowledge(self) -> layer.CommandGenerator[None]:
        self._room_wanted = None
        self.h2_conn.give_back()  # type: ignore[attr-defined]
        data = self.h2_conn.data_to_send()
        if data:
            yield commands.SendData(self.conn, data)
        yield from self._ask_for_room()

    def handle_h2_event(self, event: Any) -> layer.CommandGenerator[bool]:
        """As mitmproxy's. A peer that floods is told so."""
        if isinstance(event, Flooded):
            self._client_share.exceeded(self.conn, event.budget)
            yield from self.protocol_error(str(event), h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
            return True
        return (yield from super().handle_h2_event(event))
