"""`proxy_addon/proxy/tunnels.py`: which CONNECT is accepted, when the site is contacted, what is
counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from proxy_addon.proxy.layers.connections import TunnelOptions
from tests.e2e.client import read_until
from tests.e2e.waiting import until
from tests.proxy.harness import ProxyHarness, Serving, breaks, connect


async def opened(harness: ProxyHarness, flow: http.HTTPFlow) -> tuple[int | None, str]:
    """Status of a refusal (None: accepted) and when the site is connected to."""
    conn = harness.addon.connections.of(flow.client_conn)
    conn.options = TunnelOptions(None)  # type: ignore[arg-type]
    await harness.addon.http_connect(flow)
    status = flow.response.status_code if flow.response else None
    return status, conn.options.connection_strategy


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        ("news.example:443", (None, "eager")),
        ("www.facebook.com:443", (None, "lazy")),
        ("www.tiktok.com:443", (None, "lazy")),
        ("chatter.example:443", (None, "eager")),
        ("allowance.internal:443", (None, "lazy")),
        ("news.example:22", (403, "lazy")),
        ("www.facebook.com:22", (403, "lazy")),
        ("127.0.0.1:443", (403, "lazy")),
        ("localhost:443", (403, "lazy")),
        ("[::1]:443", (403, "lazy")),
    ],
)
async def test_connect(
    harness: ProxyHarness, authority: str, expected: tuple[int | None, str]
) -> None:
    """Relayed tunnels are connected at once, opened ones late, and guarded targets not at all."""
    flow = connect(authority)
    assert await opened(harness, flow) == expected
    if expected[0]:
        assert flow.response is not None
        assert flow.response.headers["Connection"] == "close"
        assert b"Not through this proxy" in (flow.response.content or b"")


async def test_closed_platform(harness: ProxyHarness) -> None:
    """`inspect: false`: decided about as a whole, metered, and refused when time is up."""
    flow = connect("chatter.example:443")
    await harness.addon.http_connect(flow)
    assert harness.addon.connections.of(flow.client_conn).flight is not None
    harness.spend("ip:127.0.0.1")
    again = connect("chatter.example:443")
    await harness.addon.http_connect(again)
    assert again.response is not None
    assert (again.response.status_code, again.response.headers["X-Allowance-Reason"]) == (
        403,
        "exhausted",
    )
    assert b"http://allowance.internal/" in (again.response.content or b"")
    assert harness.addon.connections.of(again.client_conn).hosts == ()


async def test_site_that_cannot_be_connected_to(harness: ProxyHarness) -> None:
    """mitmproxy's 502 becomes ours, and the flight of a metered tunnel is given back."""
    flow = connect("chatter.example:443")
    await harness.addon.http_connect(flow)
    flow.response = http.Response.make(
        502, "Cannot connect to chatter.example: Errno 111. Set connection_strategy"
    )
    harness.addon.http_connect_error(flow)
    assert flow.response.status_code == 502
    assert "connection_strategy" not in (flow.response.text or "")
    assert harness.addon.in_flight.tunnel(flow.client_conn) is None
    assert harness.addon.connections.of(flow.client_conn).flight is None


async def test_an_eager_connect_that_failed_is_forgotten(harness: ProxyHarness) -> None:
    """On the same connection a CONNECT to a limited host after one to a dead site is late again."""
    first = connect("news.example:443")
    assert await opened(harness, first) == (None, "eager")
    first.response = http.Response.make(502, "dead")
    harness.addon.http_connect_error(first)
    second = connect("www.tiktok.com:443")
    second.client_conn = first.client_conn
    await harness.addon.http_connect(second)
    options = harness.addon.connections.of(first.client_conn).options
    assert options is not None
    assert options.connection_strategy == "lazy"


async def test_tunnel_ends_with_its_client(harness: ProxyHarness) -> None:
    """When the client is gone nothing of its tunnel is left."""
    flow = connect("chatter.example:443")
    await harness.addon.http_connect(flow)
    harness.addon.client_disconnected(flow.client_conn)
    assert harness.addon.in_flight.tunnel(flow.client_conn) is None
    harness.spend("ip:127.0.0.1")
    harness.addon.in_flight.end_due()
    assert harness.counted("cut_total", kind="tunnel") == 0


async def test_bytes_are_metered(harness: ProxyHarness) -> None:
    """A busy tunnel is media: the time in which bytes flow is charged."""
    asked = connect("chatter.example:443")
    await harness.addon.http_connect(asked)
    stream = tflow.ttcpflow(client_conn=asked.client_conn)
    stream.messages[-1].content = bytes(100_000)
    for _ in range(30):
        harness.clock.advance(1.0)
        harness.addon.tcp_message(stream)
    assert sum(visit.end - visit.start for visit in harness.visits[-1:]) > 20


def test_counted(proxy: Serving) -> None:
    """Passed, decrypted, metered, refused: each tunnel is counted as one of them."""
    trust = proxy.origins.ca_file
    assert proxy.client.get("https://news.example/", trust=trust).status == 200
    assert proxy.client.get("https://x.com/").status == 200
    assert proxy.client.get("https://chatter.example/", trust=trust).status == 200
    assert proxy.client.get("https://localhost/").connect == 403
    counted = {
        how: proxy.harness.counted("tunnels_total", how=how)
        for how in ("passed", "decrypted", "metered")
    }
    assert counted == {"passed": 1, "decrypted": 1, "metered": 1}
    assert proxy.harness.counted("tunnels_total", how="refused") == 1


def test_certificate_that_nobody_trusts(proxy: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    """A pinned app fails, is counted, is logged once without its site's name, and the proxy
    lives."""
    for _ in range(3):
        reply = proxy.client.get("https://x.com/", trust=proxy.origins.ca_file)
        assert (reply.status, reply.exit_code) == (0, 60)
    # curl has gone as soon as it has sent its alert, which the proxy may still have to read.
    until(lambda: proxy.harness.counted("tls_failed_total", platform="x") == 3, "three failures")
    text = capsys.readouterr().out
    assert text.count("does not accept our certificate") == 1
    assert "x.com" not in text
    assert proxy.client.get("https://x.com/").status == 200
    assert not proxy.origins.record.to("x.com", "/never")


def test_tunnel_to_the_page(proxy: Serving) -> None:
    """Whatever is sent into a tunnel to the employee page stays here."""
    status, tunnel = proxy.client.tunnel("allowance.internal")
    assert status == 200
    tunnel.sendall(b"GET / HTTP/1.1\r\nHost: news.example\r\nConnection: close\r\n\r\n")
    assert read_until(tunnel, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    tunnel.close()


async def test_a_refusal_that_cannot_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tunnel that was refused stays refused, also where failures let through."""
    harness = ProxyHarness(tmp_path, on_failure="allow")
    harness.spend("ip:127.0.0.1")
    monkeypatch.setattr("proxy_addon.proxy.tunnels.responses.tunnel_refused", breaks)
    flow = connect("chatter.example:443")
    await harness.addon.http_connect(flow)
    assert flow.response is not None and flow.response.status_code == 503
    assert harness.counted("errors_total", where="http_connect") == 1
    harness.close()
