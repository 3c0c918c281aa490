"""Twin of proxy_addon/relay/placement.py: two light paths with an engine each, which pass
connections on to each other."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy.net.http import http1

from proxy_addon.relay import handoff as sending
from proxy_addon.relay.acceptor import Acceptor
from proxy_addon.relay.handoff import Handoff
from proxy_addon.relay.placement import Placement, read_fields
from proxy_addon.relay.workers import WorkerPlace, Workers, listeners_of, worker_of
from tests.relay.hellos import client_hello
from tests.relay.light_path import ESTABLISHED, LightPath, Policy, connect_head, echo
from tests.relay.pages import GET, Pages

HERE, THERE = (
    next(n for n in map("person{}".format, itertools.count()) if worker_of(n, 2) == number)
    for number in (0, 1)
)
PASSED = b"PROXY TCP4 10.0.7.21 127.0.0.1 50000 8080\r\n"
AWAY = b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"


@dataclass
class People(Policy):
    """Whose a connection is stands in `X-Person`; `checked` are those who are known without a
    check."""

    checked: bool = True
    checking: asyncio.Event = field(default_factory=asyncio.Event)

    def owner_now(self, address: str, fields: dict[bytes, bytes]) -> str | None:
        """See `RelayPolicy`."""
        if self.broken:
            raise ValueError("broken")
        return fields.get(b"x-person", b"").decode() or HERE if self.checked else None

    async def owner(self, address: str, fields: dict[bytes, bytes]) -> str:
        """See `RelayPolicy`."""
        await self.checking.wait()
        return fields[b"x-person"].decode()

    def away(self) -> bytes:
        """See `RelayPolicy`."""
        return AWAY


class Paths:
    """Two workers. Clients come to the first; what its engine and the other's saw."""

    def __init__(self, folder: Path) -> None:
        self.sockets = listeners_of(folder, 2)
        self.workers = [Workers(WorkerPlace(n, 2), folder, self.sockets[n].dup()) for n in range(2)]
        self.peers: list[object] = []
        self.here, self.there = (self._path(n) for n in range(2))

    def _path(self, number: int) -> LightPath:
        async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.peers.append(writer.get_extra_info("peername"))
            await path.engine(reader, writer)

        path = LightPath(echo)
        path._engine = engine
        path.policy = People()
        placement = Placement(self.workers[number], path.policy)
        path.acceptor = Acceptor(path.policy, path.connect, path.counts, placement=placement)
        return path

    @asynccontextmanager
    async def running(self, *, both: bool = True) -> AsyncIterator[Paths]:
        """Serve."""
        async with self.here.running():
            try:
                if both:
                    async with self.there.running():
                        yield self
                else:
                    yield self
            finally:
                for each in self.workers:
                    each.stop()
                for sock in self.sockets:
                    sock.close()


def named(person: str, host: str = "facebook.com") -> bytes:
    """A CONNECT of somebody."""
    return connect_head(host)[:-2] + f"X-Person: {person}\r\n\r\n".encode()


PLAIN = f"POST http://facebook.com/ HTTP/1.1\r\nHost: facebook.com\r\nX-Person: {THERE}\r\n\r\nbody".encode()


@pytest.mark.parametrize(
    ("data", "size"), [(named(THERE), 10_000), (named(THERE), 1), (PLAIN, 10_000)]
)
async def test_to_the_persons_worker(tmp_path: Path, data: bytes, size: int) -> None:
    """What is limited, as CONNECT or plain request, in one packet or in many, reaches the engine of
    the person's worker with all its bytes, and goes on there."""
    async with Paths(tmp_path).running() as paths:
        reader, writer = await paths.here.open()
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await asyncio.sleep(0)
        assert await reader.readexactly(len(ESTABLISHED) + 11) == ESTABLISHED + b"engine here"
        writer.write(b"more")
        assert await reader.read() == b""
        assert b"".join(paths.there.engine_saw) == data + b"more"
        assert paths.here.engine_saw == []
        assert len(paths.here.acceptor) == len(paths.there.acceptor) == 0
        assert paths.peers == [writer.get_extra_info("sockname")]
        writer.close()


