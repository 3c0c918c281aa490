"""`proxy_addon/proxy/budgets/idle_clients.py`: by hand, and in a real proxy."""

from __future__ import annotations

from pathlib import Path

import h2.events
import pytest
from mitmproxy.connection import Client

from proxy_addon.proxy.budgets import idle_clients
from proxy_addon.proxy.budgets.idle_clients import FIRST_SECONDS, NEXT_SECONDS, IdleClients
from proxy_addon.proxy.layers.connections import ClientState
from tests.e2e.client import read_all
from tests.e2e.origins import Origins
from tests.proxy.harness import serving
from tests.proxy.odd_client import TwoClient


class Looked:
    """Some connections that are looked at on a clock that tests move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.open: dict[Client, ClientState] = {}
        self.closed: list[Client] = []
        self.noted: list[tuple[str, str]] = []
        self.idle = IdleClients(self._close, lambda *what: self.noted.append(what))

    def _close(self, client: Client) -> None:
        self.closed.append(client)
        del self.open[client]

    def connected(self) -> tuple[Client, ClientState]:
        """A new connection."""
        client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2))
        self.open[client] = ClientState()
        return client, self.open[client]

    def wait(self, seconds: float) -> None:
        """So many seconds pass."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.25
            self.idle.look(lambda: list(self.open.items()), self.now)


def test_a_connection_that_asks_nothing_is_closed() -> None:
    """After half a minute, and it is counted; one that is tunnelled has longer."""
    looked = Looked()
    silent, _ = looked.connected()
    tunnel, state = looked.connected()
    state.hosts = ("www.facebook.com",)
    looked.wait(FIRST_SECONDS + 10)
    assert looked.closed == [silent]
    assert looked.noted == [("idle", "client")]
    looked.wait(NEXT_SECONDS - FIRST_SECONDS)
    assert looked.closed == [silent, tunnel]


def test_a_connection_in_use_stays() -> None:
    """A request under way, a relayed tunnel, and requests so short that nobody sees them run."""
    looked = Looked()
    for used in ("open", "passed"):
        setattr(looked.connected()[1], used, True)
    _, often = looked.connected()
    for _ in range(20):
        often.requests += 1
        looked.wait(NEXT_SECONDS / 2)
    assert not looked.closed
    looked.wait(NEXT_SECONDS + 10)
    assert len(looked.closed) == 1


def test_in_a_real_proxy(tmp_path: Path, origins: Origins, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that drips, and a client that is silent between two requests, are closed."""
    monkeypatch.setattr(idle_clients, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(idle_clients, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(idle_clients, "NEXT_SECONDS", 2.0)
    with serving(tmp_path, origins, light_path=False) as proxy:
        dripping, silent = proxy.client.socket(), proxy.client.socket()
        dripping.sendall(b"GET http://news.example/ HT")
        silent.sendall(b"GET http://news.example/ HTTP/1.1\r\nHost: news.example\r\n\r\n")
        assert read_all(silent, 30.0).startswith(b"HTTP/1.1 200")
        assert read_all(dripping, 30.0) == b""
        assert proxy.harness.counted("refused_total", budget="idle") == 2


def test_over_http2(tmp_path: Path, origins: Origins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client is told which stream was the last that was answered, without an error: whatever it
    asks meanwhile it may ask again."""
    monkeypatch.setattr(idle_clients, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(idle_clients, "NEXT_SECONDS", 1.0)
    with serving(tmp_path, origins) as proxy:
        client = TwoClient(proxy, "www.facebook.com")
        assert [client.ask("/").status for _ in range(2)] == [200, 200]
        found = client.h2.receive_data(read_all(client.wire, 30.0))
        (end,) = [each for each in found if isinstance(each, h2.events.ConnectionTerminated)]
        assert (end.error_code, end.last_stream_id) == (0, 3)
