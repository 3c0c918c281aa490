"""Twin of proxy_addon/relay/acceptor.py: what happens to connections from outside."""

from __future__ import annotations

import asyncio

import pytest

from proxy_addon.relay.tunnel import ClientSide
from tests.relay.hellos import client_hello
from tests.relay.light_path import LightPath, connect_head, echo, module

FREE = client_hello("news.example")


async def test_rules_that_limit_a_host_now() -> None:
    """Its tunnels end, whether CONNECT or the greeting named it; others go on."""
    async with LightPath(echo).running() as path:
        tunnels = {}
        for host, name in (("a.example", "a.example"), ("b.example", "c.example")):
            reader, writer = await path.tunnel(host)
            hello = client_hello(name)
            writer.write(hello)
            await reader.readexactly(len(hello))
            tunnels[name] = (reader, writer)
        other, still = await path.tunnel("d.example")
        path.policy.limited |= {"a.example", "c.example"}
        path.acceptor.follow_rules()
        for reader, _ in tunnels.values():
            assert await reader.read() == b""
        still.write(b"\x00")
        assert await other.readexactly(1) == b"\x00"
        still.close()


async def test_rules_that_cannot_be_asked_end_tunnels() -> None:
    """A failure of ours lets nothing go on that may be limited now."""
    async with LightPath(echo).running() as path:
        reader, _ = await path.tunnel()
        path.policy.broken = True
        path.acceptor.follow_rules()
        assert await reader.read() == b""
        assert path.policy.failures == ["light_path"]


async def test_draining() -> None:
    """What is idle ends, what is new or passes bytes goes on, and at the end all is over."""
    async with LightPath(echo).running() as path:
        loop = asyncio.get_running_loop()
        idle, used = await path.tunnel()
        used.write(FREE)
        await idle.readexactly(len(FREE))
        path.acceptor.close_idle(loop.time(), 60.0, 60.0)  # what has passed until now is counted
        await asyncio.sleep(0.3)
        fresh, _ = await path.tunnel()
        busy, writer = await path.tunnel()
        writer.write(FREE)
        await busy.readexactly(len(FREE))
        path.acceptor.close_idle(loop.time(), 0.25, 60.0)
        assert await idle.read() == b""
        assert len(path.acceptor) == 2
        path.acceptor.close_all()
        assert await fresh.read() == b""
        assert await busy.read() == b""
        await path.empty()


async def reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A site that takes its time to answer."""
    while await reader.read(65_536):
        pass


@pytest.mark.parametrize(
    "said",
    [None, b"", FREE[:30], FREE],
    ids=["connected", "tunnel", "half a greeting", "greeting"],
)
async def test_draining_waits_for_who_is_slow(said: bytes | None) -> None:
    """A client that has just come, has opened a tunnel, is in the middle of its greeting, or waits
    for the answer of a slow site is not idle after a second; it does not stay for ever."""
    async with LightPath(reads).running() as path:
        reader, writer = await (path.open() if said is None else path.tunnel())
        if said:
            writer.write(said)
        await asyncio.sleep(0.1)
        now = asyncio.get_running_loop().time()
        path.acceptor.close_idle(now, 0.0, 5.0)
        path.acceptor.close_idle(now + 4.9, 1.0, 5.0)
        assert len(path.acceptor) == 1
        path.acceptor.close_idle(now + 5.2, 1.0, 5.0)
        assert await reader.read() == b""


async def test_a_connection_that_is_being_opened_is_not_idle() -> None:
    """Draining waits for the answer to CONNECT."""
    async with LightPath(echo).running() as path:
        path.connecting = asyncio.Event()
        reader, writer = await path.open(connect_head("news.example"))
        await asyncio.sleep(0.1)
        path.acceptor.close_idle(asyncio.get_running_loop().time(), 0.05, 0.05)
        path.connecting.set()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_site_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a while: 502 in our words, and nothing is left."""
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    async with LightPath(echo).running() as path:
        path.connecting = asyncio.Event()
        reader, _ = await path.open(connect_head("news.example"))
        async with asyncio.timeout(3):
            assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
        assert path.counts.failed == ["timeout"]
        await path.empty()
        assert path.site_connections == 0


async def test_a_connection_that_was_opened_long_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its head, its site and its greeting have all their time from when they begin."""
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(module, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(module, "HEAD_SECONDS", 1.0)
    async with LightPath(echo).running() as path:
        path.connecting = asyncio.Event()
        reader, writer = await path.open()
        head = connect_head("news.example")
        await asyncio.sleep(1.1)
        writer.write(head[:20])
        await asyncio.sleep(0.3)
        writer.write(head[20:])
        await asyncio.sleep(0.3)
        path.connecting.set()
        async with asyncio.timeout(3):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(1.1)
        writer.write(FREE[:20])
        await asyncio.sleep(0.3)
        writer.write(FREE[20:])
        async with asyncio.timeout(3):
            assert await reader.readexactly(len(FREE)) == FREE
        writer.close()


async def test_a_sign_in_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for something else than the site is not told that the site does not answer."""
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.0)
    async with LightPath(echo).running() as path:
        client = ClientSide(path.acceptor, asyncio.Protocol)
        client.transport = Unread()
        checked = asyncio.Event()
        client.wait_for(wait(checked))
        assert client.is_connecting
        assert not client.awaits_site
        path.acceptor._look_at([client], client.active + 300.0)
        await asyncio.sleep(0)
        assert client.is_connecting
        checked.set()
        await asyncio.sleep(0.01)
        assert not client.is_connecting


class Unread(asyncio.Transport):
    """A connection from which nothing is read for now."""

    def is_closing(self) -> bool:
        """See `asyncio.Transport`."""
        return False

    def pause_reading(self) -> None:
        """See `asyncio.Transport`."""


