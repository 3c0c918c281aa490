"""`proxy_addon/web/server.py`: the web port on a thread of its own."""

from __future__ import annotations

import socket
import threading
import urllib.request

import pytest

from proxy_addon.config.parsers import HostPort
from proxy_addon.web.app import web_app
from proxy_addon.web.server import PortTaken, WebServer, available_port, bind
from tests.e2e.waiting import accepts, free_port, until
from tests.web.office import FixedProxyState


def test_serves_until_it_is_stopped() -> None:
    """It answers after `start`, on another thread, and after `stop` nobody listens and nothing
    runs."""
    port = free_port()
    server = WebServer(web_app(FixedProxyState()), HostPort("127.0.0.1", port))
    server.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        assert (answer.status, answer.read()) == (200, b"ok")
    assert any(thread.name == "web" for thread in threading.enumerate())
    server.stop()
    assert not accepts(port)
    until(
        lambda: all(thread.name != "web" for thread in threading.enumerate()), "the thread to end"
    )
    server.stop()


def test_taken_port() -> None:
    """A port that somebody has is one line with the flag that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        wanted = HostPort("127.0.0.1", holder.getsockname()[1])
        for attempt in (lambda: bind(wanted, "--web"), lambda: available_port(wanted, "--web")):
            with pytest.raises(
                PortTaken,
                match=r"^--web 127\.0\.0\.1:\d+: .*; choose another with --web HOST:PORT$",
            ) as caught:
                attempt()
            assert caught.value.because == "Address already in use"
        with pytest.raises(PortTaken):
            WebServer(web_app(FixedProxyState()), wanted).start()


def test_free() -> None:
    """Port 0 becomes one that can be listened on; another stays what it is."""
    found = available_port(HostPort("127.0.0.1", 0), "--listen")
    assert found.port > 0
    assert available_port(found, "--listen") == found
    bind(found, "--listen").close()


def test_ipv6() -> None:
    """An IPv6 address is listened on as such."""
    sock = bind(HostPort("::1", 0), "--web")
    assert sock.family is socket.AF_INET6
    sock.close()
