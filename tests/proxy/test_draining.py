"""What clients see while a proxy drains: each kind of connection is ended in its own language, and
no request that was sent is lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded
from hyperframe.frame import Frame, GoAwayFrame
from websockets.exceptions import ConnectionClosed

from proxy_addon.proxy.layers.termination import GOING_AWAY
from tests.e2e.client import read_until
from tests.e2e.office import websocket
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.harness import Serving, serving

PAGE = "http://allowance.internal/proxy.pac"  # answered on the light path
FRAME_HEAD = 9  # bytes
STREAM = "/stream?seconds=2&rate=20000&type=video/mp4"
SITE = "http://news.example/"  # answered by the engine


def answered(connection: socket.socket, address: str) -> bytes:
    """The head of the answer to a GET; its body is read as well."""
    host = address.split("/")[2]
    connection.sendall(f"GET {address} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head = read_until(connection, b"\r\n\r\n").lower()
    left = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    while left:
        left -= len(connection.recv(left))
    return head


def plain(proxy: Serving) -> socket.socket:
    """A connection to the proxy."""
    return proxy.client.socket()


def tunnelled(proxy: Serving) -> socket.socket:
    """TLS in a tunnel to a limited platform, HTTP/1.1."""
    _, tunnel = proxy.client.tunnel("www.facebook.com")
    return proxy.client.tls(tunnel, "www.facebook.com")


@pytest.mark.parametrize(
    ("connect", "address"),
    [(plain, PAGE), (plain, SITE), (tunnelled, "https://www.facebook.com/")],
    ids=["our page", "plain HTTP", "in a tunnel"],
)
def test_connections_that_are_kept(
    connect: Callable[[Serving], socket.socket], address: str, tmp_path: Path, origins: Origins
) -> None:
    """Whoever asks again on a connection that was kept gets the answer, and is told in it that the
    connection ends; then it does."""
    with serving(tmp_path, origins, drain=20.0) as proxy, closing(connect(proxy)) as connection:
        target = address if connect is plain else "/"
        host = address.split("/")[2]

        def ask() -> bytes:
            if connect is plain:
                return answered(connection, target)
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            head = read_until(connection, b"\r\n\r\n").lower()
            left = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            while left:
                left -= len(connection.recv(left))
            return head

        assert b"connection: close" not in ask()
        proxy.stop()
        until(lambda: proxy.harness.addon.is_draining, "the drain")
        last = ask()
        assert b" 200 " in last.split(b"\r\n")[0]
        assert b"\r\nconnection: close\r\n" in last
        connection.settimeout(5)
        assert connection.recv(1) == b""


class Http2:
    """An HTTP/2 client in a tunnel to a limited platform."""

    def __init__(self, proxy: Serving, host: str = "x.com") -> None:
        _, tunnel = proxy.client.tunnel(host)
        self._socket = proxy.client.tls(tunnel, host, alpn=["h2"])
        self._socket.settimeout(10)
        self._host = host
        self._h2 = H2Connection()
        self._h2.initiate_connection()
        self._waiting = b""
        self.events: list[Event] = []
        self.goaways: list[GoAwayFrame] = []

    def ask(self, stream: int, path: str) -> None:
        """Send a request."""
        head = {":method": "GET", ":scheme": "https", ":authority": self._host, ":path": path}
        self._h2.send_headers(stream, list(head.items()), end_stream=True)
        self.send(self._h2.data_to_send())

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def read(self, enough: Callable[[], bool]) -> None:
        """Read until what has happened is enough, or the connection has ended."""
        while not enough():
            data = self._socket.recv(65_536)
            if not data:
                return
            for event in self._h2.receive_data(self._without_goaway(data)):
                self.events.append(event)
                if isinstance(event, DataReceived) and event.flow_controlled_length:
                    self._h2.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
            self.send(self._h2.data_to_send())

    def _without_goaway(self, data: bytes) -> bytes:
        """All other frames that are complete: h2 would take the connection for closed, with streams
        that go on."""
        self._waiting += data
        others = b""
        while len(self._waiting) >= FRAME_HEAD:
            frame, length = Frame.parse_frame_header(memoryview(self._waiting[:FRAME_HEAD]))
            whole, end = self._waiting[: FRAME_HEAD + length], FRAME_HEAD + length
            if len(whole) < end:
                break
            self._waiting = self._waiting[end:]
            if isinstance(frame, GoAwayFrame):
                frame.parse_body(memoryview(whole[FRAME_HEAD:]))
                self.goaways.append(frame)
            else:
                others += whole
        return others

    def of[E: Event](self, kind: type[E]) -> list[E]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


def test_http2(tmp_path: Path, origins: Origins) -> None:
    """The client is told to open no more streams. What runs arrives whole, and so does what was
    sent before it had read that; then the connection ends."""
    with serving(tmp_path, origins, drain=30.0) as proxy:
        client = Http2(proxy)
        client.ask(1, STREAM)
        client.read(lambda: bool(client.of(DataReceived)))
        curl = proxy.client.start([f"https://x.com{STREAM}"], http2=True)
        until(lambda: curl.received() > 0, "the body to begin")
        late = Http2(proxy)
        late.ask(1, "/api/one")
        late.read(lambda: bool(late.of(StreamEnded)))
        proxy.stop()
        until(lambda: proxy.harness.addon.is_draining, "the drain")
        late.ask(3, "/api/one")
        late.read(lambda: len(late.of(StreamEnded)) == 2)
        statuses = [dict(event.headers)[b":status"] for event in late.of(ResponseReceived)]
        assert statuses == [b"200", b"200"]
        client.read(lambda: False)
        told = client.goaways[0]
        assert (told.error_code, told.last_stream_id) == (0, 2**31 - 1)
        assert [frame.error_code for frame in late.goaways] == [0]
        assert sum(len(event.data) for event in client.of(DataReceived)) == 40_000
        assert len(client.of(StreamEnded)) == 1
        (reply,) = curl.finish()
        assert (reply.exit_code, len(reply.body)) == (0, 40_000)


def test_a_websocket(tmp_path: Path, origins: Origins) -> None:
    """It goes on while the proxy drains, and is closed with code 1001 at the end of that."""
    with (
        serving(tmp_path, origins, drain=2.0) as proxy,
        websocket(proxy.client, "www.facebook.com", "127.0.0.1") as chat,
        pytest.raises(ConnectionClosed) as end,
    ):
        chat.send("hello")
        assert chat.recv(timeout=5) == "hello"
        proxy.stop()
        until(lambda: proxy.harness.addon.is_draining, "the drain")
        chat.send("still there")
        assert chat.recv(timeout=5) == "still there"
        chat.recv(timeout=20)
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == GOING_AWAY


def test_idle_connections_do_not_hold_the_end_up(tmp_path: Path, origins: Origins) -> None:
    """Connections on which nothing runs are closed long before the drain has to end."""
    with serving(tmp_path, origins, drain=60.0) as proxy:
        kept = [plain(proxy), plain(proxy), tunnelled(proxy)]
        answered(kept[0], PAGE)
        answered(kept[1], SITE)
        began = time.monotonic()
        proxy.stop()
        until(lambda: not proxy.running, "the end", 30)
        assert time.monotonic() - began < 30
        for connection in kept:
            connection.close()
