"""The light path on loopback, with a site and an engine that say what reached them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from proxy_addon.relay import acceptor as module
from proxy_addon.relay.acceptor import Acceptor
from proxy_addon.relay.heads import ConnectHead
from proxy_addon.relay.interface import PageServer, SiteProtocol

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Policy:
    """Everything is relayed but what names `limited`."""

    limited: set[str] = field(default_factory=lambda: {"facebook.com", "allowance.internal"})
    relays: bool = True
    pages: PageServer | None = None
    balanced: bool = False
    refuses: bool = False
    broken: bool = False
    failures: list[str] = field(default_factory=list)
    watched: bool = False
    most: int | None = None
    changes_its_mind: bool = False
    tunnels: list[object] = field(default_factory=list)
    bytes: int = 0
    ends: int = 0

    def is_balancer(self, address: str) -> bool:
        """See `RelayPolicy`."""
        return self.balanced

    def bad_balancer_header(self, address: str, problem: str) -> None:
        """See `RelayPolicy`."""
        self.failures.append(problem)

    def client_allowed(self, address: str) -> bool:
        """See `RelayPolicy`."""
        return not self.refuses

    def most_connections(self, address: str) -> int | None:
        """See `RelayPolicy`."""
        return self.most

    def too_many(self, address: str) -> bytes:
        """See `RelayPolicy`."""
        self.failures.append(f"too many of {address}")
        return b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"

    def terms(self, address: str, head: ConnectHead) -> Policy | None:
        """See `RelayPolicy`."""
        return None if self.needs_engine(head.host) else self

    def needs_engine(self, host: str) -> bool:
        """See `TunnelTerms`."""
        if self.broken:
            raise ValueError("broken")
        return host in self.limited

    def begun(self, tunnel: object) -> bool:
        """See `TunnelTerms`."""
        self.tunnels.append(tunnel)
        return not self.changes_its_mind

    def passed(self, size: int) -> None:
        """See `TunnelTerms`."""
        self.bytes += size

    def ended(self) -> None:
        """See `TunnelTerms`."""
        self.ends += 1

    def asker(self, address: str, head: ConnectHead) -> str:
        """See `RelayPolicy`."""
        return address

    def unreachable(self, error: OSError) -> bytes:
        """See `RelayPolicy`."""
        return b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"

    def crowded(self) -> bytes:
        """See `RelayPolicy`."""
        return b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

    def failed(self, where: str) -> None:
        """See `RelayPolicy`."""
        self.failures.append(where)


@dataclass
class Counts:
    """What was counted."""

    accepted_: int = 0
    tunnels: int = 0
    to_site: int = 0
    from_site: int = 0
    failed: list[str] = field(default_factory=list)

    def accepted(self) -> None:
        """See `RelayCounts`."""
        self.accepted_ += 1

    def tunnel(self, how: str) -> None:
        """See `RelayCounts`."""
        self.tunnels += 1

    def volume(self, to_site: int, from_site: int) -> None:
        """See `RelayCounts`."""
        self.to_site += to_site
        self.from_site += from_site

    def upstream_failed(self, kind: str) -> None:
        """See `RelayCounts`."""
        self.failed.append(kind)


class LightPath:
    """A light path in front of an engine, and one site behind it."""

    def __init__(self, site: Handler, engine: Handler | None = None, most: int = 0) -> None:
        self.policy, self.counts = Policy(), Counts()
        self.engine_saw: list[bytes] = []
        self.acceptor = Acceptor(self.policy, self.connect, self.counts, most_descriptors=most)
        self._site, self._engine = site, engine or self.engine
        self.site_connections = 0
        self._writers: list[asyncio.StreamWriter] = []
        self.connecting: asyncio.Event | None = None  # wait for it before connecting

    async def engine(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Notes what it gets, and answers like an engine that opens a tunnel."""
        data = await reader.read(65_536)
        self._writers.append(writer)
        self.engine_saw.append(data)
        writer.write(ESTABLISHED + b"engine here")
        await writer.drain()
        self.engine_saw.append(await reader.read(65_536))
        writer.close()

    async def connect(
        self, host: str, port: int, asker: Callable[[], str], protocol: SiteProtocol
    ) -> None:
        """Always to the one site; to nobody for `dead.example`."""
        if self.connecting is not None:
            await self.connecting.wait()
        if host == "dead.example":
            raise ConnectionRefusedError(111, "Connect call failed")
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: protocol(b""), "127.0.0.1", self.site_port)

    async def _serve_site(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.site_connections += 1
        self._writers.append(writer)
        try:
            await self._site(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LightPath]:
        """Serve."""
        loop = asyncio.get_running_loop()
        site = await asyncio.start_server(self._serve_site, "127.0.0.1", 0)
        self.site_port = site.sockets[0].getsockname()[1]
        uninstall = self.acceptor.install(loop)
        proxy = await asyncio.start_server(self._engine, "127.0.0.1", 0)
        uninstall()
        self.port = proxy.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            proxy.close()
            site.close()
            self.acceptor.stop()
            for writer in self._writers:
                writer.close()
            await asyncio.sleep(0.02)

    async def open(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client that has sent something."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.append(writer)
        writer.write(data)
        return reader, writer

    async def tunnel(
        self, host: str = "news.example", more: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client whose CONNECT was answered with 200."""
        reader, writer = await self.open(connect_head(host) + more)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        return reader, writer

    async def empty(self) -> None:
        """Wait until no connection is open."""
        async with asyncio.timeout(5):
            while len(self.acceptor):
                await asyncio.sleep(0.005)


def connect_head(host: str) -> bytes:
    """A CONNECT."""
    return f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A site that sends back what it gets, and ends when its client does."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


__all__ = ["ESTABLISHED", "Counts", "LightPath", "Policy", "connect_head", "echo", "module"]
