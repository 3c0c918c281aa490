"""`/me/events` through a real proxy: streams that show changes, and that end."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.e2e.client import read_until
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.harness import Serving, serving
from tests.proxy.page_client import ID, ask, events, tunnelled

ME = "ip:127.0.0.1"


def test_balance_events(proxy: Serving, way: tuple[socket.socket, str]) -> None:
    """Another's usage and a grant show at once; the stream ends whole when the proxy drains."""
    connection, before = way
    connection.sendall(ask(before + "/me/events"))
    head = read_until(connection, b"\r\n\r\n").lower()
    assert head.startswith(b"http/1.1 200 ")
    assert ID.search(head)
    assert b'"left":900.0' in events(connection, b"}}}\n\n")
    proxy.spend(ME, 300.0)
    assert b'"left":600.0' in events(connection, b"}}}\n\n")
    proxy.stop()
    assert events(connection, b"\r\n0\r\n\r\n").endswith(b"\r\n0\r\n\r\n")


def test_streams_do_not_hold_up_the_drain(tmp_path: Path, origins: Origins) -> None:
    """What may finish has twenty seconds; a stream never would, and is ended at once."""
    with serving(tmp_path, origins, drain=20.0) as proxy:
        connection = tunnelled(proxy)
        connection.sendall(ask("/me/events"))
        events(connection, b"}}}\n\n")
        proxy.stop()
        assert events(connection, b"\r\n0\r\n\r\n").endswith(b"\r\n0\r\n\r\n")
        until(lambda: not proxy.running, "the proxy to end", timeout=5)


def test_streams_of_clients_that_vanish(proxy: Serving, way: tuple[socket.socket, str]) -> None:
    """No task and no connection stays."""
    connection, before = way
    connection.sendall(ask(before + "/me/events"))
    events(connection, b"}}}\n\n")
    server = proxy.harness.addon.acceptor.policy.pages
    assert len(server._streams) == len(server._protocols.answering) == 1
    connection.close()
    proxy.empty()
    until(lambda: not server._streams and not server._protocols.answering, "the end of the stream")


def test_a_stream_whose_person_is_another_one_now(proxy: Serving) -> None:
    """Rules that give a device to somebody else end the streams of the one before, not others'."""
    mine, devices = tunnelled(proxy), tunnelled(proxy, "127.0.3.1")
    for connection in (mine, devices):
        connection.sendall(ask("/me/events"))
        events(connection, b"}}}\n\n")
    identifier = proxy.harness.identifier
    again = identifier.again

    def other(who, ip):  # type: ignore[no-untyped-def]
        found = again(who, ip)
        return found._replace(name="emil") if ip == "127.0.3.1" else found

    proxy.on_loop(lambda: setattr(identifier, "again", other))
    proxy.on_loop(proxy.harness.addon.acceptor.follow_rules)
    assert events(devices, b"\r\n0\r\n\r\n").endswith(b"\r\n0\r\n\r\n")
    proxy.spend(ME, 300.0)
    assert b'"left":600.0' in events(mine, b"}}}\n\n")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_events_through_the_engine(tmp_path: Path, origins: Origins, scheme: str) -> None:
    """With `light_path = off` the answer is 501, at once, and the page works as ever."""
    with serving(tmp_path, origins, light_path=False) as proxy:
        reply = proxy.client.get(f"{scheme}://allowance.internal/me/events")
        assert (reply.status, reply.seconds < 3) == (501, True)
        assert proxy.client.get(f"{scheme}://allowance.internal/").status == 200
