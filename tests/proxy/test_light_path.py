"""Twin of proxy_addon/proxy/light_path.py: what may be relayed, by the rules and guards of a real
office, and what reaches clients through a real proxy."""

from __future__ import annotations

import base64
import socket
import ssl

import pytest
from structlog.testing import capture_logs

from proxy_addon.proxy.decision_recorder import DecisionRecorder
from proxy_addon.proxy.light_path import LightPathPolicy
from proxy_addon.relay.heads import ConnectHead, read_head
from tests.e2e.client import read_until
from tests.e2e.waiting import until
from tests.proxy.harness import ProxyHarness, Serving, breaks, serving


def head(authority: str, *fields: str) -> ConnectHead:
    """A CONNECT as it is read."""
    lines = [f"CONNECT {authority} HTTP/1.1", *fields, "", ""]
    found = read_head("\r\n".join(lines).encode())
    assert found is not None
    return found


def policy(harness: ProxyHarness) -> LightPathPolicy:
    """The policy of an office."""
    return LightPathPolicy(
        harness.services, harness.addon.failures, DecisionRecorder(harness.services.decisions)
    )


@pytest.mark.parametrize(
    ("authority", "relayed"),
    [
        ("news.example:443", True),
        ("www.notfacebook.com:443", True),
        ("www.facebook.com:443", False),
        ("chatter.example:443", False),
        ("allowance.internal:443", False),
        ("news.example:22", False),
        ("127.0.0.1:443", False),
        ("localhost:443", False),
        ("192.0.2.1:443", True),
    ],
)
def test_what_may_be_relayed(harness: ProxyHarness, authority: str, relayed: bool) -> None:
    """Hosts that no rule limits, on permitted ports, and nothing that is guarded."""
    terms = policy(harness).terms("127.0.0.1", head(authority))
    assert (terms is not None) is relayed


def test_who_asks(harness: ProxyHarness) -> None:
    """Devices by their map; somebody whose password is not known yet as their address."""
    token = base64.b64encode(b"dora:secret").decode()
    asks = policy(harness).asker
    assert asks("127.0.3.1", head("a.example:443")) == "dora"
    assert asks("10.0.0.9", head("a.example:443")) == "ip:10.0.0.9"
    sign_in = head("a.example:443", f"Proxy-Authorization: Basic {token}")
    assert asks("10.0.0.9", sign_in) in ("10.0.0.9", "ip:10.0.0.9")


def test_no_descriptor_left_is_logged_once_a_minute(harness: ProxyHarness) -> None:
    """With what to do about it."""
    asked = policy(harness)
    with capture_logs() as logs:
        pages = [asked.crowded() for _ in range(3)]
    assert [line["event"] for line in logs] == [
        "connections refused: nearly all descriptors are in use"
    ]
    assert "LimitNOFILE" in logs[0]["hint"]
    assert all(page.startswith(b"HTTP/1.1 503 ") for page in pages)
    assert all(b"X-Allowance-Request: " in page for page in pages)


def test_a_name_inside_that_is_limited(proxy: Serving) -> None:
    """CONNECT to a free host and a ClientHello for a limited one: the engine opens it, and the
    person meets their limit."""
    proxy.spend("ip:127.0.0.1")
    plain = proxy.client.socket()
    plain.sendall(b"CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\n\r\n")
    assert b" 200 " in read_until(plain, b"\r\n\r\n")
    context = ssl.create_default_context(cafile=str(proxy.harness.ca_file))
    with context.wrap_socket(plain, server_hostname="www.facebook.com") as tls:
        tls.sendall(b"GET / HTTP/1.1\r\nHost: www.facebook.com\r\n\r\n")
        answer = read_until(tls, b"\r\n\r\n")
    assert b"403" in answer.split(b"\r\n")[0]
    assert b"x-allowance-reason: exhausted" in answer.lower()


def test_failures_let_nothing_limited_pass(proxy: Serving) -> None:
    """The look-up of hosts is broken: the engine decides, and refuses by `on_failure`."""
    proxy.on_loop(lambda: setattr(proxy.harness.enforcer, "limited", breaks))
    sock = proxy.client.socket()
    sock.sendall(b"CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\n\r\n")
    assert b" 503 " in read_until(sock, b"\r\n\r\n")
    assert proxy.harness.counted("errors_total", where="light_path") >= 1


def test_byte_counts_and_connections(proxy: Serving) -> None:
    """Relayed tunnels are in the metrics like others."""
    _, tunnel = proxy.client.tunnel("echo.example")
    tunnel.sendall(b"\x00" * 1000)
    assert len(tunnel.recv(1000, socket.MSG_WAITALL)) == 1000
    until(lambda: proxy.harness.counted("connections_open") == 1, "the connection is counted")
    assert proxy.harness.counted("tunnels_total", how="passed") == 1
    tunnel.close()
    proxy.empty()

    def passed(direction: str) -> float:
        return proxy.harness.counted("upstream_bytes_total", direction=direction)

    until(lambda: passed("to_sites") == passed("from_sites") == 1000, "both counts")


def test_a_refused_site_is_named_in_our_words(tmp_path, origins) -> None:
    """A guarded address behind a harmless name: 403 with the reason; a dead one: 502."""
    resolve = ["dead.example:443=127.0.0.1:1"]
    with serving(tmp_path, origins, resolve=resolve) as proxy:
        sock = proxy.client.socket()
        sock.sendall(b"CONNECT dead.example:443 HTTP/1.1\r\n\r\n")
        answer = read_until(sock, b"</html>")
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert b"cannot be reached right now" in answer
        assert proxy.harness.counted("upstream_errors_total", kind="refused") == 1