@pytest.mark.parametrize("light_path", [True, False])
async def test_who_is_served_here_stays(tmp_path: Path, light_path: bool) -> None:
    """Nothing is passed on; with the light path off the head is awaited as well."""
    async with Paths(tmp_path).running() as paths:
        paths.here.policy.relays = light_path
        for person, path in ((HERE, paths.here), (THERE, paths.there)):
            reader, writer = await paths.here.open(named(person))
            await reader.readexactly(len(ESTABLISHED))
            assert path.engine_saw == [named(person)]
            writer.close()


@pytest.mark.parametrize("light_path", [True, False])
@pytest.mark.parametrize("person", [HERE, THERE])
async def test_behind_a_balancer(tmp_path: Path, light_path: bool, person: str) -> None:
    """The head that follows the balancer's header in one packet is answered once, by the person's
    worker, and no site is connected to before it."""
    async with Paths(tmp_path).running() as paths:
        paths.here.policy.relays = light_path
        paths.here.policy.balanced = True
        header = b"PROXY TCP4 10.0.7.21 127.0.0.1 50000 8080\r\n"
        reader, writer = await paths.here.open(header + named(person))
        assert await reader.readexactly(len(ESTABLISHED) + 11) == ESTABLISHED + b"engine here"
        await asyncio.sleep(0.05)
        served = paths.here if person == HERE else paths.there
        assert served.engine_saw == [named(person)]
        assert paths.here.site_connections == paths.there.site_connections == 0
        writer.close()


@pytest.mark.parametrize("header", [b"", b"PROXY TCP4 10.0.7.21 127.0.0.1 50000 8080\r\n"])
async def test_a_tunnel_after_a_page_where_nothing_is_relayed(
    tmp_path: Path, header: bytes
) -> None:
    """With a way to sites that only the engine knows, a tunnel that is asked for on a connection of
    our pages is the engine's, and no site is connected to beside it."""
    tunnel = named(HERE, "news.example")
    async with Paths(tmp_path).running() as paths:
        paths.here.policy.relays, paths.here.policy.pages = False, Pages()
        paths.here.policy.balanced = bool(header)
        page = GET[:-2] + f"X-Person: {HERE}\r\n\r\n".encode()
        reader, writer = await paths.here.open(header + page)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.partition(b"Content-Length: ")[2]))
        writer.write(tunnel)
        async with asyncio.timeout(3):
            assert await reader.readexactly(len(ESTABLISHED) + 11) == ESTABLISHED + b"engine here"
        assert paths.here.engine_saw == [tunnel]
        assert paths.here.site_connections == 0
        writer.close()


async def test_relayed_tunnels_stay_where_they_are(tmp_path: Path) -> None:
    """Whoever's they are."""
    async with Paths(tmp_path).running() as paths:
        reader, writer = await paths.here.open(named(THERE, "news.example"))
        await reader.readexactly(len(ESTABLISHED))
        hello = client_hello("news.example")
        writer.write(hello)
        assert await reader.readexactly(len(hello)) == hello
        assert (paths.here.counts.tunnels, paths.there.counts.tunnels) == (1, 0)
        writer.close()


async def test_a_greeting_that_names_a_limited_host(tmp_path: Path) -> None:
    """The CONNECT was answered here: the other worker's engine goes on with the greeting, and the
    client gets no second answer."""
    async with Paths(tmp_path).running() as paths:
        head, hello = named(THERE, "news.example"), client_hello("facebook.com")
        reader, writer = await paths.here.open(head)
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        writer.write(hello)
        assert await reader.readexactly(11) == b"engine here"
        assert paths.there.engine_saw == [head + hello]
        writer.close()


