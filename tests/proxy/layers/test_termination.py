"""`proxy_addon/proxy/layers/termination.py`, on real sockets: pins the internals of mitmproxy that
it uses."""

from __future__ import annotations

import socket
import ssl
import time
from types import SimpleNamespace

import pytest
from mitmproxy.connection import Client
from mitmproxy.test import tflow
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from proxy_addon.proxy.layers.event_handler import BrokenLayer
from proxy_addon.proxy.layers.termination import POLICY_VIOLATION, REASON, Terminator
from tests.e2e.client import read_all, read_until
from tests.e2e.waiting import until
from tests.e2e.websocket import WebSocket
from tests.proxy.harness import Serving

ENDLESS = "seconds=60&rate=20000&type=video/mp4"
ME = "ip:127.0.0.1"
SOON = 4.0  # seconds in which a cut must be over; the promise is five


def sockets_of(proxy: Serving) -> int:
    """Connections to sites that the proxy has open."""

    def count() -> int:
        runner = proxy._runner
        assert runner is not None
        handlers = runner.server.connections.values()
        return sum(not isinstance(each, Client) for one in handlers for each in one.transports)

    return proxy.on_loop(count)


@pytest.mark.parametrize(
    ("scheme", "http2"),
    [("http", False), ("https", False), ("https", True)],
    ids=["plain", "h1", "h2"],
)
def test_body_is_cut(proxy: Serving, scheme: str, http2: bool) -> None:
    """A body ends in its middle, the connection to the site with it, and the cut is counted."""
    (transfer := proxy.client.start([f"{scheme}://www.facebook.com/stream?{ENDLESS}"], http2=http2))
    until(lambda: transfer.received() > 0, "the body to begin")
    proxy.spend(ME)
    began = time.monotonic()
    (reply,) = transfer.finish()
    assert time.monotonic() - began < SOON
    assert (reply.status, reply.exit_code != 0) == (200, True)
    until(lambda: sockets_of(proxy) == 0, "the connection to the site to be gone")
    assert proxy.harness.counted("cut_total", kind="http") == 1


@pytest.mark.parametrize(
    ("scheme", "http2"),
    [("http", False), ("https", False), ("https", True)],
    ids=["plain", "h1", "h2"],
)
def test_an_answer_that_has_not_begun(proxy: Serving, scheme: str, http2: bool) -> None:
    """A page that is opened in the last second, and whose site is slow, becomes the page that says
    that time is up; the connection to the site is gone."""
    url = f"{scheme}://www.facebook.com/late?seconds=30"
    before = len(proxy.origins.record.to("www.facebook.com"))
    opening = proxy.client.start([url], http2=http2, headers={"Sec-Fetch-Dest": "document"})
    until(
        lambda: len(proxy.origins.record.to("www.facebook.com")) > before, "the request at the site"
    )
    proxy.spend(ME)
    (reply,) = opening.finish()
    assert (reply.status, reply.reason, reply.exit_code) == (403, "exhausted", 0)
    assert b"</html>" in reply.body
    assert reply.seconds < SOON
    until(lambda: sockets_of(proxy) == 0, "the connection to the site to be gone")
    assert proxy.harness.counted("cut_total", kind="http") == 1


def test_layers_that_have_failed() -> None:
    """A client whose layers have failed, and which is still being closed, is passed by when others
    are told of a drain, and closed when it is idle."""
    client, closed = tflow.tclient_conn(), []
    transport = SimpleNamespace(get_extra_info=lambda _: None)
    handler = SimpleNamespace(
        client=client,
        layer=BrokenLayer(),
        transports={client: SimpleNamespace(writer=SimpleNamespace(transport=transport))},
        close_connection=closed.append,
    )
    terminator = Terminator(SimpleNamespace(connections={client.id: handler}))
    terminator.drain(ends=False)
    terminator.leave(client)
    assert closed == [client]


def test_only_one_stream_of_a_tunnel(proxy: Serving) -> None:
    """In one HTTP/2 tunnel the limited stream is reset; its neighbour that is free arrives
    whole."""
    course = "https://www.linkedin.com/learning/stream?seconds=3&rate=20000&type=video/mp4"
    both = proxy.client.start([f"https://www.linkedin.com/stream?{ENDLESS}", course], http2=True)
    until(lambda: both.received(0) > 0 and both.received(1) > 0, "both to begin")
    proxy.spend(ME)
    cut, kept = both.finish()
    assert cut.exit_code != 0
    assert cut.seconds < SOON
    assert (kept.exit_code, len(kept.body)) == (0, 60_000)