async def wait(event: asyncio.Event) -> None:
    """Until it is set."""
    await event.wait()


@pytest.mark.parametrize("greets", [False, True])
async def test_heads_and_greetings_that_never_end(
    monkeypatch: pytest.MonkeyPatch, greets: bool
) -> None:
    """They are closed after a while."""
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.2)
    async with LightPath(echo).running() as path:
        if greets:
            reader, writer = await path.tunnel()
            writer.write(FREE[:50])
        else:
            reader, writer = await path.open(b"CONNECT news")
        async with asyncio.timeout(3):
            assert await reader.read() == b""
        await path.empty()


async def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tunnel in which nothing passes ends after the idle time, one that is used does not."""
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.3)
    async with LightPath(echo).running() as path:
        idle, _ = await path.tunnel()
        busy, writer = await path.tunnel()
        for _ in range(10):
            writer.write(b"\x00")
            assert await busy.readexactly(1) == b"\x00"
            await asyncio.sleep(0.06)
        async with asyncio.timeout(3):
            assert await idle.read() == b""
        writer.close()


@pytest.mark.parametrize("asks", [False, True])
async def test_nothing_is_said(monkeypatch: pytest.MonkeyPatch, *, asks: bool) -> None:
    """Connections without a byte, and tunnels without a greeting, do not stay; those in which
    something was said do, as long as something may follow."""
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(module, "SILENT_SECONDS", 0.3)
    async with LightPath(echo).running() as path:
        used, writer = await path.tunnel()
        writer.write(b"\x00")
        assert await used.readexactly(1) == b"\x00"
        silent, _ = await (path.tunnel() if asks else path.open())
        async with asyncio.timeout(10):
            assert await silent.read() == b""
        writer.write(b"\x00")
        assert await used.readexactly(1) == b"\x00"
        writer.close()


async def test_too_many_connections_of_one_address() -> None:
    """The next one is refused, until one of them has ended."""
    async with LightPath(echo).running() as path:
        path.policy.most = 2
        _, first = await path.open()
        await path.open()
        await asyncio.sleep(0.1)
        refused, _ = await path.open()
        async with asyncio.timeout(10):
            assert (await refused.read()).startswith(b"HTTP/1.1 429 ")
        assert path.policy.failures == ["too many of 127.0.0.1"]
        first.close()
        while path.acceptor._open.count("127.0.0.1") == 2:
            await asyncio.sleep(0.01)
        reader, writer = await path.tunnel()
        writer.write(b"\x00")
        assert await reader.readexactly(1) == b"\x00"
        writer.close()


async def test_a_closed_connection_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its descriptor is not kept for ever."""
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(module, "STALLED_SECONDS", 0.2)

    async def film(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(bytes(30_000_000))
        await writer.drain()

    async with LightPath(film).running() as path:
        _, writer = await path.tunnel()
        writer.write(b"\x00")
        await asyncio.sleep(0.2)
        path.acceptor.close_all()
        await path.empty()


async def test_no_descriptor_left() -> None:
    """A connection for which there is no room gets a word; those that are open go on."""
    async with LightPath(echo, most=1).running() as path:
        reader, _ = await path.open()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        assert len(path.acceptor) == 0


async def test_networks_that_are_not_served() -> None:
    """The engine refuses them, as it does without a light path."""
    async with LightPath(echo).running() as path:
        path.policy.refuses = True
        _, writer = await path.open(b"anything")
        async with asyncio.timeout(3):
            while not path.engine_saw:
                await asyncio.sleep(0.01)
        assert path.engine_saw == [b"anything"]
        writer.close()


async def test_a_thousand_tunnels_leave_nothing() -> None:
    """Opened and closed in every way, none is kept."""
    async with LightPath(echo).running() as path:
        for i in range(200):
            _, writer = await path.open(connect_head("news.example")[: i % 40 + 1])
            if i % 3 == 0:
                writer.transport.abort()
            else:
                writer.close()
        await path.empty()
        assert path.counts.accepted_ == 0


async def test_whoever_watches_a_tunnel_ends_it() -> None:
    """After a change of rules it is not closed from here; its watcher hears of its bytes, may ask
    for them at any time, and may end it."""
    async with LightPath(echo).running() as path:
        path.policy.watched = True
        reader, writer = await path.tunnel()
        writer.write(FREE)
        await reader.readexactly(len(FREE))
        path.policy.limited.add("news.example")
        path.acceptor.follow_rules()
        (watched,) = path.policy.tunnels
        assert isinstance(watched, ClientSide)
        watched.count()
        assert path.policy.bytes == 2 * len(FREE)
        writer.write(b"\x00")
        assert await reader.readexactly(1) == b"\x00"
        watched.close()
        assert await reader.read() == b""
        await path.empty()
        assert (path.policy.bytes, path.policy.ends) == (2 * len(FREE) + 2, 1)


async def test_terms_that_do_not_hold_any_more() -> None:
    """Between CONNECT and greeting the answer has become another one: the engine goes on."""
    async with LightPath(echo).running() as path:
        path.policy.changes_its_mind = True
        reader, writer = await path.tunnel()
        writer.write(FREE)
        assert await reader.readexactly(11) == b"engine here"
        assert path.engine_saw == [connect_head("news.example") + FREE]
        assert path.counts.tunnels == 0
        writer.close()


async def test_a_site_that_speaks_first_on_terms_that_do_not_hold() -> None:
    """Nothing of what it says reaches the client."""

    async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await echo(reader, writer)

    async with LightPath(banner).running() as path:
        path.policy.changes_its_mind = True
        reader, writer = await path.tunnel()
        writer.write(b"EHLO x\r\n")
        assert await reader.readexactly(11) == b"engine here"
        writer.close()
