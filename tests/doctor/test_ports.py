"""`proxy_addon/doctor/ports.py`: the two ports."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from proxy_addon.config.parsers import HostPort
from proxy_addon.doctor.check import State
from proxy_addon.doctor.ports import ports, running
from tests.e2e.waiting import free_port

READY = {"ready": True, "checks": {"proxy": "ok", "ledger": "ok"}}
LOCAL = "127.0.0.1"


@contextmanager
def served(answers: dict[str, tuple[int, bytes]]) -> Iterator[HostPort]:
    """A web server on loopback with these answers by path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((LOCAL, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield HostPort(LOCAL, server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def ours(health: object, port: int, status: int = 200) -> dict[str, tuple[int, bytes]]:
    """What the web port of a proxy answers."""
    pac = f'function FindProxyForURL() {{\n  return "PROXY {LOCAL}:{port}";\n}}'
    return {"/readyz": (status, json.dumps(health).encode()), "/proxy.pac": (200, pac.encode())}


def test_both_free() -> None:
    """Nobody listens: both can be taken."""
    found = list(ports(HostPort(LOCAL, free_port()), HostPort(LOCAL, free_port())))
    assert [(each.name, each.state) for each in found] == [
        ("web port", State.OK),
        ("proxy port", State.OK),
    ]
    assert all("is free" in each.fact for each in found)
    assert "any free port" in next(ports(HostPort(LOCAL, 0), HostPort(LOCAL, 0))).fact


def test_somebody_else_has_it() -> None:
    """An error that names the port, the reason and both ways out."""
    with socket.create_server((LOCAL, 0)) as other:
        port = other.getsockname()[1]
        web, proxy = ports(HostPort(LOCAL, port), HostPort(LOCAL, free_port()))
    assert web.state is State.OK
    assert proxy.state is State.ERROR
    assert "in use" in proxy.fact
    assert "--listen" in proxy.remedy


def test_a_proxy_of_ours_runs() -> None:
    """Good news: both ports are held by the very proxy that is meant."""
    port = free_port()
    with served(ours(READY, port)) as web:
        found = list(ports(HostPort("", port), web))
    assert [each.state for each in found] == [State.OK, State.OK]
    assert "runs and is ready" in found[0].fact
    assert "held by the running proxy" in found[1].fact


@pytest.mark.parametrize(
    ("sick", "status", "said"),
    [
        (
            {"ready": True, "checks": {"proxy": "ok", "ledger": "down: unreachable"}},
            200,
            "is ready, but not all is well: ledger: down: unreachable",
        ),
        ({"ready": False, "checks": {"proxy": "draining"}}, 503, "is not ready: proxy: draining"),
    ],
    ids=["ready", "not ready"],
)
def test_it_runs_and_not_all_is_well(sick: dict[str, object], status: int, said: str) -> None:
    """What it says of itself is told, and whether it takes connections all the same."""
    with served(ours(sick, 1, status)) as web:
        first, second = ports(HostPort(LOCAL, free_port()), web)
    assert first.state is State.WARNING
    assert said in first.fact
    assert "is free" in second.fact


@pytest.mark.parametrize(
    "answer", [(200, b"hello"), (200, b"[]"), (404, b"{}"), (200, b'{"ready": 1}')]
)
def test_another_web_server_is_not_taken_for_ours(answer: tuple[int, bytes]) -> None:
    """Whatever it answers to our path."""
    with served({"/readyz": answer}) as web:
        assert running(web) is None
        first, _ = ports(HostPort(LOCAL, free_port()), web)
    assert first.state is State.ERROR
