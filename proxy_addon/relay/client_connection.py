"""What a client connection of the light path is, whatever step it is at: its two sides, what has
been read and not passed on yet, and how another worker goes on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from proxy_addon.relay.handoff import Handoff
from proxy_addon.relay.interface import TunnelTerms
from proxy_addon.relay.site_side import SiteSide, pause, resume
from proxy_addon.system.descriptors import has_unread


class ClientConnection(asyncio.Protocol):
    """The steps are in `tunnel.ClientSide`."""

    __slots__ = (
        "_head",
        "_on_data",
        "_passed",
        "_pending",
        "_task",
        "active",
        "address",
        "asked",
        "ended",
        "hops",
        "hosts",
        "pass_on",
        "sent",
        "site",
        "terms",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, on_data: Callable[[], None]) -> None:
        """`on_data` is called when bytes have come that are not passed on yet."""
        self._on_data: Callable[[], None] = on_data
        self._pending = b""  # received, and not passed on yet
        self._head = b""  # the CONNECT, as long as the engine may still need it
        self._task: asyncio.Task[None] | None = None
        self._passed: tuple[str, int] | None = None  # the address that a balancer passed on
        self.hops = 0  # workers that have passed it on
        self.address = ""
        self.hosts: tuple[str, ...] = ()  # named by CONNECT and greeting, normalised
        self.terms: TunnelTerms | None = None  # known once it may be relayed
        self.site: SiteSide | None = None
        self.pass_on: Callable[[bytes], None] | None = None  # to the site, once that is allowed
        self.sent = 0  # bytes to the site since they were last counted
        self.asked = False  # the client has sent something that its site has not answered yet
        self.ended = False  # the client sends no more
        self.active = asyncio.get_running_loop().time()  # when something was last seen to happen

    @property
    def is_connecting(self) -> bool:
        """Whether the connection to the site is being opened."""
        return self._task is not None and not self._task.done()  # the loop may run tasks at once

    @property
    def is_expected_to_go_on(self) -> bool:
        """Whether nothing has passed yet, or the site has still to answer."""
        return self.pass_on is None or self.asked

    def pause_writing(self) -> None:
        """The client reads more slowly than the site sends."""
        if self.site is not None:
            pause(self.site.transport)

    def resume_writing(self) -> None:
        """It has caught up."""
        if self.site is not None:
            resume(self.site.transport)

    def has_unread(self) -> bool:
        """Whether either side has sent something that has not been read yet."""
        sides = [self.transport, *([] if self.site is None else [self.site.transport])]
        return any(map(has_unread, sides))

    def close(self) -> None:
        """End both sides; what has been received is still delivered."""
        self.transport.close()
        if self.site is not None:
            self.site.transport.close()

    def abort(self) -> None:
        """End both sides at once; what has not been delivered is lost."""
        self.transport.abort()
        if self.site is not None:
            self.site.transport.abort()

    # -- between workers

    @property
    def handoff(self) -> Handoff:
        """See `MovingClient`."""
        data = self._head + self._pending
        return Handoff(data, bool(self._head), self._passed, self.hops + 1)

    def receive(self, handoff: Handoff) -> None:
        """Go on with what another worker has read, once connected."""
        self._pending, self._passed, self.hops = handoff.data, handoff.address, handoff.hops
        if handoff.answered:
            self._head, self._pending = handoff.data, b""

    def wait_for_more(self, on_data: Callable[[], None]) -> None:
        """See `MovingClient`."""
        self._on_data = on_data

    def wait_for(self, answer: Coroutine[None, None, None]) -> None:
        """See `MovingClient`."""
        pause(self.transport)
        self._task = asyncio.get_running_loop().create_task(self._waits(answer))

    async def _waits(self, answer: Coroutine[None, None, None]) -> None:
        try:
            await answer
        finally:
            self._task = None
