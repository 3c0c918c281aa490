"""For `mitmdump -w FILE`: notes in each flow on what a dump would lack.

Bodies are streamed, and messages are dropped as soon as they are counted, so a dump has neither.
Where one is being written, when and how many bytes passed is put into the metadata of the flow, and
whose flow it is. With that `allowance simulate` charges what this proxy charged. No content is
kept, and without `-w` nothing at all. The keys and their shapes are read by
`proxy_addon/trace/notes.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mitmproxy import ctx, flow, http, tcp

from proxy_addon.metering.flight import Flight
from proxy_addon.metering.traffic_meter import CHUNK_SECONDS
from proxy_addon.network.guards import plain_address
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.system.clock import Clock
from proxy_addon.trace.notes import MESSAGES, PASSED, TIMES, USER


class Recording:
    """An add-on after ours: it only observes."""

    name = "allowance-recording"

    def __init__(self, addon: AllowanceAddon) -> None:
        self._addon = addon
        self._clock: Clock = addon.services.clock
        self._on = False

    def configure(self, updated: set[str]) -> None:
        """Whether a dump is being written."""
        self._on = bool(ctx.options.save_stream_file)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """The head of an answer: count what passes from now on."""
        if not self._on:
            return
        self._name(flow)
        flight, response = self._addon.in_flight.flight(flow), flow.response
        if flight is not None:
            flow.metadata[TIMES] = [flight.at, self._clock.now()]
        if flight is not None and response is not None and callable(response.stream):
            response.stream = self._counting(flow, flight, response.stream)

    def _counting(
        self, flow: http.HTTPFlow, flight: Flight, feed: Callable[[bytes], Any]
    ) -> Callable[[bytes], Any]:
        """Notes bytes at the resolution of the meter. Must never raise, like the function it
        wraps."""
        passed: list[list[float | int]] = []
        flow.metadata[PASSED] = passed
        since = flight.at

        def count(chunk: bytes) -> Any:
            nonlocal since
            if chunk:
                now = self._clock.now()
                if passed and passed[-1][0] - since < CHUNK_SECONDS:
                    passed[-1] = [now, passed[-1][1] + len(chunk)]
                else:
                    since = passed[-1][0] if passed else since
                    passed.append([now, len(chunk)])
            return feed(chunk)

        return count

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """One message of a WebSocket."""
        if (
            self._on
            and flow.websocket is not None
            and self._addon.in_flight.flight(flow) is not None
        ):
            self._name(flow)
            message = flow.websocket.messages[-1]
            self._notes(flow).append([self._clock.now(), len(message.content), message.from_client])

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Bytes of a metered tunnel; those that follow each other at once are one message."""
        if not self._on or self._addon.in_flight.tunnel(flow.client_conn) is None:
            return
        self._name(flow)
        now, message, notes = self._clock.now(), flow.messages[-1], self._notes(flow)
        if notes and notes[-1][2] == message.from_client and now - notes[-1][0] < CHUNK_SECONDS:
            notes[-1][1] += len(message.content)
        else:
            notes.append([now, len(message.content), message.from_client])

    def _notes(self, recorded: flow.Flow) -> list[list[Any]]:
        notes: list[list[Any]] = recorded.metadata.setdefault(MESSAGES, [])
        return notes

    def _name(self, recorded: flow.Flow) -> None:
        conn = self._addon.connections.known(recorded.client_conn)
        flight = (
            self._addon.in_flight.flight(recorded) if isinstance(recorded, http.HTTPFlow) else None
        )
        who = conn.who if conn is not None else None
        name = flight.person.name if flight is not None else who.name if who is not None else None
        peer = recorded.client_conn.peername
        if who is not None and who.how == "device" and who.roles and name == who.name and peer:
            # Not the name alone: the role is that of the device.
            name = f"ip:{plain_address(str(peer[0])) or 'unknown'}"
        if name is not None:
            recorded.metadata[USER] = name
