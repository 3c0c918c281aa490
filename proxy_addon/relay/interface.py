"""What the light path asks of the rest, as protocols. It knows no rules, no ledger and no engine
itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Protocol

from proxy_addon.relay.handoff import Handoff
from proxy_addon.relay.heads import ConnectHead

type ProtocolFactory = Callable[[], asyncio.BaseProtocol]
type HeaderFields = Mapping[bytes, bytes]


type SiteProtocol = Callable[[bytes], asyncio.BaseProtocol]
"""Makes the protocol of a connection to a site; the bytes are those that it has sent already."""

type ConnectSite = Callable[[str, int, Callable[[], str], SiteProtocol], Awaitable[None]]
"""Connects to host and port; the third argument tells who asks, for their share of name look-ups.
Returns when the protocol has the connection. Raises OSError; it may wait for ever."""


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


class PageWatcher(Protocol):
    """Hears what happens to requests for our own pages on one connection."""

    def begun(self) -> None:
        """The head of a request is complete."""

    def progressed(self) -> None:
        """Something has been sent."""

    def completed(self) -> None:
        """The answer is complete."""

    def close(self) -> None:
        """End the connection; what has been written is still delivered."""


class PageServer(Protocol):
    """Answers our own pages on the connection that was accepted. Who is asking is known here and
    nowhere else: the connection only passes `visitor` on."""

    host: str  # of our own pages, normalised

    async def admit(self, address: str, head: ConnectHead) -> object | bytes:
        """Who asks for a tunnel to our pages, or the answer, as HTTP/1.1, that refuses it. Waits
        while a password is checked for the first time."""

    def protocol(self, address: str, visitor: object | None, watcher: PageWatcher) -> PageProtocol:
        """What reads and answers requests on one connection of `address`. `visitor`: what `admit`
        gave; None: each request says who sends it."""

    def tls(self) -> ssl.SSLContext:
        """For TLS inside a tunnel to our pages."""

    def tls_failed(self, address: str, visitor: object) -> None:
        """A client has not accepted our certificate, in a tunnel of `visitor`."""

    def follow_rules(self) -> None:
        """The rules have changed: end streams of those who are somebody else now."""

    def end_streams(self) -> None:
        """Draining: answers that would go on for ever end, and each connection does with its next
        answer."""


class PageProtocol(Protocol):
    """The part of `asyncio.Protocol` that a connection for our pages passes on."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """See `asyncio.Protocol`."""

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""

    def release(self) -> None:
        """The connection goes on without us: touch it no more."""

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""


class MovingClient(Protocol):
    """A connection as those see it who may pass it on to another worker."""

    address: str
    transport: asyncio.Transport

    @property
    def handoff(self) -> Handoff:
        """What another worker has to know to go on with it."""

    def wait_for_more(self, on_data: Callable[[], None]) -> None:
        """Call this when more bytes have come."""

    def wait_for(self, answer: Coroutine[None, None, None]) -> None:
        """Read nothing while this runs; cancel it when the connection ends."""

    def stay(self) -> None:
        """Go on in this worker: with our own pages, or the engine."""


class RelayPolicy(Protocol):
    """What has to be known of rules and settings. Called on the event loop; never waits.

    `relays` False: every connection is handed over to the engine at once. `pages` None: our own
    pages are the engine's too.
    """

    relays: bool
    pages: PageServer | None

    def is_balancer(self, address: str) -> bool:
        """Whether a client at this address has to pass on whose connection this is."""

    def bad_balancer_header(self, address: str, problem: str) -> None:
        """A header of the PROXY protocol is missing, broken, or from somebody who is not
        believed: the connection is refused."""

    def client_allowed(self, address: str) -> bool:
        """Whether a client at this address may use the proxy."""

    def most_connections(self, address: str) -> int | None:
        """How many connections a client at this address may have open; None: any number."""

    def too_many(self, address: str) -> bytes:
        """The answer to a connection of a client that has so many: count it, too."""

    def terms(self, address: str, head: ConnectHead) -> TunnelTerms | None:
        """On which terms a client's tunnel is relayed; None: not at all, as far as CONNECT
        tells."""

    def asker(self, address: str, head: ConnectHead) -> str:
        """Who asks, for their share of name look-ups: a person, or the client's address."""

    def owner_now(self, address: str, fields: HeaderFields) -> str | None:
        """Whose connection this is, from memory; None while a password has to be checked first.
        `fields`: the header fields of its first request, names in lower case."""

    async def owner(self, address: str, fields: HeaderFields) -> str:
        """The same; waits for the check."""

    def away(self) -> bytes:
        """The answer to a connection that the person's worker does not take."""

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