async def test_a_watched_tunnel(tmp_path: Path) -> None:
    """A tunnel that is relayed as long as its person is free is watched by the person's worker: it
    is relayed there."""
    async with Paths(tmp_path).running() as paths:
        paths.here.policy.watched = paths.there.policy.watched = True
        reader, writer = await paths.here.open(named(THERE, "news.example"))
        await reader.readexactly(len(ESTABLISHED))
        writer.write(b"\x00")
        assert await reader.readexactly(1) == b"\x00"
        assert (paths.here.counts.tunnels, paths.there.counts.tunnels) == (0, 1)
        writer.close()


async def test_the_address_that_a_balancer_passed_on(tmp_path: Path) -> None:
    """The engine of the other worker sees the person's address."""
    async with Paths(tmp_path).running() as paths:
        paths.here.policy.balanced = paths.there.policy.balanced = True
        reader, writer = await paths.here.open(PASSED + named(THERE))
        await reader.readexactly(len(ESTABLISHED))
        assert paths.peers == [("10.0.7.21", 50000)]
        assert paths.there.engine_saw == [named(THERE)]
        writer.close()


async def test_a_password_that_has_to_be_checked(tmp_path: Path) -> None:
    """The connection waits for it, what is sent meanwhile is not lost, and others do not wait."""
    async with Paths(tmp_path).running() as paths:
        policy = paths.here.policy
        policy.checked = paths.there.policy.checked = False
        reader, writer = await paths.here.open(named(THERE))
        stays, second = await paths.here.open(named(HERE))
        await asyncio.sleep(0.02)
        writer.write(b"early")
        _, third = await paths.here.open(named(THERE))
        await asyncio.sleep(0.02)
        third.close()
        _, fourth = await paths.here.tunnel()
        assert paths.here.engine_saw == paths.there.engine_saw == []
        policy.checking.set()
        await reader.readexactly(len(ESTABLISHED))
        await stays.readexactly(len(ESTABLISHED))
        assert paths.there.engine_saw[0].startswith(named(THERE))
        assert paths.here.engine_saw == [named(HERE)]
        for each in (writer, second, fourth):
            each.close()


async def ended(paths: Paths, data: bytes) -> bytes:
    """All that a client gets until its connection ends."""
    reader, writer = await paths.here.open(data)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_worker_that_is_gone(tmp_path: Path) -> None:
    """Limited traffic is refused in words, at once; ordinary traffic and those who are served here
    notice nothing."""
    async with Paths(tmp_path).running(both=False) as paths:
        paths.sockets[1].close()
        paths.workers[1].stop()
        assert await ended(paths, named(THERE)) == AWAY
        reader, writer = await paths.here.tunnel()
        writer.write(b"\x00")
        assert await reader.readexactly(1) == b"\x00"
        writer.close()
        reader, writer = await paths.here.open(named(HERE))
        assert await reader.readexactly(len(ESTABLISHED)) == ESTABLISHED
        assert paths.here.engine_saw == [named(HERE)]
        writer.close()


