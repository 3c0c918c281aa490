"""Twin of proxy_addon/relay/site_side.py: how fast each side is read depends on the other."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

from proxy_addon.relay.site_side import pause, resume
from tests.relay.light_path import LightPath

MEGABYTE = 1_000_000
ANSWER = b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno"


async def test_a_site_that_reads_nothing() -> None:
    """Its client is not read either, and little is kept; when it reads, everything arrives."""
    reads = asyncio.Event()
    received: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reads.wait()
        total = 0
        while data := await reader.read(MEGABYTE):
            total += len(data)
        received.set_result(total)

    async with LightPath(slow).running() as path:
        _, writer = await path.tunnel()
        writer.write(bytes(100 * MEGABYTE))
        await asyncio.sleep(0.3)
        (client,) = path.acceptor._clients
        assert client.site is not None
        assert client.site.transport.get_write_buffer_size() < 2 * MEGABYTE
        assert writer.transport.get_write_buffer_size() > 50 * MEGABYTE
        reads.set()
        writer.write_eof()
        assert await received == 100 * MEGABYTE
        writer.close()


async def test_an_answer_before_a_reset() -> None:
    """A site that answers and closes while its client still sends resets the connection: the client
    gets the answer, whether or not we were writing at that time."""

    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(ANSWER)
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with LightPath(refuses).running() as path:
        for size in (MEGABYTE, 50 * MEGABYTE):
            reader, writer = await path.tunnel()
            writer.write(b"\0" * size)
            assert await reader.readexactly(len(ANSWER)) == ANSWER
            writer.transport.abort()


async def test_a_connection_that_is_closing_is_left_alone() -> None:
    """Neither is an error."""
    one, other = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=one)
    transport = cast(asyncio.Transport, writer.transport)
    transport.close()
    pause(transport)
    resume(transport)
    other.close()
