"""`proxy_addon/proxy/budgets/back_pressure.py`: real proxies between somebody who sends and
somebody who reads nothing."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, DataReceived, StreamEnded

from proxy_addon.proxy.budgets import shares
from proxy_addon.proxy.layers import event_handler
from tests.e2e.client import read_until
from tests.e2e.origins import Origins
from tests.proxy.budgets.bulk_site import BODY, FRAME, PIECE, BulkSite
from tests.proxy.harness import ProxyHarness, Serving

ONE, TWO = "www.facebook.com", "x.com"
MOST = 16 << 20  # bytes that proxy and kernels may keep of `BODY`: most are the kernels'
QUIET = 1.0  # seconds in which nothing more moves
SECONDS = 60.0


class Office:
    """A proxy, and a site for each protocol."""

    def __init__(self, folder: Path, origins: Origins, stack: ExitStack) -> None:
        leaf = origins.authority.leaf_file(ONE, TWO)
        self.sites: dict[str, BulkSite] = {}
        for host, alpn in ((ONE, ["http/1.1"]), (TWO, ["h2", "http/1.1"])):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(leaf)
            context.set_alpn_protocols(alpn)
            self.sites[host] = stack.enter_context(BulkSite(context))
        resolve = [f"{host}:443=127.0.0.1:{site.port}" for host, site in self.sites.items()]
        harness = ProxyHarness(folder, resolve=resolve)
        self.proxy = stack.enter_context(Serving(harness, origins))

    def secure(self, host: str, alpn: str) -> ssl.SSLSocket:
        """TLS in a tunnel."""
        status, tunnel = self.proxy.client.tunnel(host)
        assert status == 200
        wire = self.proxy.client.tls(tunnel, host, [alpn])
        wire.settimeout(SECONDS)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return wire


@pytest.fixture
def office(tmp_path: Path, origins: Origins) -> Iterator[Office]:
    """See above."""
    with ExitStack() as stack:
        yield Office(tmp_path, origins, stack)


def settled(count: Callable[[], int]) -> int:
    """A number that has not changed for a while."""
    deadline, seen, since = time.monotonic() + SECONDS, -1, time.monotonic()
    while time.monotonic() - since < QUIET or seen <= 0:
        assert time.monotonic() < deadline, "it does not stop"
        if count() != seen:
            seen, since = count(), time.monotonic()
        time.sleep(0.02)
    return seen


class BulkClient:
    """HTTP/2 that acknowledges what comes only when it `reads`. `got`: bytes by stream; `over`:
    streams that have ended."""

    def __init__(self, wire: ssl.SSLSocket, host: str) -> None:
        self._wire, self._host = wire, host
        self._h2 = H2Connection(H2Configuration(header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._owed: list[DataReceived] = []
        self._left: dict[int, int] = {}  # bytes to be sent
        self.reads = False
        self.got: dict[int, int] = {}
        self.over: set[int] = set()
        self.sent = 0
        self.code: int | None = None  # of a GOAWAY

    def ask(self, path: str, size: int = 0) -> int:
        """A new stream: GET, or POST of so many bytes."""
        stream = self._h2.get_next_available_stream_id()
        fields = {
            ":method": "POST" if size else "GET",
            ":scheme": "https",
            ":authority": self._host,
            ":path": path,
        }
        if size:
            fields["content-length"] = str(size)
            self._left[stream] = size
        self._h2.send_headers(stream, list(fields.items()), end_stream=not size)
        return stream

    def give_room(self) -> None:
        """Let other streams go on."""
        self._h2.increment_flow_control_window(PIECE)

    def until(self, condition: Callable[[], bool]) -> None:
        """Send and read what can be."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline
            self.turn()

    def turn(self) -> None:
        """Once."""
        if self.reads:
            for each in self._owed:
                self._h2.acknowledge_received_data(each.flow_controlled_length, each.stream_id)
            self._owed.clear()
        for stream, left in list(self._left.items()):
            while size := min(self._h2.local_flow_control_window(stream), 16_384, left):
                left -= size
                self._h2.send_data(stream, bytes(size), end_stream=not left)
                self.sent += size
            self._left[stream] = left
            if not left:
                del self._left[stream]
        self._wire.settimeout(SECONDS)
        self._wire.sendall(self._h2.data_to_send())
        self._wire.settimeout(0.002)
        try:
            data = self._wire.recv(PIECE)
        except TimeoutError:
            return
        assert data, "the proxy closed the connection"
        for event in self._h2.receive_data(data):
            if isinstance(event, DataReceived):
                self.got[event.stream_id] = self.got.get(event.stream_id, 0) + len(event.data)
                self._owed.append(event)
            elif isinstance(event, StreamEnded):
                self.over.add(event.stream_id)
            elif isinstance(event, ConnectionTerminated):
                self.code = event.error_code
                raise AssertionError("the proxy closed the connection")


@pytest.mark.parametrize("host", [ONE, TWO])
def test_an_http2_client_that_reads_nothing(office: Office, host: str) -> None:
    """The site cannot send more than a bound; other streams of the connection go on; the client
    gets everything when it reads on."""
    site = office.sites[host]
    client = BulkClient(office.secure(host, "h2"), host)
    big = client.ask("/big")
    client.until(lambda: client.got.get(big, 0) > 0)
    assert settled(lambda: site.sent) < MOST
    small = client.ask("/small")
    client.give_room()  # in the window of the connection; that of the first stream stays closed
    client.until(lambda: small in client.over)
    client.reads = True
    client.until(lambda: big in client.over)
    assert client.got[big] == BODY == site.sent