def test_next_request_in_the_same_tunnel(proxy: Serving) -> None:
    """After a cut HTTP/2 stream the tunnel lives: another request in it gets its answer."""
    urls = [f"https://x.com/stream?{ENDLESS}", "https://x.com/api/one"]
    first = proxy.client.start(urls[:1], http2=True)
    until(lambda: first.received() > 0, "the body to begin")
    proxy.spend(ME)
    (reply,) = first.finish()
    assert reply.exit_code != 0
    assert proxy.client.open("https://x.com/", http2=True).reason == "exhausted"


def secure_websocket(proxy: Serving) -> WebSocket:
    """A WebSocket to facebook.com through a tunnel."""
    status, tunnel = proxy.client.tunnel("www.facebook.com")
    assert status == 200
    context = ssl.create_default_context(cafile=proxy.client.trust)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return WebSocket("wss://www.facebook.com/ws", tunnel, context)


def test_websocket_in_a_tunnel(proxy: Serving) -> None:
    """A WebSocket is closed with code 1008 and the reason, on both sides."""
    with secure_websocket(proxy) as chat, pytest.raises(ConnectionClosed) as end:
        chat.send("hello")
        assert chat.recv(timeout=5) == "hello"
        proxy.spend(ME)
        chat.recv(timeout=SOON)
    assert end.value.rcvd == Close(POLICY_VIOLATION, REASON)
    until(lambda: sockets_of(proxy) == 0, "the site's side to be gone")
    assert proxy.harness.counted("cut_total", kind="websocket") == 1


HANDSHAKE = (
    "GET http://www.facebook.com/ws HTTP/1.1\r\nHost: www.facebook.com\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def plain_websocket(proxy: Serving) -> socket.socket:
    """A WebSocket without TLS, by hand."""
    connection = proxy.client.socket()
    connection.sendall(HANDSHAKE.encode())
    assert b" 101 " in read_until(connection, b"\r\n\r\n")
    return connection


def test_websocket_without_tls(proxy: Serving) -> None:
    """The same for a WebSocket that needs no tunnel."""
    with plain_websocket(proxy) as connection:
        proxy.spend(ME)
        frame = read_all(connection, SOON)
    assert frame == b"\x88\x0c\x03\xf0" + REASON.encode()


def test_websocket_with_half_a_frame(proxy: Serving) -> None:
    """A message of which only a part has come does not hold up the end."""
    with plain_websocket(proxy) as connection:
        connection.sendall(
            b"\x01\x85\x00\x00\x00\x00hello" + b"\x80\xfe\x0f\xff\x00\x00\x00\x00half"
        )
        until(lambda: proxy.connections() == 1, "the connection")
        proxy.spend(ME)
        assert read_all(connection, SOON).endswith(b"\x03\xf0" + REASON.encode())


def test_metered_tunnel(proxy: Serving) -> None:
    """A tunnel that stays closed to us ends with its client's connection."""
    transfer = proxy.client.start(
        [f"https://chatter.example/stream?{ENDLESS}"], trust=proxy.origins.ca_file
    )
    until(lambda: transfer.received() > 0, "the body to begin")
    proxy.spend(ME)
    (reply,) = transfer.finish()
    assert (reply.status, reply.exit_code != 0) == (200, True)
    assert reply.seconds < SOON + 2
    assert proxy.harness.counted("cut_total", kind="tunnel") == 1


def test_relayed_tunnels_are_left_alone(proxy: Serving) -> None:
    """Somebody whose time is up goes on with what is not limited."""
    transfer = proxy.client.start(
        ["https://news.example/stream?seconds=2&rate=20000"], trust=proxy.origins.ca_file
    )
    limited = proxy.client.start([f"https://x.com/stream?{ENDLESS}"])
    until(lambda: transfer.received() > 0 and limited.received() > 0, "both to begin")
    proxy.spend(ME)
    assert limited.finish()[0].exit_code != 0
    (reply,) = transfer.finish()
    assert (reply.exit_code, len(reply.body)) == (0, 40_000)


def test_what_does_not_end_loses_its_connection(proxy: Serving) -> None:
    """When a cut has no effect the client's connection is closed two seconds later."""
    transfer = proxy.client.start([f"https://x.com/stream?{ENDLESS}"], http2=True)
    until(lambda: transfer.received() > 0, "the body to begin")

    def blunt() -> None:
        terminator = proxy.harness.addon.in_flight._terminator
        assert terminator is not None
        terminator.http = lambda flow, cuttable: None  # type: ignore[method-assign,assignment]

    proxy.on_loop(blunt)
    proxy.spend(ME)
    until(lambda: proxy.harness.counted("cut_total", kind="http") == 1, "the cut")
    proxy.on_loop(lambda: proxy.harness.clock.advance(3.0))
    (reply,) = transfer.finish()
    assert reply.exit_code != 0
    proxy.empty()
