"""The site that every test origin serves: pages, pictures, streams, uploads, WebSockets; one ASGI
app.

Every request is written to a `Record` *before* it is answered, so that a test can assert what
reached a site and, more often, what never did.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import threading
import time
import zlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

STEP = 0.1  # seconds between the chunks of /stream
MEGABYTE = bytes(1 << 20)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as the origin received it; header names in lower case, `at` on the monotonic
    clock."""

    at: float
    scheme: str
    http_version: str
    method: str
    host: str
    path: str
    headers: dict[str, str]


@dataclass
class Record:
    """What reached the origins: requests, TLS names, raw connections. Safe to read from any
    thread."""

    requests: list[Seen] = field(default_factory=list)
    tls_names: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    uploads: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def to(self, host: str, path: str | None = None) -> list[Seen]:
        """Requests that named `host`, optionally only those for `path` (without its query)."""
        with self.lock:
            fits = [seen for seen in self.requests if seen.host.split(":")[0] == host]
        return [seen for seen in fits if path is None or seen.path.split("?")[0] == path]

    def contacted(self, host: str) -> bool:
        """True when any request for `host`, or a TLS handshake that named it, got here."""
        return bool(self.to(host)) or host in self.tls_names

    def header_names(self) -> set[str]:
        """Every header name that any origin has been sent."""
        with self.lock:
            return {name for seen in self.requests for name in seen.headers}

    def text(self) -> str:
        """Everything that was received, as one text to search for what must not be in it."""
        with self.lock:
            return "\n".join(f"{s.method} {s.host}{s.path} {s.headers}" for s in self.requests)


def png(number: int, side: int = 48) -> bytes:
    """A real picture: a square whose colour follows from its number."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    colour = bytes(((number * step) % 200 + 40) for step in (37, 59, 83))
    rows = (b"\0" + colour * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    image = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + image


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{host}</title>
<link rel="icon" href="/image/9.png"><body><h1 id="site">{host}</h1><p id="api">waiting</p>
<img src="/image/1.png" alt="one"> <img src="/image/2.png" alt="two"> {embed}
<script src="/static/app.js"></script></body></html>"""
SCRIPT = """fetch('/api/hello').then(r => r.json()).then(j => {
  document.getElementById('api').textContent = 'api says ' + j.path; });"""
FEED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>feed of {host}</title>
<link rel="icon" href="/image/9.png"><body><h1>Feed of {host}</h1><div id="feed"></div>
<div id="end" style="height:40px"></div><script>
let page = 0;
async function more() {{
  const posts = await (await fetch('/api/feed?page=' + page++)).json();
  for (const n of posts.images) {{
    const post = document.createElement('div');
    post.className = 'post'; post.style.height = '300px';
    post.innerHTML = '<p>post ' + n + '</p><img src="/image/' + n + '.png">';
    document.getElementById('feed').append(post);
  }}
}}
new IntersectionObserver(e => {{ if (e[0].isIntersecting) more(); }}).observe(document.getElementById('end'));
</script></body></html>"""


class Site:
    """The ASGI application. `record` grows; nothing else is kept between requests."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.routes: list[tuple[str, Callable[[Exchange], Any]]] = [
            ("/stream", stream),
            ("/late", late),
            ("/big", big),
            ("/upload", self.upload),
            ("/sse", events),
            ("/headers", headers),
            ("/image/", image),
            ("/api/feed", feed_page),
            ("/api/", api),
            ("/static/", script),
            ("/feed", feed),
            ("/", page),
        ]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        exchange = Exchange(scope, receive, send)
        with self.record.lock:
            self.record.requests.append(exchange.seen())
        if scope["type"] == "websocket":
            await socket(exchange)
            return
        # What lies below a section's folder is the same site once more.
        path = scope["path"].removeprefix("/learning")
        handler = next(handler for prefix, handler in self.routes if path.startswith(prefix))
        if handler in (stream, late, big, events):
            await until_gone(exchange, handler(exchange))
        else:
            await handler(exchange)

    async def upload(self, exchange: Exchange) -> None:
        """Count and hash the body; what arrived is recorded even when the client breaks off."""
        total, digest = 0, hashlib.sha256()
        while True:
            message = await exchange.receive()
            total += len(message.get("body", b""))
            digest.update(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                break
        with self.record.lock:
            self.record.uploads.append(total)
        await exchange.json({"bytes": total, "sha256": digest.hexdigest()})


class Exchange:
    """One request with the few verbs that the handlers need."""

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self.query = {
            key: values[-1] for key, values in parse_qs(scope["query_string"].decode()).items()
        }
        self.headers = {
            name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]
        }

    @property
    def host(self) -> str:
        """The Host header or :authority, as it came."""
        return self.headers.get("host", "")

    def seen(self) -> Seen:
        """This request as a record entry."""
        query = self.scope["query_string"].decode()
        return Seen(
            at=time.monotonic(),
            scheme=self.scope["scheme"],
            http_version=self.scope["http_version"],
            method=self.scope.get("method", "WEBSOCKET"),
            host=self.host,
            path=self.scope["path"] + (f"?{query}" if query else ""),
            headers=self.headers,
        )

    async def start(self, content_type: str, length: int | None = None) -> None:
        """Send the status line and headers."""
        fields = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store")]
        if length is not None:
            fields.append((b"content-length", str(length).encode()))
        await self.send({"type": "http.response.start", "status": 200, "headers": fields})

    async def chunk(self, data: bytes, more: bool = True) -> None:
        """Send a piece of the body."""
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def disconnected(self) -> None:
        """Wait until the other side has left. The request's body is dropped."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def whole(self, content_type: str, data: bytes) -> None:
        """Send a complete answer."""
        await self.start(content_type, len(data))
        await self.chunk(data, more=False)

    async def json(self, value: Any) -> None:
        """Send a complete JSON answer."""
        await self.whole("application/json", json.dumps(value).encode())


async def until_gone(exchange: Exchange, answer: Coroutine[Any, Any, None]) -> None:
    """Send a long answer; stop when nobody is there: the server would go on, with cost for all
    tests that follow."""
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(answer)
        watching = group.create_task(exchange.disconnected())
        sending.add_done_callback(lambda _: watching.cancel())
        watching.add_done_callback(lambda _: sending.cancel())


async def page(exchange: Exchange) -> None:
    """An HTML page; `?embed=URL` puts somebody else's like button (an iframe) on it."""
    embed = exchange.query.get("embed", "")
    frame = f'<iframe src="{embed}" title="like button"></iframe>' if embed else ""
    text = PAGE.format(host=exchange.host, embed=frame)
    await exchange.whole("text/html; charset=utf-8", text.encode())