@pytest.mark.parametrize("host", [ONE, TWO])
def test_many_streams_that_nobody_reads(
    office: Office, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that has more kept than its person may is ended; the next one works."""
    monkeypatch.setattr(shares, "PERSON_BYTES", 256 << 10)
    greedy = BulkClient(office.secure(host, "h2"), host)
    for _ in range(12):
        greedy.ask("/big")
    with pytest.raises(AssertionError, match="closed"):
        greedy.until(lambda: False)
    assert greedy.code == ErrorCodes.ENHANCE_YOUR_CALM
    client = BulkClient(office.secure(host, "h2"), host)
    client.reads = True
    small = client.ask("/small")
    client.until(lambda: small in client.over)


@pytest.mark.parametrize("host", [ONE, TWO])
def test_many_http1_clients_that_read_nothing(
    office: Office, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many connections of a person on which nothing is read, those that are too much are ended;
    the next one works."""
    monkeypatch.setattr(shares, "PERSON_BYTES", 2 * event_handler.STALLED_BYTES)
    monkeypatch.setattr(event_handler, "STALLED_SECONDS", 0.2)
    wires = [office.secure(host, "http/1.1") for _ in range(4)]
    for wire in wires:
        wire.sendall(f"GET /big HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    time.sleep(1.5)
    sizes = []
    for wire in wires:
        size = 0
        with suppress(OSError):
            while size < BODY and (data := wire.recv(PIECE)):
                size += len(data)
        sizes.append(size)
    assert sum(size >= BODY for size in sizes) == 2, sizes
    wire = office.secure(host, "http/1.1")
    wire.sendall(f"GET /small HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert read_until(wire, b"\r\n\r\n").split()[1] == b"200"


@pytest.mark.parametrize("host", [ONE, TWO])
def test_an_http1_client_that_reads_nothing(office: Office, host: str) -> None:
    """The same in HTTP/1.1."""
    site, wire = office.sites[host], office.secure(host, "http/1.1")
    wire.sendall(f"GET /big HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert settled(lambda: site.sent) < MOST
    read_until(wire, b"\r\n\r\n")
    size = 0
    while size < BODY:
        data = wire.recv(PIECE)
        assert data
        size += len(data)
    assert size >= BODY == site.sent


def test_a_websocket_that_is_not_read(office: Office) -> None:
    """The same for messages of a site."""
    site, wire = office.sites[ONE], office.secure(ONE, "http/1.1")
    wire.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {ONE}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert settled(lambda: site.sent) < MOST
    read_until(wire, b"\r\n\r\n")
    left = BODY // PIECE * len(FRAME)
    while left > 0:
        left -= len(wire.recv(PIECE))
    assert site.sent == BODY


@pytest.mark.parametrize("host", [ONE, TWO])
def test_uploads_over_http2_to_a_site_that_reads_nothing(office: Office, host: str) -> None:
    """The client cannot send more than a bound; other streams of its connection go on; the site
    gets everything when it reads on."""
    site, client = office.sites[host], BulkClient(office.secure(host, "h2"), host)
    client.reads = True
    upload = client.ask("/up", BODY)
    quiet_since, seen = time.monotonic(), -1
    while time.monotonic() - quiet_since < QUIET or client.sent == 0:
        client.turn()
        if client.sent != seen:
            seen, quiet_since = client.sent, time.monotonic()
    assert client.sent < MOST
    small = client.ask("/small")
    client.until(lambda: small in client.over)
    site.reads.set()
    client.until(lambda: upload in client.over)
    assert site.received == BODY


@pytest.mark.parametrize("host", [ONE, TWO])
def test_uploads_over_http1_to_a_site_that_reads_nothing(office: Office, host: str) -> None:
    """The same in HTTP/1.1."""
    site, wire = office.sites[host], office.secure(host, "http/1.1")
    head = f"POST /up HTTP/1.1\r\nHost: {host}\r\nContent-Length: {BODY}\r\n\r\n"
    wire.sendall(head.encode())
    sent = [0]

    def upload() -> None:
        for _ in range(BODY // PIECE):
            wire.sendall(bytes(PIECE))
            sent[0] += PIECE

    thread = threading.Thread(target=upload)
    thread.start()
    assert settled(lambda: sent[0]) < MOST
    site.reads.set()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert read_until(wire, b"\r\n\r\n").split()[1] == b"200"
    assert site.received == BODY


def test_requests_before_the_answer(office: Office) -> None:
    """A client that sends request after request while its first one waits is not read on."""
    wire = office.secure(ONE, "http/1.1")
    wire.sendall(f"GET /up HTTP/1.1\r\nHost: {ONE}\r\n\r\n".encode())
    request = f"GET /small HTTP/1.1\r\nHost: {ONE}\r\nX: {'y' * 8000}\r\n\r\n".encode()
    wire.settimeout(2.0)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < BODY:
            wire.sendall(request)
            sent += len(request)
    assert sent < MOST
