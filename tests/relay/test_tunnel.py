"""Twin of proxy_addon/relay/tunnel.py: real sockets on loopback, a site and an engine."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from tests.relay.hellos import client_hello, in_records
from tests.relay.light_path import ESTABLISHED, LightPath, connect_head, echo

FREE, LIMITED = client_hello("news.example"), client_hello("facebook.com")


async def test_bytes_both_ways() -> None:
    """A greeting and everything after it reach the site, and its answers the client."""
    async with LightPath(echo).running() as path:
        reader, writer = await path.tunnel()
        for data in (FREE, b"a" * 300_000, b"b"):
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
        writer.close()
        await path.empty()
        assert path.counts.tunnels == path.counts.accepted_ == 1
        assert path.counts.to_site == path.counts.from_site == len(FREE) + 300_001
        assert path.engine_saw == []


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_everything_in_small_pieces(size: int) -> None:
    """Head and greeting a few bytes at a time."""
    async with LightPath(echo).running() as path:
        reader, writer = await path.open()
        writer.get_extra_info("socket").setsockopt(6, 1, 1)
        head = connect_head("news.example")
        for start in range(0, len(head), size):
            writer.write(head[start : start + size])
            await asyncio.sleep(0)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        for start in range(0, len(FREE), size):
            writer.write(FREE[start : start + size])
            await asyncio.sleep(0)
        assert await reader.readexactly(len(FREE)) == FREE
        writer.close()


async def test_a_client_that_does_not_wait_for_the_answer() -> None:
    """What is sent right behind CONNECT is not lost."""
    async with LightPath(echo).running() as path:
        reader, writer = await path.tunnel(more=FREE)
        assert await reader.readexactly(len(FREE)) == FREE
        writer.close()


@pytest.mark.parametrize(
    "greeting",
    [
        LIMITED,
        in_records(LIMITED, 1, 50),
        b"GET / HTTP/1.1\r\nHost: facebook.com\r\n\r\n",
        b"\x16\x04broken",
    ],
)
async def test_a_greeting_that_the_engine_has_to_see(greeting: bytes) -> None:
    """The engine gets CONNECT and greeting as if it had been there from the start; the client gets
    no second answer to its CONNECT, and the site nothing."""
    async with LightPath(echo).running() as path:
        reader, writer = await path.tunnel()
        writer.write(greeting)
        assert await reader.readexactly(11) == b"engine here"
        writer.write(b"more")
        assert await reader.read() == b""
        assert path.engine_saw == [connect_head("news.example") + greeting, b"more"]
        assert (len(path.acceptor), path.counts.tunnels, path.counts.to_site) == (0, 0, 0)


async def test_a_greeting_that_the_engine_refuses() -> None:
    """What would have been refused at CONNECT ends the connection."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 407 Sign in\r\nContent-Length: 0\r\n")
        writer.write(b"\r\n")
        await writer.drain()

    async with LightPath(echo, refuse).running() as path:
        reader, writer = await path.tunnel()
        writer.write(LIMITED)
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        connect_head("facebook.com"),
        b"GET http://news.example/ HTTP/1.1\r\nHost: news.example\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"CONNECT news.example:443 HTTP/1.0\r\n\r\n",
        b"rubbish" * 100,
    ],
)
async def test_what_is_the_engines_from_the_start(data: bytes) -> None:
    """Limited hosts, plain requests and whatever is unusual: all bytes, and no answer of ours."""
    async with LightPath(echo).running() as path:
        reader, writer = await path.open(data)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        assert path.engine_saw == [data]
        assert path.site_connections == 0
        writer.close()


async def test_a_failure_of_ours_is_the_engines() -> None:
    """At CONNECT, and at the greeting: it is counted, and the engine goes on."""
    async with LightPath(echo).running() as path:
        path.policy.broken = True
        reader, writer = await path.open(connect_head("news.example"))
        await reader.readexactly(len(ESTABLISHED))
        assert path.engine_saw == [connect_head("news.example")]
        writer.close()
        path.policy.broken = False
        reader, writer = await path.tunnel()
        path.policy.broken = True
        writer.write(FREE)
        assert await reader.readexactly(11) == b"engine here"
        assert path.policy.failures == ["light_path"] * 2
        writer.close()


async def test_a_site_that_speaks_first() -> None:
    """Its words reach the client at once."""

    async def banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await echo(reader, writer)

    async with LightPath(banner).running() as path:
        reader, writer = await path.tunnel()
        assert await reader.readexactly(11) == b"220 ready\r\n"
        writer.write(b"EHLO x\r\n")
        assert await reader.readexactly(8) == b"EHLO x\r\n"
        writer.close()


async def test_a_client_that_ends_first() -> None:
    """Half-close: the site still answers what it got."""

    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"got %d" % len(await reader.read()))

    async with LightPath(answer_at_the_end).running() as path:
        reader, writer = await path.tunnel()
        writer.write(b"\x00" * 10)
        writer.write_eof()
        assert await reader.read() == b"got 10"
        writer.close()
        await path.empty()


