"""Twin of proxy_addon/relay/site_connector.py: straight to the site, or through the next proxy."""

from __future__ import annotations

import asyncio
import base64

import pytest

from proxy_addon.config.parsers import UpstreamProxy
from proxy_addon.config.settings import Settings
from proxy_addon.network.guards import TargetGuard
from proxy_addon.network.resolver import Resolver
from proxy_addon.relay import site_connector as module
from proxy_addon.relay.site_connector import SiteConnector


class NextProxy:
    """A proxy on loopback that answers what it is told to."""

    def __init__(self, answer: bytes, hangs: bool = False) -> None:
        self.answer, self.hangs, self.asked = answer, hangs, b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.asked = await reader.readuntil(b"\r\n\r\n")
        size = max(1, len(self.answer) // 500)  # byte by byte, unless it is long
        for start in range(0, len(self.answer), size):
            writer.write(self.answer[start : start + size])
            await asyncio.sleep(0)
        if self.hangs:
            await reader.read()
        writer.close()


class Connected(asyncio.Protocol):
    """Notes whom it is connected to."""

    peer: tuple[str, int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self.peer = transport.get_extra_info("peername")


async def through(proxy: NextProxy, credentials: str | None = None) -> tuple[bytes, bytes]:
    """What was asked of a next proxy, and what its site had sent already."""
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    upstream = UpstreamProxy("http", "127.0.0.1", port, credentials)
    settings = Settings(upstream_proxy=f"http://127.0.0.1:{port}")
    resolver = Resolver(settings, TargetGuard(settings, ()))
    try:
        early: list[bytes] = []

        def protocol(sent: bytes) -> asyncio.Protocol:
            early.append(sent)
            return asyncio.Protocol()

        connect = SiteConnector(resolver, upstream)
        await connect("news.example", 443, lambda: "dora", protocol)
        return proxy.asked, early[0]
    finally:
        server.close()
        resolver.close()


async def test_through_the_next_proxy() -> None:
    """It is asked for the site by name, and what came behind its answer is kept."""
    proxy = NextProxy(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n220 ready")
    asked, early = await through(proxy)
    assert asked.startswith(b"CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\n")
    assert b"Proxy-Authorization" not in asked
    assert b"220 ready".startswith(early)


async def test_credentials_of_the_next_proxy() -> None:
    """It gets those that the administrator set, and nothing of the client's."""
    asked, _ = await through(NextProxy(b"HTTP/1.1 200 OK\r\n\r\n"), "office:secret")
    token = base64.b64encode(b"office:secret")
    assert b"\r\nProxy-Authorization: Basic " + token + b"\r\n" in asked


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Sign in\r\n\r\n", "it answered 407"),
        (b"HTTP/1.1 200\r\n", "closed the connection"),
        (b"HTTP/1.1 200 " + b"x" * 70_000, "closed the connection"),
        (b"220 smtp.example ready\r\n\r\n", "it answered smt"),
        (b"\r\n\r\n", "it answered nothing"),
    ],
)
async def test_a_next_proxy_that_refuses(answer: bytes, words: str) -> None:
    """Its answer is an error like that of a dead site."""
    with pytest.raises(OSError, match=words):
        await through(NextProxy(answer))


async def test_a_next_proxy_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a while."""
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.1)
    with pytest.raises(TimeoutError, match="the upstream proxy timed out"):
        await through(NextProxy(b"HTTP/1.1 200", hangs=True))


async def test_straight_to_the_site() -> None:
    """Without a next proxy the site itself is connected to."""
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(resolve=[f"news.example:443=127.0.0.1:{port}"])
    resolver = Resolver(settings, TargetGuard(settings, ()))
    made: list[tuple[bytes, Connected]] = []

    def protocol(sent: bytes) -> Connected:
        made.append((sent, Connected()))
        return made[-1][1]

    await SiteConnector(resolver)("news.example", 443, lambda: "dora", protocol)
    [(sent, connected)] = made
    assert (sent, connected.peer) == (b"", ("127.0.0.1", port))
    server.close()
    resolver.close()
