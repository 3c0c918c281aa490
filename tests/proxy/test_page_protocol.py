"""Twin of proxy_addon/proxy/page_protocol.py: real sockets, and a small application."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy_addon.proxy.page_protocol import MAX_HEAD_BYTES, AcceptedHttpProtocols

BAD = b"HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers who is asking; `/slow` after a part of the body, `/broken` not at all."""
    if scope["path"] == "/broken":
        raise RuntimeError("this page is broken")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    text = str(scope["client"][0]).encode()
    await send({"type": "http.response.body", "body": text, "more_body": True})
    if scope["path"] == "/slow":
        await receive()
        await receive()
    await send({"type": "http.response.body", "body": b"."})


async def exchanged(data: bytes, later: bytes = b"") -> bytes:
    """Everything that comes back until the connection ends; `later` is sent after a moment."""
    loop, protocols = asyncio.get_running_loop(), AcceptedHttpProtocols()
    server = await loop.create_server(
        lambda: protocols.make(app, lambda: BAD),
        "127.0.0.1",
        0,
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(data)
    if later:
        await asyncio.sleep(0.05)
        writer.write(later)
    async with asyncio.timeout(5):
        got = await reader.read()
    writer.close()
    server.close()
    await asyncio.sleep(0.02)
    assert protocols.answering == set()
    return got


async def test_requests_one_after_the_other() -> None:
    """On one connection, until the client wants its end; forwarding headers change nothing."""
    last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\nX-Forwarded-For: 10.9.9.9\r\n\r\n")
    got = await exchanged(GET + last)
    assert got.count(b"HTTP/1.1 200 ") == 2
    assert got.count(b"127.0.0.1") == 2
    assert b"10.9.9.9" not in got


@pytest.mark.parametrize(
    "data",
    [
        b"rubbish\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 2 * MAX_HEAD_BYTES,
    ],
)
async def test_what_is_not_http(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The answer that we were given, once, and the end; nothing is logged of it."""
    assert await exchanged(data) == BAD
    assert caplog.records == []


async def test_rubbish_in_the_middle_of_an_answer() -> None:
    """Nothing is written into the answer that is under way."""
    head = GET.replace(b"/ H", b"/slow H").replace(
        b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    got = await exchanged(head + b"1\r\na\r\n", later=b"rubbish\r\n")
    assert got.startswith(b"HTTP/1.1 200 ")
    assert b"400" not in got


async def test_a_broken_application() -> None:
    """500 without a traceback, and the end."""
    got = await exchanged(GET.replace(b"/ H", b"/broken H"))
    assert got.startswith(b"HTTP/1.1 500 ")
    assert b"Traceback" not in got