@pytest.mark.parametrize("greeting", [b"GET / HTTP/1.1\r\nHost: facebook.com\r\n", LIMITED[:-1]])
async def test_a_client_that_ends_within_its_greeting(greeting: bytes) -> None:
    """Nothing of it reaches the site: some servers take the end of the connection for the end of a
    head, and answer for a host that nobody has decided about."""
    async with LightPath(echo).running() as path:
        reader, writer = await path.tunnel()
        writer.write(greeting)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await path.empty()
        assert path.counts.to_site == path.counts.tunnels == 0


async def test_a_site_that_ends_first() -> None:
    """Half-close the other way round: the client still sends."""
    rest: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"bye")
        writer.write_eof()
        rest.set_result(await reader.read())

    async with LightPath(end).running() as path:
        reader, writer = await path.tunnel()
        writer.write(b"\x00")
        assert await reader.read() == b"bye"
        writer.write(b"still here")
        writer.close()
        assert await rest == b"still here"
        await path.empty()


async def test_back_pressure() -> None:
    """A client that reads nothing holds the site up, and the proxy keeps little of its answer."""
    sent = 0

    async def film(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readexactly(1)
        for _ in range(1000):
            writer.write(b"x" * 100_000)
            await writer.drain()
            sent += 100_000

    async with LightPath(film).running() as path:
        reader, writer = await path.tunnel()
        writer.write(b"\x00")
        await asyncio.sleep(0.5)
        (client,) = path.acceptor._clients
        assert client.transport.get_write_buffer_size() < 1_000_000
        assert sent < 60_000_000
        received = 0
        while data := await reader.read(1_000_000):
            received += len(data)
        assert received == 100_000_000


async def test_a_dead_site() -> None:
    """502 in our words, and the connection ends."""
    async with LightPath(echo).running() as path:
        reader, _ = await path.open(connect_head("dead.example"))
        assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
        assert path.counts.failed == ["refused"]
        await path.empty()


async def test_a_client_that_goes_away_while_its_site_is_connected_to() -> None:
    """The attempt is given up, and nothing is left."""
    async with LightPath(echo).running() as path:
        path.connecting = asyncio.Event()
        _, writer = await path.open(connect_head("news.example"))
        while not len(path.acceptor):
            await asyncio.sleep(0.01)
        writer.transport.abort()
        await path.empty()
        path.connecting.set()
        await asyncio.sleep(0.05)
        assert path.site_connections == 0


def reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Closing this connection sends a reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("side", ["client", "site"])
async def test_resets(side: str) -> None:
    """Either side resets its connection: the other one ends as well."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        if side == "site":
            reset_on_close(writer)
            writer.transport.abort()
        await reader.read()

    async with LightPath(reset).running() as path:
        reader, writer = await path.tunnel()
        writer.write(b"\x00")
        await asyncio.sleep(0.05)
        if side == "client":
            reset_on_close(writer)
            writer.transport.abort()
        else:
            assert await reader.read() == b""
        await path.empty()


async def test_too_much_before_the_answer() -> None:
    """A client that sends without waiting cannot fill the memory."""
    async with LightPath(echo).running() as path:
        path.connecting = asyncio.Event()
        reader, writer = await path.open(connect_head("news.example"))
        writer.write(bytes(1_000_000))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        await path.empty()


PASSED = b"PROXY TCP4 10.0.7.21 127.0.0.1 50000 8080\r\n"


async def test_the_address_that_a_balancer_passes_on() -> None:
    """The engine sees the person's address, not the balancer's, in one packet or in many."""
    seen: list[object] = []

    async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((writer.get_extra_info("peername"), await reader.read(100)))
        writer.close()

    async with LightPath(echo, engine).running() as path:
        path.policy.balanced = True
        _, writer = await path.open(PASSED + b"GET http://a/ HTTP/1.1\r\n")
        _, slow = await path.open()
        for byte in PASSED + b"G":
            slow.write(bytes([byte]))
            await asyncio.sleep(0)
        async with asyncio.timeout(3):
            while len(seen) < 2:
                await asyncio.sleep(0.01)
        address = ("10.0.7.21", 50000)
        assert sorted(seen) == [(address, b"G"), (address, b"GET http://a/ HTTP/1.1\r\n")]
        writer.close()


async def test_a_tunnel_behind_a_balancer() -> None:
    """Relayed as ever."""
    async with LightPath(echo).running() as path:
        path.policy.balanced = True
        reader, writer = await path.open(PASSED + connect_head("news.example") + FREE)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        assert await reader.readexactly(len(FREE)) == FREE
        writer.close()


@pytest.mark.parametrize(
    ("balanced", "data"),
    [
        (True, connect_head("news.example")),
        (True, b"\x16\x03\x01"),
        (True, b"PROXY TCP4 10.0.7.21 127.0.0.1 50000\r\n"),
        (False, PASSED + connect_head("news.example")),
        (False, b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(12)),
        (False, b"PROXY broken"),
    ],
)
async def test_headers_that_are_refused(balanced: bool, data: bytes) -> None:
    """None from a balancer, and one from anybody else: closed, and nothing is answered."""
    async with LightPath(echo).running() as path:
        path.policy.balanced = balanced
        reader, _ = await path.open(data)
        assert await reader.read() == b""
        assert len(path.policy.failures) == 1
        assert path.engine_saw == []
        await path.empty()
