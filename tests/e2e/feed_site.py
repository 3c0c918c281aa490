"""Sites that behave like feeds: `chirp` with its picture and film servers, and a forum with a
widget of chirp on it.

What their pages do by themselves stands in `feed/`. No host is in the shipped catalogue, so that
nothing is known of them but what can be seen. Of a page `?speed=` says how many seconds of the
office pass in one real second.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.site import Exchange, Record, Site, png

CHIRP, PICTURES, FILMS, FORUM = (
    "chirp.example",
    "pics.chirpcdn.example",
    "film.chirpcdn.example",
    "forum.example",
)
FEED_HOSTS = (CHIRP, PICTURES, FILMS, FORUM)
FEED_PLATFORMS = {
    "chirp": "chirp:\n  title: Chirp\n  hosts: [chirp.example, chirpcdn.example]\n",
    "forum": "forum:\n  title: Forum\n  hosts: [forum.example]\n",
}
PAGES = Path(__file__).with_name("feed")
POSTS = 5  # a page of the feed
RATE, FRAME = (
    44_100,
    4,
)  # samples a second and bytes a sample: what a film of ours consists of is sound
AHEAD = 1.5  # seconds of a film that are sent at once
STEP = 0.1
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}


class FeedSite(Site):
    """The usual test site, and on the hosts named above these."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.random = random.Random(11)
        self.answers: list[tuple[str, str, Callable[[Exchange], Any]]] = [
            (CHIRP, "/assets/icon.png", picture),
            (CHIRP, "/assets/", asset),
            (CHIRP, "/worker.js", asset),
            (CHIRP, "/widget", self.page("widget.html")),
            (CHIRP, "/api/timeline", timeline),
            (CHIRP, "/api/thread/", thread),
            (CHIRP, "/api/report", nothing),
            (CHIRP, "/api/sync", nothing),
            (CHIRP, "/api/news", self.news),
            (CHIRP, "/api/offer", self.offer),
            (CHIRP, "/api/mentions", self.offer),
            (CHIRP, "/api/", done),
            (CHIRP, "/", self.page("feed.html")),
            (PICTURES, "/", picture),
            (FILMS, "/", film),
            (FORUM, "/picture/", picture),
            (FORUM, "/assets/", picture),
            (FORUM, "/", self.page("forum.html")),
        ]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        exchange = (
            Exchange(scope, receive, send) if scope["type"] in ("http", "websocket") else None
        )
        if exchange is None or exchange.host not in FEED_HOSTS:
            await super().__call__(scope, receive, send)
            return
        with self.record.lock:
            self.record.requests.append(exchange.seen())
        if scope["type"] == "websocket":
            await self.live(exchange)
            return
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass  # all of it: an answer before its end would cost the connection
        path = scope["path"]
        await next(
            a for host, begin, a in self.answers if host == exchange.host and path.startswith(begin)
        )(exchange)

    def page(self, name: str) -> Callable[[Exchange], Any]:
        """A page that is told how quickly office time passes, how uneven its polls are, how long
        its film is."""
        text = (PAGES / name).read_text("utf-8")

        async def answer(exchange: Exchange) -> None:
            filled = text.replace("{query}", exchange.scope["query_string"].decode())
            for name, usual in (("speed", "1"), ("jitter", "0.3"), ("film", "5")):
                filled = filled.replace(f"{{{name}}}", exchange.query.get(name, usual))
            await exchange.whole(TYPES[".html"], filled.encode())

        return answer

    async def news(self, exchange: Exchange) -> None:
        """What a poll brings: mostly nothing, now and then a little more."""
        more = "x" * self.random.choice((0, 0, 0, 400, 2_500))
        await exchange.json({"unread": self.random.randrange(9), "more": more})

    async def offer(self, exchange: Exchange) -> None:
        """An advertisement, or the newest mention: a picture that has not been seen before."""
        number = self.random.randrange(10**6)
        await exchange.json(
            {"picture": f"https://{PICTURES}/{number}.png", "text": "Sharp at last."}
        )

    async def live(self, exchange: Exchange) -> None:
        """A socket that answers heartbeats and pushes news at odd times; `?speed=` as that of the
        page."""
        await exchange.receive()
        await exchange.send({"type": "websocket.accept"})
        pushing = asyncio.get_running_loop().create_task(self.push(exchange))
        try:
            while (message := await exchange.receive())["type"] == "websocket.receive":
                said = json.loads(message["text"])
                if said["kind"] in ("ping", "say"):
                    await exchange.send(
                        {"type": "websocket.send", "text": json.dumps({"kind": "ok"})}
                    )
        finally:
            pushing.cancel()

    async def push(self, exchange: Exchange) -> None:
        """News from the server, one in 24 seconds of the page's time, until the socket is
        closed."""
        often = float(exchange.query.get("speed", "1")) / 24
        for number in range(10_000):
            await asyncio.sleep(self.random.expovariate(often))
            text = "n" * self.random.randrange(20, 900)
            said = {"kind": "push", "id": number, "text": text}
            await exchange.send({"type": "websocket.send", "text": json.dumps(said)})