async def feed(exchange: Exchange) -> None:
    """A page that loads more posts as its reader scrolls."""
    await exchange.whole("text/html; charset=utf-8", FEED.format(host=exchange.host).encode())


async def feed_page(exchange: Exchange) -> None:
    """The next five posts of the feed."""
    first = int(exchange.query.get("page", "0")) * 5
    await exchange.json({"images": list(range(first, first + 5))})


async def api(exchange: Exchange) -> None:
    """Any API call."""
    await exchange.json({"path": exchange.scope["path"], "host": exchange.host})


async def script(exchange: Exchange) -> None:
    """The script of the page; it makes one API call."""
    await exchange.whole("text/javascript", SCRIPT.encode())


async def image(exchange: Exchange) -> None:
    """A picture by number."""
    number = exchange.scope["path"].rsplit("/", 1)[1].removesuffix(".png")
    await exchange.whole("image/png", png(int(number) if number.isdigit() else 0))


async def headers(exchange: Exchange) -> None:
    """The request headers, as the origin saw them."""
    await exchange.json(exchange.headers)


async def stream(exchange: Exchange) -> None:
    """`?seconds=S&rate=B&type=T`: B bytes a second for S seconds, in ten chunks a second."""
    seconds, rate = (
        float(exchange.query.get("seconds", "5")),
        int(exchange.query.get("rate", "50000")),
    )
    await exchange.start(exchange.query.get("type", "application/octet-stream"))
    for _ in range(int(seconds / STEP)):
        await exchange.chunk(bytes(int(rate * STEP)))
        await asyncio.sleep(STEP)
    await exchange.chunk(b"", more=False)


async def late(exchange: Exchange) -> None:
    """`?seconds=S`: a page whose head comes after S seconds."""
    await asyncio.sleep(float(exchange.query.get("seconds", "5")))
    await page(exchange)


async def big(exchange: Exchange) -> None:
    """`?bytes=N`: a large body with its length, as fast as the other side takes it."""
    left = int(exchange.query.get("bytes", "1000000"))
    await exchange.start("application/octet-stream", left)
    while left > 0:
        await exchange.chunk(MEGABYTE[: min(left, len(MEGABYTE))])
        left -= len(MEGABYTE)
    await exchange.chunk(b"", more=False)


async def events(exchange: Exchange) -> None:
    """`?seconds=S`: server-sent events, five a second."""
    await exchange.start("text/event-stream")
    for number in range(int(float(exchange.query.get("seconds", "5")) * 5)):
        await exchange.chunk(f"data: {number}\n\n".encode())
        await asyncio.sleep(0.2)
    await exchange.chunk(b"", more=False)


async def socket(exchange: Exchange) -> None:
    """Echo every message; `push N` makes the server send N ticks, five a second."""
    await exchange.receive()
    await exchange.send({"type": "websocket.accept"})
    while (message := await exchange.receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text and text.startswith("push "):
            for number in range(int(text.split()[1])):
                await exchange.send({"type": "websocket.send", "text": f"tick {number}"})
                await asyncio.sleep(0.2)
        else:
            await exchange.send(
                {"type": "websocket.send", "text": text, "bytes": message.get("bytes")}
            )
