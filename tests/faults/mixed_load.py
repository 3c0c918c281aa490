"""People who use a proxy in every way there is, and when each of them did: the truth that the
ledger is compared with.

Nothing here knows how the proxy meters. A way of use notes what it sends and receives, each piece
with its instants, and docs/metering.md says what follows from it: pieces that are less than a gap
apart are one use, and a tail follows the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived
from h2.exceptions import H2Error

from proxy_addon.core.intervals import Intervals, normalise
from proxy_addon.core.types import Interval
from proxy_addon.system.clock import SystemClock
from tests.e2e.client import NAVIGATE

CLOCK = SystemClock()
GAP = 40.0  # seconds; shorter than any gap of docs/metering.md
RATE = 60_000  # bytes a second: every stream and tunnel is busy
PAUSE = 0.2  # seconds after which somebody whose connection broke tries again
VIDEO = {"Sec-Fetch-Dest": "video", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Site": "same-origin"}
APP = {"Accept": "*/*"}

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Refused(Exception):
    """The proxy, or the site, did not answer with 200 or 101."""


FAILURES = (OSError, EOFError, Refused, ssl.SSLError, TimeoutError, H2Error)


@dataclass
class Person:
    """Somebody with one way of use. `used`: what was sent and received, instants."""

    name: str
    address: str
    way: str
    used: list[Interval] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def note(self, start: float) -> None:
        """Something that began at `start` goes on until now."""
        now = CLOCK.now()
        if self.used and self.used[-1].start == start:
            self.used[-1] = Interval(start, now)
        else:
            self.used.append(Interval(start, now))

    def truth(self, until: float, tail: float) -> Intervals:
        """What has to be charged of what this person did before the instant `until`."""
        found: list[Interval] = []
        for piece in sorted(self.used):
            if found and piece.start - found[-1].end <= GAP:
                found[-1] = Interval(found[-1].start, max(found[-1].end, piece.end))
            else:
                found.append(piece)
        tailed = (Interval(each.start, min(until, each.end + tail)) for each in found)
        return normalise(each for each in tailed if each.end > each.start)


@dataclass
class Ordinary:
    """Requests that nothing is decided about, each with the instant of its end and, where it failed
    twice, why. What breaks is asked again once, on a new connection, as browsers do."""

    done: list[tuple[float, str]] = field(default_factory=list)

    def until(self, end: float) -> tuple[int, int]:
        """How many had ended at an instant, and how many of these had failed."""
        known = [problem for at, problem in self.done if at <= end]
        return len(known), sum(1 for problem in known if problem)

    @property
    def problems(self) -> set[str]:
        """Why requests failed."""
        return {problem for _, problem in self.done if problem}


class MixedLoad:
    """Runs on a thread of its own, between `start` and `stop`."""

    def __init__(self, port: int, proxy_ca: Path, sites_ca: Path, group: int, seed: int) -> None:
        self.people = people(group)
        self.ordinary = Ordinary()
        self._port = port
        self._dice = random.Random(seed)
        self._decrypted = {alpn: _context(proxy_ca, alpn) for alpn in ("http/1.1", "h2")}
        self._relayed = _context(sites_ca, "http/1.1")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="load", daemon=True)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Everybody begins, within a second of each other."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(10)

    def stop_people(self) -> None:
        """Everybody ends at once; ordinary requests go on."""
        asyncio.run_coroutine_threadsafe(self._end_people(), self._loop).result(10)

    def stop(self) -> None:
        """Everything ends."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._use(person)) for person in self.people]
        self._tasks.append(loop.create_task(self._ask_ordinary()))

    async def _end_people(self) -> None:
        for task in self._tasks[:-1]:
            task.cancel()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _use(self, person: Person) -> None:
        await asyncio.sleep(self._dice.random())
        while True:
            try:
                await WAYS[person.way](self, person)
            except FAILURES as problem:
                person.problems.append(f"{type(problem).__name__}: {problem}")
            await asyncio.sleep(PAUSE)

    # -- connections

    @contextlib.asynccontextmanager
    async def _tunnel(
        self, address: str, host: str, *, relayed: bool = False, alpn: str = "http/1.1"
    ) -> AsyncIterator[Streams]:
        """TLS with a site through the proxy; `relayed`: the proxy does not open it."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(address, 0)
        )
        try:
            writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            _check(await reader.readuntil(b"\r\n\r\n"))
            context = self._relayed if relayed else self._decrypted[alpn]
            await writer.start_tls(context, server_hostname=host)
            yield reader, writer
        finally:
            writer.transport.abort()

    # -- ways of use

    async def _pages(self, person: Person) -> None:
        """One page after the other on one connection, some from a slow site."""
        async with self._tunnel(person.address, "www.facebook.com") as (reader, writer):
            while True:
                path = "/late?seconds=2.5" if self._dice.random() < 0.3 else "/"
                began = CLOCK.now()
                writer.write(_head("www.facebook.com", path, NAVIGATE))
                person.note(began)
                await _whole(reader)
                await asyncio.sleep(self._dice.uniform(0.3, 3.0))

    async def _stream(self, person: Person, headers: dict[str, str], kind: str) -> None:
        """One answer that goes on for some seconds."""
        seconds = self._dice.uniform(3.5, 30.0)
        path = f"/stream?seconds={seconds:.1f}&rate={RATE}&type={kind}"
        async with self._tunnel(person.address, "www.youtube.com") as streams:
            head = _head("www.youtube.com", path, headers)
            await _watch(streams, person, head, is_awaited=headers is not APP)

    async def _films(self, person: Person) -> None:
        await self._stream(person, VIDEO, "video/mp4")

    async def _app(self, person: Person) -> None:
        await self._stream(person, APP, "application/octet-stream")

    async def _downloads(self, person: Person) -> None:
        await self._stream(person, NAVIGATE, "application/zip")

    async def _http2(self, person: Person) -> None:
        """A film over HTTP/2."""
        host = "www.youtube.com"
        async with self._tunnel(person.address, host, alpn="h2") as (reader, writer):
            h2 = H2Connection()
            h2.initiate_connection()
            fields = {":method": "GET", ":scheme": "https", ":authority": host}
            fields[":path"] = f"/stream?seconds=30&rate={RATE}&type=video/mp4"
            fields |= {name.lower(): value for name, value in VIDEO.items()}
            h2.send_headers(1, list(fields.items()), end_stream=True)
            writer.write(h2.data_to_send())
            began = CLOCK.now()
            while data := await reader.read(65_536):
                for event in h2.receive_data(data):
                    if isinstance(event, ResponseReceived) and (b":status", b"200") not in (
                        event.headers or ()
                    ):
                        raise Refused(str(event.headers))
                    if isinstance(event, DataReceived):
                        h2.acknowledge_received_data(event.flow_controlled_length, 1)
                        person.note(began)
                writer.write(h2.data_to_send())

    async def _messages(self, person: Person, size: int) -> None:
        """A WebSocket in which somebody writes."""
        async with self._tunnel(person.address, "x.com") as (reader, writer):
            upgrade = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
            }
            upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "https://x.com"}
            writer.write(_head("x.com", "/ws", upgrade))
            _check(await reader.readuntil(b"\r\n\r\n"), b" 101 ")
            while True:
                began = CLOCK.now()
                mask = os.urandom(4)
                length = struct.pack(">BBH", 0x81, 0xFE, size)
                text = bytes(letter ^ mask[n % 4] for n, letter in enumerate(b"a" * size))
                writer.write(length + mask + text)
                person.note(began)
                await reader.readexactly(size + (2 if size < 126 else 4))
                await asyncio.sleep(self._dice.uniform(0.3, 2.0))

    async def _letters(self, person: Person) -> None:
        await self._messages(person, 400)

    async def _tunnels(self, person: Person, host: str) -> None:
        """TLS that the proxy does not open, in which a film comes."""
        path = f"/stream?seconds={self._dice.uniform(6.0, 30.0):.1f}&rate={RATE}"
        async with self._tunnel(person.address, host, relayed=True) as streams:
            await _watch(streams, person, _head(host, path, APP), is_awaited=False)

    async def _uninspected(self, person: Person) -> None:
        await self._tunnels(person, "chatter.example")

    async def _free(self, person: Person) -> None:
        await self._tunnels(person, "www.youtube.com")

    async def _ask_ordinary(self) -> None:
        """A new connection each tenth of a second."""
        while True:
            await asyncio.sleep(0.1)
            problem = ""
            for _ in range(2):
                try:
                    async with self._tunnel("127.0.39.1", "work.example", relayed=True) as streams:
                        streams[1].write(_head("work.example", "/", NAVIGATE))
                        await asyncio.wait_for(_whole(streams[0]), 10)
                except FAILURES as failure:
                    problem = f"{type(failure).__name__}: {failure}"
                else:
                    problem = ""
                    break
            self.ordinary.done.append((CLOCK.now(), problem))


WAYS: dict[str, Callable[[MixedLoad, Person], Awaitable[None]]] = {
    "pages": MixedLoad._pages,
    "more pages": MixedLoad._pages,
    "films": MixedLoad._films,
    "app streams": MixedLoad._app,
    "downloads": MixedLoad._downloads,
    "HTTP/2 films": MixedLoad._http2,
    "letters": MixedLoad._letters,
    "uninspected tunnels": MixedLoad._uninspected,
    "free tunnels": MixedLoad._free,
}


def people(group: int) -> list[Person]:
    """One person for each way of use."""
    return [
        Person(f"person{group}-{number}", f"127.0.{40 + group}.{number}", way)
        for number, way in enumerate(WAYS, start=1)
    ]


def _context(ca: Path, alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols([alpn])
    return context


def _head(host: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _check(head: bytes, expected: bytes = b" 200 ") -> None:
    line = head.split(b"\r\n", 1)[0]
    if expected not in line + b" ":
        raise Refused(line.decode("latin-1"))


async def _whole(reader: asyncio.StreamReader) -> None:
    """Read an answer that tells its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    _check(head)
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _watch(streams: Streams, person: Person, head: bytes, *, is_awaited: bool = True) -> None:
    """Ask for something long, and note it as long as bytes come. `is_awaited`: it is known from the
    request that somebody waits for it; else it begins with its first bytes."""
    reader, writer = streams
    began = CLOCK.now()
    writer.write(head)
    _check(await reader.readuntil(b"\r\n\r\n"))
    if not is_awaited:
        began = CLOCK.now()
    while data := await reader.read(65_536):
        person.note(began)
        if data.endswith(b"0\r\n\r\n"):
            return
