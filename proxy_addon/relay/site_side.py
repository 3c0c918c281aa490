"""The connection of a relayed tunnel to its site."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from proxy_addon.system.descriptors import take_unread


class TunnelClient(Protocol):
    """The other side of the tunnel."""

    transport: asyncio.Transport
    site: SiteSide | None
    asked: bool

    def connected(self, site: SiteSide) -> None:
        """The site has been connected to."""

    def site_speaks_first(self) -> None:
        """The site has sent something before the client."""

    def site_ended(self) -> bool:
        """The site sends no more. Whether its connection stays open for what the client sends."""

    def site_lost(self) -> None:
        """The connection to the site is over."""


class SiteSide(asyncio.Protocol):
    """The connection to the site."""

    __slots__ = ("client", "early", "ended", "pass_on", "received", "transport")

    transport: asyncio.Transport

    def __init__(self, client: TunnelClient, early: bytes) -> None:
        """`early`: what the site has sent already."""
        self.client = client
        self.early = early
        # Passes bytes on to the client, from when that is allowed. A method of its transport, since
        # of all that is called here it is called most.
        self.pass_on: Callable[[bytes], None] | None = None
        self.received = 0  # bytes from the site since they were last counted
        self.ended = False  # the site sends no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        self.client.connected(self)  # here: uvloop may read before `create_connection` returns

    def data_received(self, data: bytes) -> None:
        """Pass bytes on to the client."""
        self.received += len(data)
        self.client.asked = False
        if self.pass_on is None:
            self.client.site_speaks_first()
        if self.pass_on is not None:  # else the engine has the client
            self.pass_on(data)

    def eof_received(self) -> bool:
        """The site sends no more; the client still may."""
        self.ended = True
        return self.client.site_ended()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over. An answer before a reset is passed on: a site that refuses an
        upload closes without reading it."""
        if error is not None and self.pass_on is not None:
            for piece in take_unread(self.transport):
                self.data_received(piece)
        self.client.site_lost()

    def pause_writing(self) -> None:
        """The site reads more slowly than the client sends."""
        pause(self.client.transport)

    def resume_writing(self) -> None:
        """It has caught up."""
        resume(self.client.transport)


def pause(transport: asyncio.Transport) -> None:
    """Read no more from a connection for now."""
    if not transport.is_closing():
        transport.pause_reading()


def resume(transport: asyncio.Transport) -> None:
    """Read from it again."""
    if not transport.is_closing():
        transport.resume_reading()
