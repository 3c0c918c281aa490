"""`proxy_addon/proxy/layers/closing.py`, on real sockets: pins the internals of mitmproxy that it
uses."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from mitmproxy.connection import Client, Connection
from mitmproxy.proxy import server_hooks

from proxy_addon.proxy.layers import closing
from tests.e2e.client import read_until
from tests.e2e.waiting import until
from tests.proxy.harness import Serving
from tests.proxy.layers.test_termination import ME, sockets_of

SOON = 4.0  # seconds
TAKES = b"POST http://www.facebook.com/upload HTTP/1.1\r\nHost: www.facebook.com\r\nContent-Length: 9999999\r\n\r\n"


def handler_of(proxy: Serving) -> Any:
    """mitmproxy's handler of the only client."""
    runner = proxy._runner
    assert runner is not None
    (handler,) = runner.server.connections.values()
    return handler


@contextmanager
def another_event_first(proxy: Serving) -> Iterator[Any]:
    """The client's handler while it takes another event: whatever is read meanwhile waits."""
    handler = proxy.on_loop(lambda: handler_of(proxy))
    lock = handler._server_event_lock
    proxy.on_loop(lambda: setattr(lock, "_locked", True))
    yield handler
    proxy.on_loop(lock.release)


def waits(handler: Any) -> bool:
    """True when somebody waits for a turn."""
    return bool(handler._server_event_lock._waiters)


def side(handler: Any, kind: type[Connection]) -> Connection:
    """The connection to the client, or that to the site."""
    return next(each for each in handler.transports if isinstance(each, Client) is (kind is Client))


def asked(proxy: Serving) -> int:
    """How many requests have reached the site."""
    return len(proxy.origins.record.to("www.facebook.com"))


@pytest.mark.parametrize("ended", [Client, Connection], ids=["client", "site"])
def test_a_connection_that_waits_is_closed(proxy: Serving, ended: type[Connection]) -> None:
    """An upload is ended while its next piece waits for its turn: both sockets are closed, and
    nothing is left open."""
    before = asked(proxy)
    with proxy.client.socket() as upload:
        upload.sendall(TAKES + bytes(1000))
        until(lambda: asked(proxy) > before, "the request at the site")
        with another_event_first(proxy) as handler:
            upload.sendall(bytes(1000))
            until(lambda: waits(handler), "the next piece to wait")
            proxy.on_loop(lambda: handler.close_connection(side(handler, Client)))
            if ended is Connection:
                proxy.on_loop(lambda: handler.close_connection(side(handler, Connection)))
        upload.settimeout(SOON)
        assert closed(upload)
    proxy.empty()
    until(lambda: proxy.on_loop(lambda: handler.transports) == {}, "both sockets to be closed")


def locked_when_connected(handler: Any) -> None:
    """Another event is taken from the moment in which a site has been connected to."""
    original = handler.handle_hook

    async def handle_hook(hook: Any) -> None:
        await original(hook)
        if isinstance(hook, server_hooks.ServerConnectedHook):
            handler._server_event_lock._locked = True

    handler.handle_hook = handle_hook


def is_gone(transport: Any) -> bool:
    """Whether the socket of a transport of either loop is closed."""
    if hasattr(transport, "_sock"):
        return transport._sock is None
    return "closed=True" in repr(transport)


def test_a_connection_to_a_site_that_waits_is_closed(proxy: Serving) -> None:
    """A connection that is ended before anybody knew of it is closed, and its client is told that
    the site cannot be reached."""
    with proxy.client.socket() as client:
        until(lambda: proxy.connections() == 1, "the client")
        handler = proxy.on_loop(lambda: handler_of(proxy))
        proxy.on_loop(lambda: locked_when_connected(handler))
        client.sendall(b"GET http://www.facebook.com/ HTTP/1.1\r\nHost: www.facebook.com\r\n\r\n")
        until(lambda: waits(handler), "the site's connection to wait")
        site = proxy.on_loop(lambda: side(handler, Connection))
        transport = proxy.on_loop(lambda: handler.transports[site].writer.transport)
        proxy.on_loop(lambda: handler.close_connection(site))
        until(lambda: proxy.on_loop(lambda: is_gone(transport)), "the socket to be closed")
        proxy.on_loop(handler._server_event_lock.release)
        assert b" 502 " in read_until(client, b"\r\n\r\n")
        assert proxy.on_loop(lambda: site not in handler.transports)


def closed(connection: socket.socket) -> bool:
    """True when the other side has closed it, whether or not something of ours was still to be
    read."""
    try:
        return connection.recv(65_536) == b""
    except ConnectionResetError:
        return True


def test_what_is_read_in_order_is_handled_as_before(proxy: Serving) -> None:
    """A piece that waits for its turn is not lost when nothing is ended."""
    before = asked(proxy)
    with proxy.client.socket() as upload:
        upload.sendall(TAKES.replace(b"9999999", b"2000") + bytes(1000))
        until(lambda: asked(proxy) > before, "the request at the site")
        with another_event_first(proxy) as handler:
            upload.sendall(bytes(1000))
            until(lambda: waits(handler), "the rest to wait")
        assert b" 200 " in read_until(upload, b"\r\n\r\n")


ENDLESS = (
    b"GET http://www.facebook.com/stream?seconds=20&rate=20000000 HTTP/1.1\r\n"
    b"Host: www.facebook.com\r\n\r\n"
)


def unsent(transport: Any) -> int:
    """How many bytes wait to be sent, in a socket that is still there."""
    return 0 if is_gone(transport) else transport.get_write_buffer_size()


def stalled(proxy: Serving, client: socket.socket) -> Any:
    """The transport of a client that asks for an endless film and does not read it, when no more
    can be sent."""
    client.sendall(ENDLESS)
    until(lambda: sockets_of(proxy) == 1, "the connection to the site")
    handler = proxy.on_loop(lambda: handler_of(proxy))
    transport = proxy.on_loop(lambda: handler.transports[side(handler, Client)].writer.transport)
    until(
        lambda: proxy.on_loop(lambda: unsent(transport)) > 65_536, "the client's buffer to be full"
    )
    return transport


def test_a_client_that_does_not_read(proxy: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket is given up some time after its film was ended, although bytes for it are left."""
    monkeypatch.setattr(closing, "STALLED", 0.2)
    with proxy.client.socket() as client:
        transport = stalled(proxy, client)
        proxy.spend(ME)
        until(lambda: proxy.on_loop(lambda: is_gone(transport)), "the socket to be given up")
    until(lambda: sockets_of(proxy) == 0, "the connection to the site to be gone")


def test_a_client_that_reads_slowly(proxy: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it reads on it gets all that was sent to it before the end."""
    monkeypatch.setattr(closing, "STALLED", 0.5)
    with proxy.client.socket() as client:
        transport = stalled(proxy, client)
        proxy.spend(ME)
        until(lambda: proxy.on_loop(transport.is_closing), "the film to be ended")
        left, got = proxy.on_loop(lambda: unsent(transport)), 0
        client.settimeout(SOON)
        while piece := client.recv(100_000):
            got += len(piece)
            time.sleep(0.02)
        assert got >= left
