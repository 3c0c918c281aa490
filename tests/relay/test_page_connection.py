"""Twin of proxy_addon/relay/page_connection.py: real sockets on loopback, pages and an engine."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from proxy_addon.relay import page_connection as module
from tests.e2e.authority import Authority
from tests.relay.hellos import client_hello
from tests.relay.light_path import ESTABLISHED, LightPath, connect_head, echo
from tests.relay.pages import CONNECT, GET, HOST, REFUSED, SLOW, Pages

INSIDE = b"GET / HTTP/1.1\r\nHost: allowance.internal\r\n\r\n"


async def answer(reader: asyncio.StreamReader) -> str:
    """Status and body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, _, rest = head.partition(b"\r\n")
    size = int(rest.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return f"{status.split()[1].decode()} {(await reader.readexactly(size)).decode()}".strip()


async def engine_has(path: LightPath, count: int = 1) -> None:
    """Wait until the engine has been given so much."""
    async with asyncio.timeout(5):
        while len(path.engine_saw) < count:
            await asyncio.sleep(0.005)


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    """Pages with a certificate."""
    authority = Authority(tmp_path)
    return Pages(leaf=authority.leaf_file(HOST), trust=authority.ca_file)


async def test_plain_requests_one_after_the_other(pages: Pages) -> None:
    """One connection, several requests, also when they come in one packet or byte by byte; nobody
    is named by the connection."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(GET)
        assert await answer(reader) == f"200 None {len(GET)}"
        writer.write(GET + GET)
        assert [await answer(reader), await answer(reader)] == [f"200 None {len(GET)}"] * 2
        for at in range(len(GET)):
            writer.write(GET[at : at + 1])
            await asyncio.sleep(0)
        assert await answer(reader) == f"200 None {len(GET)}"
        assert len(path.acceptor) == 1
        writer.close()
        await path.empty()
        assert (path.counts.accepted_, pages.lost, path.engine_saw) == (1, 1, [])


async def test_a_body_goes_with_its_head(pages: Pages) -> None:
    """The next request begins behind it."""
    post = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc")
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(post + GET)
        assert await answer(reader) == f"200 None {len(post)}"
        assert await answer(reader) == f"200 None {len(GET)}"
        writer.close()


@pytest.mark.parametrize(
    "other",
    [
        b"GET http://news.example/ HTTP/1.1\r\nHost: news.example\r\n\r\n",
        GET.replace(b"Host: allowance.internal", b"Host: news.example"),
        GET.replace(b"\r\n\r\n", b"\r\nHost: allowance.internal\r\n\r\n"),
        b"rubbish",
    ],
)
async def test_another_request_on_the_same_connection(pages: Pages, other: bytes) -> None:
    """What a front proxy sends next over the connection is the engine's, whole; our page sees
    nothing of it."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(SLOW + other)
        async with asyncio.timeout(5):
            while not pages.waiting:
                await asyncio.sleep(0.005)
        assert path.engine_saw == []  # not before the answer is complete
        pages.answer()
        assert (await answer(reader)).startswith("200 None")
        await engine_has(path)
        assert path.engine_saw[0] == other
        assert (pages.released, pages.lost) == (1, 0)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED  # the engine's
        writer.close()
        await path.empty()


async def test_a_connect_after_a_page(pages: Pages) -> None:
    """A tunnel that nobody has to decide about is relayed, also on such a connection."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(GET)
        await answer(reader)
        writer.write(connect_head("news.example"))
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        hello = client_hello("news.example")
        writer.write(hello)
        assert await reader.readexactly(len(hello)) == hello
        writer.close()


async def test_a_tunnel_with_plain_http(pages: Pages) -> None:
    """Whose it is, is known from CONNECT."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(CONNECT + INSIDE)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        assert await answer(reader) == f"200 dora {len(INSIDE)}"
        writer.write(INSIDE)
        assert await answer(reader) == f"200 dora {len(INSIDE)}"
        writer.close()
        await path.empty()


@pytest.mark.parametrize("early", [False, True])
async def test_a_tunnel_with_tls(pages: Pages, early: bool) -> None:
    """With the certificate of the pages, however it comes; closing leaves nothing."""
    context = ssl.create_default_context(cafile=str(pages.trust))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=HOST)
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(b"" if early else CONNECT)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        hello = outgoing.read()
        if early:
            writer.write(CONNECT + hello)
        else:
            for at in range(0, len(hello), 50):
                writer.write(hello[at : at + 50])
                await asyncio.sleep(0.001)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(await reader.read(65_536))
        tls.write(INSIDE)
        writer.write(outgoing.read())
        got = b""
        while b"dora" not in got:
            try:
                got += tls.read(1000)
            except ssl.SSLWantReadError:
                incoming.write(await reader.read(65_536))
        assert got.startswith(b"HTTP/1.1 200 ")
        assert len(path.acceptor) == 1
        writer.close()
        await path.empty()
        assert pages.lost == 1


