"""What the light path asks of the rest, as protocols. It knows no rules, no ledger and no engine
itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from proxy_addon.relay.heads import ConnectHead

type ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class SiteConnection(NamedTuple):
    """A connection to a site, or through an upstream proxy to it: a connected socket that does not
    block, and the bytes that the site has already sent."""

    sock: socket.socket
    early: bytes = b""


type ConnectSite = Callable[[str, int, str], Awaitable[SiteConnection]]
"""Connects to host and port; the last argument is who asks (their share of name look-ups).
Raises OSError."""


class RelayedTunnel(Protocol):
    """A tunnel as those see it who watch it."""

    def count(self) -> None:
        """Report what has passed since it was last reported (`TunnelTerms.passed`)."""

    def close(self) -> None:
        """End it; what has been received is still delivered."""


class TunnelTerms(Protocol):
    """On which terms a tunnel is relayed. `watched`: whoever made them ends it when they do not
    hold any more; else they are asked again after each change of rules."""

    watched: bool

    def needs_engine(self, host: str) -> bool:
        """Whether something has to be decided about traffic to a host."""

    def begun(self, tunnel: RelayedTunnel) -> bool:
        """Bytes are about to be passed on; False: the engine has to decide after all."""

    def passed(self, size: int) -> None:
        """So many more bytes have passed, either way."""

    def ended(self) -> None:
        """The tunnel is over."""


class RelayPolicy(Protocol):
    """What has to be known of rules and settings. Called on the event loop; never waits.

    `relays` False: every connection is handed over to the engine at once.
    """

    relays: bool

    def is_balancer(self, address: str) -> bool:
        """Whether a client at this address has to pass on whose connection this is."""

    def bad_balancer_header(self, address: str, problem: str) -> None:
        """A header of the PROXY protocol is missing, broken, or from somebody who is not
        believed: the connection is refused."""

    def client_allowed(self, address: str) -> bool:
        """Whether a client at this address may use the proxy."""

    def terms(self, address: str, head: ConnectHead) -> TunnelTerms | None:
        """On which terms a client's tunnel is relayed; None: not at all, as far as CONNECT
        tells."""

    def asker(self, address: str, head: ConnectHead) -> str:
        """Who asks, for their share of name look-ups: a person, or the client's address."""

    def unreachable(self, error: OSError) -> bytes:
        """The answer to CONNECT, as HTTP/1.1, when the site cannot be connected to."""

    def crowded(self) -> bytes:
        """The answer to a connection for which there is no descriptor left."""

    def failed(self, where: str) -> None:
        """Our own code failed: count the exception that is being handled, and log it."""


class RelayCounts(Protocol):
    """What is counted of relayed tunnels. Must be quick and must not raise."""

    def accepted(self) -> None:
        """A client connection was accepted."""

    def tunnel(self, how: str) -> None:
        """A tunnel was `passed` through."""

    def volume(self, to_site: int, from_site: int) -> None:
        """So many more bytes went to a site, and came from it."""

    def upstream_failed(self, kind: str) -> None:
        """A connection to a site could not be opened."""