async def asset(exchange: Exchange) -> None:
    """A file of `feed/`."""
    file = PAGES / exchange.scope["path"].rsplit("/", 1)[1]
    await exchange.whole(TYPES[file.suffix], file.read_bytes())


async def timeline(exchange: Exchange) -> None:
    """The next posts; the third is a film."""
    first = int(exchange.query["cursor"]) * POSTS
    posts = [post(number) for number in range(first, first + POSTS)]
    await exchange.json({"posts": posts})


def post(number: int) -> dict[str, Any]:
    """One post with a page of text that nobody reads."""
    found: dict[str, Any] = {
        "id": number,
        "by": f"Kim {number}",
        "text": f"Something happened, no. {number}.",
    }
    found["rest"] = random.Random(number).randbytes(900).hex()
    if number % POSTS == 2:
        return found | {"film": f"https://{FILMS}/"}
    return found | {"picture": f"https://{PICTURES}/{number}.png"}


async def thread(exchange: Exchange) -> None:
    """A post with its replies."""
    number = int(exchange.scope["path"].rsplit("/", 1)[1])
    replies = [
        {"text": "I think so, too. " * 20, "face": f"https://{PICTURES}/{number}{i}.png"}
        for i in range(4)
    ]
    await exchange.json({"replies": replies})


async def done(exchange: Exchange) -> None:
    """Whatever was posted."""
    await exchange.json({"done": True})


async def nothing(exchange: Exchange) -> None:
    """204: a report was taken."""
    await exchange.send({"type": "http.response.start", "status": 204, "headers": []})
    await exchange.chunk(b"", more=False)


async def picture(exchange: Exchange) -> None:
    """A picture of some kilobytes, of one colour in the middle."""
    number = exchange.scope["path"].rsplit("/", 1)[1].removesuffix(".png")
    body = png(int(number) if number.isdigit() else 0) + random.Random(number).randbytes(12_000)
    await exchange.whole("image/png", body)


async def film(exchange: Exchange) -> None:
    """A film as long as the file name says, in seconds; no size is told, and it comes no faster
    than it is watched."""
    seconds = float(exchange.scope["path"].rsplit("/", 1)[1].removesuffix(".wav"))
    size = int(seconds * RATE) * FRAME
    head = b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
    head += (
        struct.pack("<IHHIIHH", 16, 1, 2, RATE, RATE * FRAME, FRAME, 16)
        + b"data"
        + struct.pack("<I", size)
    )
    await exchange.start("audio/wav")
    await exchange.chunk(head)
    begun, sent = time.monotonic(), 0
    while sent < size:
        due = min(size, int((time.monotonic() - begun + AHEAD) * RATE) * FRAME)
        await exchange.chunk(bytes(due - sent))
        sent = due
        await asyncio.sleep(STEP)
    await exchange.chunk(b"", more=False)