@pytest.mark.parametrize(
    "greeting",
    [
        client_hello("facebook.com"),
        b"GET / HTTP/1.1\r\nHost: facebook.com\r\n\r\n",
        b"SSH-2.0-client\r\n",
        b"\x16\x03\x01\x00\x05\x02abcd",
        INSIDE.replace(b"\r\n\r\n", b"\r\nHost: facebook.com\r\n\r\n"),
    ],
)
async def test_a_greeting_for_somebody_else(pages: Pages, greeting: bytes) -> None:
    """The engine gets CONNECT and greeting; its second answer to CONNECT is dropped."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(CONNECT)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        writer.write(greeting)
        await engine_has(path)
        assert path.engine_saw[0] == CONNECT + greeting
        assert await reader.readexactly(11) == b"engine here"
        writer.close()
        assert pages.waiting == []


async def test_sign_in_first(pages: Pages) -> None:
    """The refusal leaves the connection open: the next CONNECT brings the name."""
    pages.refuses = True
    signed = CONNECT.replace(b"\r\n\r\n", b"\r\nProxy-Authorization: Basic eA==\r\n\r\n")
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(CONNECT)
        assert await reader.readexactly(len(REFUSED)) == REFUSED
        writer.write(signed + INSIDE)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        assert await answer(reader) == f"200 dora {len(INSIDE)}"
        writer.close()
        await path.empty()
        assert path.counts.accepted_ == 1


async def test_failures_of_ours(pages: Pages) -> None:
    """Who asks cannot be told: the engine decides. No page can be made: the connection ends."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        pages.broken = True
        _, writer = await path.open(CONNECT)
        await engine_has(path)
        assert (path.engine_saw[0], path.policy.failures) == (CONNECT, ["pages"])
        writer.close()
        pages.broken, pages.broken_inside = False, True
        reader, writer = await path.open(GET)
        assert await reader.read() == b""
        assert path.policy.failures == ["pages", "pages"]
        writer.close()
        pages.broken_inside = False
        reader, writer = await path.open(GET.replace(b"internal/ ", b"internal/broken "))
        assert await reader.read() == b""
        assert path.policy.failures == ["pages", "pages", "pages"]
        writer.close()
        await path.empty()


def distrusts(port: int) -> None:
    """A client without our CA."""
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        plain.sendall(CONNECT)
        assert plain.recv(len(ESTABLISHED), socket.MSG_WAITALL) == ESTABLISHED
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(plain, server_hostname=HOST)


async def test_a_client_that_distrusts_us(pages: Pages) -> None:
    """It says so, and leaves; that is counted."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        await asyncio.to_thread(distrusts, path.port)
        await path.empty()
        assert pages.distrusted == 1


async def test_a_handshake_that_breaks(pages: Pages) -> None:
    """Rubbish after a good greeting ends the connection, and is nobody's distrust."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(CONNECT + client_hello(HOST))
        await reader.readexactly(len(ESTABLISHED))
        writer.write(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        async with asyncio.timeout(5):
            await reader.read()
        await path.empty()
        assert (pages.distrusted, pages.lost) == (0, 0)


@pytest.mark.parametrize(
    "data", [CONNECT, CONNECT + client_hello(HOST)[:-1], CONNECT + client_hello(HOST), GET, SLOW]
)
async def test_clients_that_vanish(pages: Pages, data: bytes) -> None:
    """At any time: no connection is kept, and no task."""
    before = asyncio.all_tasks()
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        _, writer = await path.open(data)
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await path.empty()
    await asyncio.sleep(0.05)
    assert len(asyncio.all_tasks() - before) == 0


@pytest.mark.parametrize("data", [CONNECT, CONNECT + b"GET / HT", GET, GET + GET[:20], SLOW])
async def test_what_waits_for_too_long(
    pages: Pages, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that does not end, and a connection on which nothing happens."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.1)
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(data)
        await asyncio.sleep(0.05)
        assert len(path.acceptor) == 1
        await asyncio.sleep(0.25)
        path.acceptor._pages.close_overdue(asyncio.get_running_loop().time())
        async with asyncio.timeout(2):
            await reader.read()
        await path.empty()
        writer.close()


async def test_back_pressure(pages: Pages) -> None:
    """A client that reads slowly slows the page, and nothing of it is lost; one that reads no more
    is given up."""
    big = GET.replace(b"internal/ ", b"internal/big ")
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        reader, writer = await path.open(big)
        async with asyncio.timeout(5):
            while not pages.pressure:
                await asyncio.sleep(0.005)
            assert await answer(reader) == f"200 None {len(big)}"  # and ten million blanks
        assert pages.pressure == ["pause", "resume"]
        writer.write(big)
        async with asyncio.timeout(5):
            while len(pages.pressure) < 3:
                await asyncio.sleep(0.005)
        path.acceptor.close_all()
        await asyncio.sleep(0.05)
        assert len(path.acceptor) == 1  # the rest is still to be delivered
        later = asyncio.get_running_loop().time() + module.STALLED_SECONDS + 1
        path.acceptor._pages.close_overdue(later)
        await path.empty()
        writer.close()


async def test_failures_of_ours_inside_a_tunnel(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No certificate: the connection ends. A greeting that we cannot read: the engine's."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        pages.leaf = Path("missing.pem")
        reader, writer = await path.open(CONNECT + client_hello(HOST))
        assert await reader.read() == ESTABLISHED
        writer.close()

        def broken(data: bytes) -> None:
            raise ValueError("broken")

        monkeypatch.setattr(module, "read_greeting", broken)
        reader, writer = await path.open(CONNECT + INSIDE)
        await engine_has(path)
        assert path.engine_saw[0] == CONNECT + INSIDE
        assert path.policy.failures == ["pages", "pages"]
        writer.close()
        await path.empty()


async def test_too_much_before_its_turn(pages: Pages) -> None:
    """A client that sends on and on while a request is answered is not kept."""
    async with LightPath(echo).running() as path:
        path.policy.pages = pages
        _, writer = await path.open(SLOW + GET * 2000)
        await path.empty()
        writer.close()
