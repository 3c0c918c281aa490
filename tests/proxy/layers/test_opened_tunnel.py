"""`proxy_addon/proxy/layers/opened_tunnel.py`, on real sockets: pins the internals of mitmproxy
that it uses."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import structlog.testing
from mitmproxy.connection import Client, ConnectionState, Server
from mitmproxy.proxy import commands, events, layer

from proxy_addon.proxy.layers import event_handler
from proxy_addon.proxy.layers.opened_tunnel import OpenedTunnel
from tests.e2e.client import read_until
from tests.e2e.waiting import until
from tests.proxy.harness import Serving
from tests.proxy.layers.test_event_handler import handlers

ENDLESS = "seconds=60&rate=20000&type=video/mp4"


def tops(proxy: Serving) -> list[type]:
    """What takes the events of each client."""
    return [type(each.layer) for each in handlers(proxy)]


def asks(inside: ssl.SSLSocket, path: str) -> bytes:
    """The answer to a request."""
    inside.sendall(f"GET {path} HTTP/1.1\r\nHost: www.facebook.com\r\n\r\n".encode())
    answer = read_until(inside, b"\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        body += inside.recv(65_536)
    return head + body


def opened(proxy: Serving) -> ssl.SSLSocket:
    """TLS with facebook.com through the proxy, over HTTP/1.1."""
    status, tunnel = proxy.client.tunnel("www.facebook.com")
    assert status == 200
    trust = ssl.create_default_context(cafile=proxy.client.trust)
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return trust.wrap_socket(tunnel, server_hostname="www.facebook.com")


def test_requests_in_an_opened_tunnel(proxy: Serving) -> None:
    """From the first request on, all go the short way, and each has its answer."""
    with opened(proxy) as inside:
        for number in range(5):
            assert asks(inside, f"/page/{number}").startswith(b"HTTP/1.1 200")
            assert tops(proxy) == [OpenedTunnel]
    proxy.empty()


def test_streams_of_http2(proxy: Serving) -> None:
    """A body over HTTP/2 passes on the short way, and others beside it."""
    running = proxy.client.start([f"https://www.facebook.com/stream?{ENDLESS}"] * 2, http2=True)
    until(lambda: running.received(0) > 0 and running.received(1) > 0, "both to begin")
    assert tops(proxy) == [OpenedTunnel]
    running.cancel()
    proxy.empty()


def test_plain_http_and_metered_tunnels_go_the_long_way(proxy: Serving) -> None:
    """Where no TLS of ours is inside, nothing changes."""
    running = proxy.client.start([f"http://www.facebook.com/stream?{ENDLESS}"])
    until(lambda: running.received() > 0, "the body to begin")
    assert OpenedTunnel not in tops(proxy)
    running.cancel()
    status, tunnel = proxy.client.tunnel("chatter.example")
    assert status == 200
    tunnel.sendall(b"\x00\x01 neither TLS nor HTTP")
    assert OpenedTunnel not in tops(proxy)
    tunnel.close()
    proxy.empty()


def test_a_client_that_leaves_takes_the_site_with_it(proxy: Serving) -> None:
    """On the short way both sides of a connection end with the client."""
    with opened(proxy) as inside:
        inside.sendall(f"GET /stream?{ENDLESS} HTTP/1.1\r\nHost: www.facebook.com\r\n\r\n".encode())
        read_until(inside, b"\r\n\r\n")
        (handler,) = handlers(proxy)
        assert len(handler.transports) == 2
    proxy.empty()
    until(lambda: proxy.on_loop(lambda: handler.transports) == {}, "both sockets to be closed")


def test_where_it_cannot_be_found_out(proxy: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """If mitmproxy is not as expected, tunnels go the long way; one line says so, once."""

    def differs(top: layer.Layer) -> None:
        raise AttributeError("streams")

    monkeypatch.setattr(OpenedTunnel, "of", differs)
    monkeypatch.setattr(event_handler, "_logged", [])
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            with opened(proxy) as inside:
                assert asks(inside, "/").startswith(b"HTTP/1.1 200")
                assert OpenedTunnel not in tops(proxy)
    said = [line["event"] for line in lines if line["log_level"] == "warning"]
    assert said.count("a tunnel goes through all layers") == 1


class Scripted:
    """In the place of the layers inside."""

    context: Any = None

    def __init__(self, *answers: commands.Command) -> None:
        self._answers = answers

    def handle_event(self, event: events.Event) -> Any:
        """The same commands for every event."""
        yield from self._answers


def test_closing_is_never_half() -> None:
    """As the layers of the CONNECT do: what the layers inside half-close is closed, and the client
    only as long as it can be written to; all else is passed on as it is."""
    client = Client(peername=("c", 1), sockname=("p", 2), state=ConnectionState.OPEN)
    site = Server(address=("s", 443))
    sent = commands.SendData(client, b"x")
    inside: Any = Scripted(
        commands.CloseTcpConnection(site, half_close=True),
        commands.CloseTcpConnection(client, half_close=True),
        sent,
    )
    tunnel = OpenedTunnel(client, inside)
    to_site, to_client, other = tunnel.handle_event(events.Start())
    assert (type(to_site), type(to_client)) == (commands.CloseConnection,) * 2
    assert [to_site.connection, to_client.connection] == [site, client]  # type: ignore[attr-defined]
    assert other is sent
    client.state = ConnectionState.CAN_READ
    assert [type(each) for each in tunnel.handle_event(events.Start())] == [
        commands.CloseConnection,
        commands.SendData,
    ]
