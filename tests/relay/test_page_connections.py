"""Twin of proxy_addon/relay/page_connections.py."""

from __future__ import annotations

import asyncio

from tests.relay.light_path import LightPath, echo
from tests.relay.pages import CONNECT, GET, SLOW, Pages


async def test_without_pages_all_is_the_engine_s() -> None:
    """As with `light_path = off`."""
    async with LightPath(echo).running() as path:
        for number, data in enumerate((GET, CONNECT)):
            _, writer = await path.open(data)
            async with asyncio.timeout(5):
                while len(path.engine_saw) < 2 * number + 1:
                    await asyncio.sleep(0.005)
            assert path.engine_saw[2 * number] == data
            writer.close()
            async with asyncio.timeout(5):
                while len(path.engine_saw) < 2 * number + 2:
                    await asyncio.sleep(0.005)


async def test_draining() -> None:
    """Streams are told to end, what is idle is closed, what is being answered may finish, and what
    is left is ended."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages = Pages()
        idle, _ = await path.open(GET)
        await idle.readuntil(b"\r\n\r\n")
        busy, _ = await path.open(SLOW)
        await asyncio.sleep(0.05)
        assert len(path.acceptor) == 2
        path.acceptor.close_idle(asyncio.get_running_loop().time() + 2, 1.0, 1.0)
        assert pages.ended == 1
        async with asyncio.timeout(5):
            await idle.read()
        assert len(path.acceptor) == 1
        path.acceptor.close_all()
        assert await busy.read() == b""
        await path.empty()


async def test_draining_waits_for_who_has_just_come() -> None:
    """A tunnel to our pages in which nobody has asked yet, or only half, is not idle after a
    second; it does not stay for ever."""
    async with LightPath(echo).running() as path:
        path.policy.pages = Pages()
        fresh, _ = await path.open(CONNECT)
        begun, writer = await path.open(CONNECT)
        for reader in (fresh, begun):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(b"GET / HTTP/1.1\r\n")
        await asyncio.sleep(0.05)
        now = asyncio.get_running_loop().time()
        path.acceptor.close_idle(now + 4.0, 1.0, 5.0)
        assert len(path.acceptor) == 2
        path.acceptor.close_idle(now + 6.0, 1.0, 5.0)
        async with asyncio.timeout(5):
            assert await fresh.read() == b""
            await begun.read()
        await path.empty()


async def test_rules_that_change() -> None:
    """The pages hear of it; their connections stay."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages = Pages()
        reader, writer = await path.open(GET)
        await reader.readuntil(b"\r\n\r\n")
        path.acceptor.follow_rules()
        assert (pages.followed, len(path.acceptor)) == (1, 1)
        writer.close()
        await path.empty()
