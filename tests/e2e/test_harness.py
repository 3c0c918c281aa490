"""The harness proves itself on a plain `mitmdump`, so that a red test means the product and not the
tests."""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import browser
from tests.e2e.client import Client, fresh_address, read_until
from tests.e2e.origins import BANNER, Origins
from tests.e2e.process import Mitmdump
from tests.e2e.waiting import until
from tests.e2e.websocket import WebSocket

HOSTS = ("www.one.example", "www.two.example")


@pytest.fixture(scope="module")
def mitmdump(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitmdump]:
    """A mitmdump that redirects the test hosts to the origins."""
    raw = [origins.resolve_raw(f"{kind}.example", kind) for kind in ("echo", "banner")]
    table = " ".join([*origins.resolve(*HOSTS), *raw])
    script = Path(__file__).with_name("redirects.py")
    options = {"stream_large_bodies": "1", "connection_strategy": "lazy"}
    folder = tmp_path_factory.mktemp("mitmdump")
    with Mitmdump(
        folder, origins, script, options=options, variables={"HARNESS_RESOLVE": table}
    ) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def client(mitmdump: Mitmdump) -> Client:
    """curl behind that mitmdump."""
    return mitmdump.client


@pytest.mark.parametrize("http2", [False, True])
def test_both_protocols_pass(client: Client, origins: Origins, http2: bool) -> None:
    """curl gets a page over HTTP/1.1 and HTTP/2, and the origin's record has host, path and
    headers."""
    reply = client.open(f"https://www.one.example/headers?h2={http2}", http2=http2)
    assert (reply.status, reply.connect, reply.exit_code) == (200, 200, 0)
    assert reply.version == ("2" if http2 else "1.1")
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["sec-fetch-dest"] == "document"
    seen = origins.record.to("www.one.example", "/headers")[-1]
    assert (seen.path, seen.scheme) == (f"/headers?h2={http2}", "https")
    assert origins.record.contacted("www.one.example")
    assert not origins.record.contacted("never.example")


def test_plain_http_passes(client: Client) -> None:
    """Plain HTTP goes to the plain origin."""
    assert client.get("http://www.one.example/api/hello").json()["path"] == "/api/hello"


def test_client_addresses_differ(client: Client, mitmdump: Mitmdump) -> None:
    """A test can come from a loopback address of its own, and the proxy sees that address."""
    address = fresh_address()
    assert client.get("http://www.one.example/", source=address).status == 200
    until(lambda: address in mitmdump.log, f"{address} in the log")


def test_trust_is_checked(client: Client, origins: Origins) -> None:
    """A client that trusts only the origins' CA refuses a decrypting proxy."""
    reply = client.get("https://www.one.example/", trust=origins.ca_file)
    assert (reply.status, reply.exit_code) == (0, 60)


def test_two_streams_share_one_tunnel(client: Client) -> None:
    """Two HTTP/2 transfers of one curl run at once on one connection, and each has its own
    report."""
    urls = [f"https://www.one.example/stream?seconds={s}&rate=1000" for s in (1, 0.5)]
    slow, quick = client.start(urls, http2=True).finish()
    assert (len(slow.body), len(quick.body)) == (1000, 500)
    assert slow.connects + quick.connects == 1
    assert slow.seconds < 1.8


def test_streams_trickle(client: Client) -> None:
    """A streamed body arrives while it is being made, and curl can be killed in the middle."""
    transfer = client.start(["https://www.two.example/stream?seconds=30&rate=10000"])
    until(lambda: 0 < transfer.received() < 100_000, "the first bytes")
    assert transfer.running
    transfer.cancel()
    assert not transfer.running


def test_large_bodies_and_uploads(client: Client, origins: Origins, tmp_path: Path) -> None:
    """Large bodies pass in both directions, whole."""
    assert len(client.get("https://www.one.example/big?bytes=5000000").body) == 5_000_000
    body = tmp_path / "body"
    body.write_bytes(bytes(range(256)) * 4000)
    answer = client.get("https://www.one.example/upload", "--data-binary", f"@{body}").json()
    assert answer == {"bytes": 1_024_000, "sha256": hashlib.sha256(body.read_bytes()).hexdigest()}
    assert origins.record.uploads[-1] == 1_024_000


def test_server_sent_events(client: Client) -> None:
    """Server-sent events arrive as such."""
    reply = client.get("https://www.one.example/sse?seconds=0.4")
    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.text == "data: 0\n\ndata: 1\n\n"


def test_websocket_echo_and_push(client: Client) -> None:
    """A WebSocket through a raw tunnel echoes, and pushes when asked."""
    status, tunnel = client.tunnel("www.one.example", source=fresh_address())
    assert status == 200
    context = ssl.create_default_context(cafile=client.trust)
    with WebSocket("wss://www.one.example/ws", tunnel, context) as chat:
        chat.send("hello")
        assert chat.recv(timeout=5) == "hello"
        chat.send("push 2")
        assert [chat.recv(timeout=5) for _ in range(2)] == ["tick 0", "tick 1"]


def test_raw_tunnels(client: Client) -> None:
    """Bytes that are neither HTTP nor TLS go both ways, also where the server speaks first."""
    status, tunnel = client.tunnel("echo.example")
    assert status == 200
    tunnel.sendall(b"\x00ping")
    assert read_until(tunnel, b"ping") == b"\x00ping"
    tunnel.close()
    status, tunnel = client.tunnel("banner.example")
    assert status == 200
    tunnel.sendall(b"\x00")
    assert read_until(tunnel, b"\n") == BANNER
    tunnel.close()


def test_stop_and_restart(mitmdump: Mitmdump) -> None:
    """The process stops on SIGTERM, starts again on the same port and has memory to measure."""
    code, seconds = mitmdump.stop()
    assert code == 0
    assert seconds < 10
    mitmdump.restart()
    assert mitmdump.memory() > 10_000_000


@pytest.mark.browser
@pytest.mark.skipif(
    browser.executable() is None, reason="no chromium here: apt-get install chromium"
)
def test_browser_trusts_what_it_should(mitmdump: Mitmdump, origins: Origins) -> None:
    """Chromium shows a page with pictures and script, scrolls a feed, and still refuses unknown
    keys."""
    with browser.chromium(mitmdump) as services, services.person() as page:
        page.goto("https://www.two.example/")
        page.get_by_text("api says /api/hello").wait_for()
        assert page.evaluate("[...document.images].every(i => i.naturalWidth === 48)")
        page.goto("https://www.two.example/feed")
        page.locator(".post").nth(4).wait_for()
        before = page.locator(".post").count()
        page.mouse.wheel(0, 5000)
        until(lambda: page.locator(".post").count() > before, "more posts")
        began = time.monotonic()
        assert browser.screenshot(page, "harness-feed").stat().st_size > 1000
        assert time.monotonic() - began < 10
    assert origins.record.to("www.two.example", "/api/feed")
