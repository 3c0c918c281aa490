"""Uploads to limited platforms through a real proxy: charged while they run, and cut when time is
up, in clear text, HTTP/1.1 and HTTP/2, also where the answer is complete before them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Self

import pytest
import wsproto.events
from wsproto import Connection, ConnectionType

from tests.e2e.client import closed_later, read_until
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.odd_client import OneClient, TwoClient
from tests.proxy.odd_office import OddOffice
from tests.proxy.odd_site import Script

WAYS = ("limited plain", "h1-h1", "h2-h1", "h2-h2")
ME = "ip:127.0.0.1"
PIECE = bytes(16_000)
SECONDS = 45
PER_SECOND = 8
EARLY = Script(
    early=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", answer=b"", status=200, body=b"ok"
)


@pytest.fixture
def office(tmp_path: Path, origins: Origins) -> Iterator[OddOffice]:
    """A proxy of its own for each test, on a clock that the test moves."""
    with OddOffice(tmp_path, origins) as made:
        yield made
        assert made.failures() == []


class Upload:
    """A body that is sent piece by piece; `pass_seconds` moves the proxy's clock with it."""

    def __init__(self, office: OddOffice, way: str, path: str = "/upload") -> None:
        self._office = office
        self.client = office.client(way)
        self.sent = 0
        fields = [("content-type", "video/mp4")]
        if isinstance(self.client, OneClient):
            self.stream = 0
            self.client.begin(path, "POST", [*fields, ("Transfer-Encoding", "chunked")])
        else:
            self.stream = self.client.begin(path, "POST", fields, ends=False)

    def piece(self) -> None:
        """One, and wait until the proxy has read it."""
        client = self.client
        if isinstance(client, OneClient):
            client.wire.sendall(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        else:
            while client.h2.local_flow_control_window(self.stream) < len(PIECE):
                for event in client.h2.receive_data(client.wire.recv(65_536)):
                    client._take(event)
            client.h2.send_data(self.stream, PIECE)
            client.flush()
        self.sent += len(PIECE)

    def pass_seconds(self, seconds: int) -> None:
        """So many of them, each with its pieces."""
        flights = self._office.proxy.harness.addon.in_flight._flights
        clock = self._office.proxy.harness.clock
        for _ in range(seconds):
            for _ in range(PER_SECOND):
                self.piece()
            self._office.proxy.on_loop(lambda: clock.advance(1.0))
            until(
                lambda: any(flight.uploaded >= self.sent for flight in flights.values()),
                "the proxy to have read what was sent",
            )

    def finish(self) -> None:
        """The end of the body."""
        client = self.client
        if isinstance(client, OneClient):
            client.wire.sendall(b"0\r\n\r\n")
        else:
            client.h2.end_stream(self.stream)
            client.flush()


def spent(office: OddOffice) -> float:
    """Seconds of the allowance that are used."""
    enforcer, clock = office.proxy.harness.enforcer, office.proxy.harness.clock

    def look() -> float:
        person = enforcer.person(ME, None, clock.now())
        return 900.0 - enforcer.balance(person, "short", clock.now()).left

    return office.proxy.on_loop(look)


@pytest.mark.parametrize("way", WAYS)
def test_an_upload_is_charged(office: OddOffice, way: str) -> None:
    """45 seconds of it are 45 seconds, give or take two (and ten after the last, as after all
    that somebody does)."""
    upload = Upload(office, way)
    upload.pass_seconds(SECONDS)
    assert spent(office) == pytest.approx(SECONDS, abs=2 + 10)
    upload.finish()
    client = upload.client
    got = client.finish() if isinstance(client, OneClient) else client.finish(upload.stream)
    assert (got.status, got.body) == (200, b"ok")
    office.proxy.on_loop(lambda: office.proxy.harness.clock.advance(60.0))
    assert spent(office) == pytest.approx(SECONDS + 10, abs=2)
    (seen,) = office.site(way).to("/upload")
    assert len(seen.body) == upload.sent


@pytest.mark.parametrize("way", WAYS)
def test_an_upload_is_cut(office: OddOffice, way: str) -> None:
    """When time is up it ends within five seconds: the client gets the page that says so, and the
    site never has the whole."""
    office.proxy.spend(ME, 900.0 - 20.0)
    upload = Upload(office, way)
    upload.pass_seconds(15)
    office.proxy.on_loop(lambda: office.proxy.harness.clock.advance(0.0))
    began = time.monotonic()
    office.proxy.spend(ME, 900.0)
    client = upload.client
    got = client.finish() if isinstance(client, OneClient) else client.finish(upload.stream)
    assert time.monotonic() - began < 5
    assert (got.status, got["x-allowance-reason"]) == (403, "exhausted")
    assert office.site(way).to("/upload") == []
    assert office.proxy.harness.counted("cut_total", kind="http") == 1


@pytest.mark.parametrize("way", [way for way in WAYS if way != "h2-h2"])
def test_an_upload_after_its_answer(office: OddOffice, way: str) -> None:
    """A site that answers at once is paid for as long as the upload goes on, and it is cut."""
    office.site(way).scripts["/upload"] = [EARLY]
    upload = Upload(office, way)
    client = upload.client
    got = client.finish() if isinstance(client, OneClient) else client.finish(upload.stream)
    assert got.body == b"ok"
    upload.pass_seconds(SECONDS)
    assert spent(office) == pytest.approx(SECONDS, abs=2 + 10)
    office.proxy.spend(ME, 900.0)
    until(lambda: office.proxy.harness.counted("cut_total", kind="http") == 1, "the cut", 5)
    assert office.site(way).to("/upload") == []


@pytest.mark.parametrize("way", WAYS)
def test_small_posts_are_what_they_were(office: OddOffice, way: str) -> None:
    """A hundred reports of a few kilobytes, each in a moment, cost nothing on their way up."""
    client = office.client(way)
    for _ in range(100):
        fields = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty")]
        assert client.ask("/beacon", "POST", fields, PIECE[:4000]).status == 200
        office.proxy.on_loop(lambda: office.proxy.harness.clock.advance(1.0))
    assert spent(office) == 0
    assert isinstance(client, OneClient | TwoClient)


APP, CHAT = "chatter.example", "m.facebook.com"
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
SWITCH = (
    f"GET /ws HTTP/1.1\r\nHost: {CHAT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()


class Sink:
    """Context manager: a TLS site that only reads, after its answer to the first bytes. `received`:
    bytes so far; `ended` when its connection is over."""

    def __init__(self, leaf: Path, answer: bytes) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(leaf)
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.received, self.ended = 0, threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, name="sink", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def has(self, size: int) -> bool:
        """Whether so many bytes have come."""
        return self.received >= size

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            taken, _ = self._listener.accept()
            taken.settimeout(60)
            with self._context.wrap_socket(taken, server_side=True) as wire:
                while data := wire.recv(65_536):
                    if not self.received:
                        wire.sendall(self._answer)
                    self.received += len(data)
        self.ended.set()


@pytest.fixture(params=["app", "websocket"])
def line(
    request: pytest.FixtureRequest, tmp_path: Path, origins: Origins
) -> Iterator[tuple[OddOffice, Sink, Callable[[], None]]]:
    """A proxy, the site at the end of a tunnel or WebSocket, and a way to send it a piece."""
    is_app = request.param == "app"
    host = APP if is_app else CHAT
    leaf = origins.authority.leaf_file(host)
    with Sink(leaf, b"hello" if is_app else SWITCHED) as sink:
        resolve = [f"{host}:443=127.0.0.1:{sink.port}"]
        with OddOffice(tmp_path, origins, resolve=resolve) as office:
            yield office, sink, _app(office) if is_app else _websocket(office)
            assert office.failures() == []


def _app(office: OddOffice) -> Callable[[], None]:
    context = ssl.create_default_context(cafile=office.proxy.origins.ca_file)
    status, tunnel = office.proxy.client.tunnel(APP)
    assert status == 200
    wire = closed_later(context.wrap_socket(tunnel, server_hostname=APP))
    return lambda: wire.sendall(PIECE)


def _websocket(office: OddOffice) -> Callable[[], None]:
    wire = office.proxy.client.tls(office.proxy.client.tunnel(CHAT)[1], CHAT)
    wire.sendall(SWITCH)
    assert read_until(wire, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
    sender = Connection(ConnectionType.CLIENT)
    return lambda: wire.sendall(sender.send(wsproto.events.BytesMessage(PIECE)))


def test_uploads_over_other_lines(
    line: tuple[OddOffice, Sink, Callable[[], None]],
) -> None:
    """What an app sends in its tunnel, or a page over a WebSocket, is charged while it runs, and
    cut when time is up."""
    office, sink, piece = line
    clock = office.proxy.harness.clock
    for second in range(SECONDS):
        for _ in range(PER_SECOND):
            piece()
        sent = (second + 1) * PER_SECOND * len(PIECE)
        until(partial(sink.has, sent), "the site to have what was sent")
        office.proxy.on_loop(lambda: clock.advance(1.0))
    assert spent(office) == pytest.approx(SECONDS, abs=2 + 10)
    office.proxy.spend(ME, 900.0)
    assert sink.ended.wait(5)
    with pytest.raises(OSError):
        for _ in range(1000):
            piece()
