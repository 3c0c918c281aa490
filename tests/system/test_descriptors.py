"""Twin of proxy_addon/system/descriptors.py: the limit on open files, in a process of its own."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest

from proxy_addon.system.descriptors import has_unread, take_unread

CODE = """
import resource
from proxy_addon.system.descriptors import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard"), [(100, 700), (700, 700)])
def test_the_soft_limit_becomes_the_hard_one(soft: int, hard: int) -> None:
    """Whatever it was before."""
    code = CODE.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["700", "700", "700"]


async def test_has_unread() -> None:
    """Bytes that have come and were not read are seen; nothing is seen once they were, or the
    connection is closed."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    transport = writer.transport
    transport.pause_reading()
    with theirs:
        assert not has_unread(transport)
        theirs.sendall(b"here")
        assert has_unread(transport)
        transport.resume_reading()
        assert await reader.readexactly(4) == b"here"
        assert not has_unread(transport)
        transport.abort()
        await asyncio.sleep(0)
        assert not has_unread(transport)


async def test_take_unread() -> None:
    """All that has come is taken, also before a reset, and nothing where there is nothing."""
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    writer.transport.pause_reading()
    with theirs:
        assert list(take_unread(writer.transport)) == []
        theirs.sendall(b"here" * 30_000)
        assert b"".join(take_unread(writer.transport)) == b"here" * 30_000
        writer.transport.abort()
        await asyncio.sleep(0)
        assert list(take_unread(writer.transport)) == []
