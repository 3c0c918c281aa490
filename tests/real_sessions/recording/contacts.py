"""Whom people chat with: bob, on IRC and on XMPP. He talks now and then, and counts what arrives,
which shows that what is typed in a browser is really sent."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from random import Random
from typing import Self

from tests.real_sessions.recording.servers import PASSWORD

WORDS = [
    "ok",
    "sure",
    "thanks",
    "see",
    "you",
    "later",
    "sounds",
    "good",
    "maybe",
    "tomorrow",
    "lunch",
    "the",
    "report",
    "is",
    "fine",
    "great",
    "nice",
    "one",
    "did",
    "you",
    "read",
    "that",
]
_FROM = re.compile(rb"<message\b[^>]*\bfrom='(\w+)@[^>]*>(?:(?!</message>).)*<body>", re.S)
_NICK = re.compile(rb":(\w+?)[_\d]*![^ ]* PRIVMSG ")


def sentence(random: Random, least: int = 2, most: int = 8) -> str:
    """Something to say."""
    return " ".join(random.choices(WORDS, k=random.randint(least, most)))


class Contacts:
    """An async context manager. `heard`: messages by service and person."""

    def __init__(self, irc: int, xmpp: int, random: Random) -> None:
        self._irc, self._xmpp, self._random = irc, xmpp, random
        self.heard: Counter[tuple[str, str]] = Counter()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._tasks = [
            self._group.create_task(self._on_irc()),
            self._group.create_task(self._on_xmpp()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)
        for writer in self._writers:
            writer.close()

    async def _on_irc(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._irc)
        self._writers.append(writer)
        writer.write(b"NICK bob\r\nUSER bob 0 * :Bob\r\nJOIN #team\r\nJOIN #random\r\n")
        async with asyncio.TaskGroup() as both:
            both.create_task(self._listen_on_irc(reader, writer))
            while True:
                await asyncio.sleep(self._random.uniform(8, 60))
                room = self._random.choice(["#team", "#team", "#random"])
                words = sentence(self._random, 2, 14)
                writer.write(f"PRIVMSG {room} :{words}\r\n".encode())
                await writer.drain()

    async def _listen_on_irc(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG" + line[4:])
            elif found := _NICK.match(line):
                self.heard["irc", found[1].decode()] += 1

    async def _on_xmpp(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._xmpp)
        self._writers.append(writer)
        head = (
            b"<stream:stream to='chat.test' xmlns='jabber:client' "
            b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        )
        secret = base64.b64encode(f"\0bob\0{PASSWORD}".encode())
        auth = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%b</auth>"
        bind = b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        for said, answer in (
            (head, b"</stream:features>"),
            (auth % secret, b"<success"),
            (head, b"</stream:features>"),
            (bind, b"</iq>"),
        ):
            writer.write(said)
            await _until(reader, answer)
        writer.write(b"<presence/>")
        async with asyncio.TaskGroup() as both:
            both.create_task(self._listen_on_xmpp(reader))
            while True:
                await asyncio.sleep(self._random.uniform(10, 60))
                whom = self._random.choice(["ana", "bea"])
                words = sentence(self._random, 2, 14)
                writer.write(
                    f"<message type='chat' to='{whom}@chat.test'><body>{words}</body></message>".encode()
                )
                await writer.drain()

    async def _listen_on_xmpp(self, reader: asyncio.StreamReader) -> None:
        kept = b""
        while data := await reader.read(65_536):
            kept += data
            for found in _FROM.finditer(kept):
                self.heard["xmpp", found[1].decode()] += 1
            kept = kept[kept.rfind(b"</message>") + 10 :] if b"</message>" in kept else kept


async def _until(reader: asyncio.StreamReader, answer: bytes) -> None:
    said = b""
    async with asyncio.timeout(20):
        while answer not in said:
            data = await reader.read(65_536)
            if not data:
                raise ConnectionError(f"XMPP ended the stream: {said[-200:]!r}")
            said += data
