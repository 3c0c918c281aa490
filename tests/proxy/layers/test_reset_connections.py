"""`proxy_addon/proxy/layers/reset_connections.py` with real sockets, under both event loops. (In a
proxy: `test_passed_stream.py`, answers while an upload goes on.)"""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from proxy_addon.proxy.layers.reset_connections import read_to_the_end
from proxy_addon.system import descriptors
from tests.loops import LOOPS

ANSWER = b"the whole answer" * 3000
BIG = bytes(1 << 20)


async def what_is_read(answer: bytes, *, writes: bool) -> bytes:
    """Of a site that answers and resets its connection, before the first byte is read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        read_to_the_end(reader, writer.transport)
        site, _ = listener.accept()
        writer.transport.pause_reading()  # as while a client reads slowly
        site.sendall(answer)
        site.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        site.close()
        if writes:
            while not writer.transport.is_closing():
                writer.write(BIG)
                await asyncio.sleep(0)
        else:
            writer.transport.resume_reading()
        try:
            async with asyncio.timeout(15):
                return await reader.read()
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)


def run(loop: str, answer: bytes, *, writes: bool) -> bytes:
    """The same, on a loop."""
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(what_is_read(answer, writes=writes))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("writes", [True, False], ids=["writing", "reading"])
def test_the_answer_is_whole(loop: str, *, writes: bool) -> None:
    """Whoever notices the reset first, and the end comes after it, without an exception."""
    assert run(loop, ANSWER, writes=writes) == ANSWER


@pytest.mark.parametrize("loop", LOOPS)
def test_no_more_than_is_kept(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer is given up."""
    monkeypatch.setattr(descriptors, "MOST_UNREAD", 1)
    monkeypatch.setattr(descriptors, "_PIECE", 1000)
    assert run(loop, ANSWER, writes=True) == ANSWER[:1000]