async def test_a_worker_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds its clients are told, also those whose CONNECT was answered: theirs is
    closed."""
    monkeypatch.setattr(sending, "TAKEN_SECONDS", 0.1)
    async with Paths(tmp_path).running(both=False) as paths:
        assert await ended(paths, named(THERE)) == AWAY
        tunnelled = named(THERE, "news.example") + client_hello("facebook.com")
        assert await ended(paths, tunnelled) == ESTABLISHED
        async with asyncio.timeout(3):
            while len(paths.here.acceptor):
                await asyncio.sleep(0.005)


async def test_a_worker_without_descriptors(tmp_path: Path) -> None:
    """It refuses in words what it is sent, and closes tunnels whose CONNECT was answered: inside
    one nobody would understand the words."""
    async with Paths(tmp_path).running() as paths:
        paths.there.acceptor._most_descriptors = 1
        assert await ended(paths, named(THERE)) == paths.there.policy.crowded()
        tunnelled = named(THERE, "news.example") + client_hello("facebook.com")
        assert await ended(paths, tunnelled) == ESTABLISHED
        assert paths.there.engine_saw == []


async def test_workers_whose_rules_differ(tmp_path: Path) -> None:
    """Each thinks that the other serves somebody: the connection is not passed round for ever, and
    reaches an engine, which refuses what is not for its worker."""
    async with Paths(tmp_path).running() as paths:
        paths.there.policy.owner_now = lambda *_: HERE
        reader, writer = await paths.here.open(named(THERE))
        await reader.readexactly(len(ESTABLISHED))
        assert len(paths.here.engine_saw + paths.there.engine_saw) == 1
        writer.close()


async def test_a_failure_of_ours(tmp_path: Path) -> None:
    """The engine here finds out whose the connection is."""
    async with Paths(tmp_path).running() as paths:
        paths.here.policy.broken = True
        reader, writer = await paths.here.open(named(THERE))
        await reader.readexactly(len(ESTABLISHED))
        assert paths.here.engine_saw == [named(THERE)]
        assert paths.here.policy.failures == ["light_path"] * 2
        writer.close()


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"", None),
        (b"GE", None),
        (b"GET http://a/", None),
        (b"GET http://a/ HTTP/1.1\r\nA: b\r\n", None),
        (b"GET http://a/ HTTP/1.1\r\nA: b \r\nbroken\r\na:c\r\n\r\nB: d", {b"a": b"b, c"}),
        (b"GET http://a/ HTTP/1.1\nA: b\n\n", {b"a": b"b"}),
        (b"\x16\x03\x01", {}),
        (b"GET http://a/ rubbish\r\n", {}),
        (b"rubbish" * 100, {}),
        (b"GET /" + b"x" * 70_000, {}),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000, {}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {}),
    ],
)
def test_what_names_a_person(data: bytes, fields: dict[bytes, bytes] | None) -> None:
    """The fields of any request; none in what is no request, and more bytes are awaited only while
    they may help."""
    assert read_fields(data) == fields


NAMES = st.sampled_from(
    [b"Host", b"proxy-authorization", b"PROXY-AUTHORIZATION", b"X-Forwarded-User", b"A"]
)
VALUES = st.binary(max_size=12).filter(lambda value: not set(value) & {10, 13})
FIRST = st.sampled_from([b"CONNECT x.com:443", b"GET http://x.com/", b"post http://x.com/a b"])


@settings(max_examples=1500, deadline=None)
@given(
    FIRST,
    st.lists(st.tuples(NAMES, st.sampled_from([b":", b": ", b":\t"]), VALUES), max_size=5),
    st.sampled_from([b"\r\n", b"\n"]),
)
def test_the_engine_finds_the_same_person(
    first: bytes, fields: list[tuple[bytes, bytes, bytes]], end: bytes
) -> None:
    """Law: what is found to name a person is what mitmproxy finds, in any request that it reads."""
    lines = [first + b" HTTP/1.1", *map(b"".join, fields)]
    found = read_fields(end.join([*lines, b"", b"the body"]))
    try:
        headers = http1.read_request_head(lines).headers
    except ValueError:
        return
    assert found is not None
    for name in ("Proxy-Authorization", "X-Forwarded-User"):
        read = headers.get(name)
        ours = found.get(name.lower().encode())
        assert ours == (None if read is None else read.encode("utf-8", "surrogateescape"))


async def test_a_client_that_has_gone_meanwhile(tmp_path: Path) -> None:
    """A connection that is over before the other worker takes it is dropped: the engine, which has
    to know whose it is, never sees it."""
    async with Paths(tmp_path).running() as paths:
        results: list[bool] = []
        listener = socket.create_server(("127.0.0.1", 0))
        gone = socket.create_connection(listener.getsockname())
        accepted = listener.accept()[0]
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
        await asyncio.sleep(0.02)
        paths.workers[0].send(THERE, accepted.fileno(), Handoff(named(THERE)), results.append)
        async with asyncio.timeout(3):
            while not results:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert results == [True]
        assert paths.there.engine_saw == paths.peers == []
        assert len(paths.there.acceptor) == 0
        for each in (listener, accepted):
            each.close()
