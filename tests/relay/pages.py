"""Our own pages as the light path sees them: a server that says who asked for what."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from proxy_addon.relay.heads import ConnectHead
from proxy_addon.relay.interface import PageWatcher

HOST = "allowance.internal"
GET = b"GET http://allowance.internal/ HTTP/1.1\r\nHost: allowance.internal\r\n\r\n"
CONNECT = b"CONNECT allowance.internal:443 HTTP/1.1\r\n\r\n"
REFUSED = b"HTTP/1.1 407 Sign in\r\nContent-Length: 0\r\n\r\n"
SLOW = GET.replace(b"internal/ ", b"internal/slow ")


class Answering:
    """Answers each head with who asked, and with the size of what it got. A path with "slow" is
    answered when `Pages.answer` is called."""

    def __init__(self, pages: Pages, visitor: object | None, watcher: PageWatcher) -> None:
        self.pages, self.visitor, self.watcher = pages, visitor, watcher
        self.data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """See `PageProtocol`."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """See `PageProtocol`."""
        self.data += data
        if b"/broken" in self.data:
            raise ValueError("broken")
        if b"\r\n\r\n" not in self.data:
            return
        self.watcher.begun()
        self.pages.waiting.append(self)
        if b"slow" not in self.data:
            self.pages.answer()

    def answer(self) -> None:
        """Answer what has come."""
        data, self.data = self.data, b""
        text = f"{self.visitor} {len(data)}".encode() + b" " * (10_000_000 if b"big" in data else 0)
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        self.watcher.completed()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `PageProtocol`."""
        self.pages.lost += 1

    def release(self) -> None:
        """See `PageProtocol`."""
        self.pages.released += 1

    def pause_writing(self) -> None:
        """See `PageProtocol`."""
        self.pages.pressure.append("pause")

    def resume_writing(self) -> None:
        """See `PageProtocol`."""
        self.pages.pressure.append("resume")


@dataclass
class Pages:
    """Implements `PageServer`. `refuses`: everybody has to sign in first."""

    refuses: bool = False
    broken: bool = False
    broken_inside: bool = False
    leaf: Path = Path()
    trust: Path = Path()
    host: str = HOST
    waiting: list[Answering] = field(default_factory=list)
    lost: int = 0
    released: int = 0
    distrusted: int = 0
    pressure: list[str] = field(default_factory=list)
    ended: int = 0
    followed: int = 0

    async def admit(self, address: str, head: ConnectHead) -> object | bytes:
        """See `PageServer`."""
        if self.broken:
            raise ValueError("broken")
        await asyncio.sleep(0)
        return REFUSED if self.refuses and b"proxy-authorization" not in head.fields else "dora"

    def protocol(self, address: str, visitor: object | None, watcher: PageWatcher) -> Answering:
        """See `PageServer`."""
        if self.broken_inside:
            raise ValueError("broken")
        return Answering(self, visitor, watcher)

    def answer(self) -> None:
        """Answer the request that waits."""
        self.waiting.pop().answer()

    def tls(self) -> ssl.SSLContext:
        """See `PageServer`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.leaf)
        return context

    def tls_failed(self, address: str, visitor: object) -> None:
        """See `PageServer`."""
        self.distrusted += 1

    def follow_rules(self) -> None:
        """See `PageServer`."""
        self.followed += 1

    def end_streams(self) -> None:
        """See `PageServer`."""
        self.ended += 1
