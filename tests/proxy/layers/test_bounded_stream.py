"""`proxy_addon/proxy/layers/bounded_stream.py`, on real sockets: memory stays bounded, answers do
not wait."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import httpx
import pytest

from proxy_addon.proxy.layers import bounded_stream
from proxy_addon.proxy.layers.bounded_stream import MAX_FORM_BYTES
from tests.e2e.client import read_until
from tests.e2e.waiting import until
from tests.proxy.harness import Serving
from tests.proxy.odd_client import TwoClient
from tests.proxy.page_client import drip

BLOCKED = "www.tiktok.com"
BIG = 30_000_000


def resident() -> int:
    """Bytes of memory of this process, in which the proxy runs."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def http_client(proxy: Serving) -> httpx.Client:
    """A client that sends bodies of unknown length."""
    context = ssl.create_default_context(cafile=proxy.client.trust)
    return httpx.Client(proxy=f"http://127.0.0.1:{proxy.port}", verify=context, timeout=20)


def endless(sent: list[int], most: int = BIG):
    """A body that says nothing about its length."""
    while sum(sent) < most:
        sent.append(65_536)
        yield bytes(65_536)


def test_answer_before_the_body(proxy: Serving) -> None:
    """A blocked upload is answered when its head is here; nobody waits for gigabytes to arrive."""
    with proxy.client.socket() as connection:
        head = f"POST http://{BLOCKED}/ HTTP/1.1\r\nHost: {BLOCKED}\r\nContent-Length: 5000000000\r\n\r\n"
        connection.sendall(head.encode())
        assert read_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    proxy.empty()


def test_no_continue_for_a_blocked_upload(proxy: Serving) -> None:
    """A client that asks first (Expect: 100-continue) is told no, not to go on."""
    with proxy.client.socket() as connection:
        head = f"PUT http://{BLOCKED}/ HTTP/1.1\r\nHost: {BLOCKED}\r\nContent-Length: 9\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert read_until(connection, b"\r\n").startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_blocked_upload_is_not_kept(proxy: Serving, scheme: str) -> None:
    """What is still coming after our answer is read and dropped, and the connection serves the next
    request."""
    before, sent = resident(), []
    with http_client(proxy) as client:
        answer = client.post(f"{scheme}://{BLOCKED}/upload", content=endless(sent))
        assert answer.status_code == 403
        assert client.get(f"{scheme}://{BLOCKED}/").status_code == 403
    assert resident() - before < BIG / 2
    assert not proxy.origins.record.contacted(BLOCKED)


def test_blocked_upload_over_http2(proxy: Serving, tmp_path: Path) -> None:
    """The same on one stream of an HTTP/2 tunnel."""
    (tmp_path / "big").write_bytes(bytes(BIG))
    before = resident()
    reply = proxy.client.get(f"https://{BLOCKED}/upload", "-T", str(tmp_path / "big"), http2=True)
    assert (reply.status, reply.version, reply.exit_code) == (403, "2", 0)
    assert resident() - before < BIG / 2
    assert not proxy.origins.record.contacted(BLOCKED)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_form_without_end(proxy: Serving, scheme: str) -> None:
    """The employee page takes short forms only: 413 for more, and the memory stays flat."""
    before, sent = resident(), []
    with http_client(proxy) as client:
        answer = client.post(f"{scheme}://allowance.internal/", content=endless(sent))
        assert answer.status_code == 413
        assert "short forms" in answer.text
        short = client.post(f"{scheme}://allowance.internal/", content=b"x" * (MAX_FORM_BYTES - 1))
        assert short.status_code == 405
        assert client.get(f"{scheme}://allowance.internal/me.json").json()["user"] == "ip:127.0.0.1"
    assert resident() - before < BIG / 2


def test_form_without_end_over_http2(proxy: Serving, tmp_path: Path) -> None:
    """The same over HTTP/2, with the whole page readable."""
    (tmp_path / "big").write_bytes(bytes(BIG))
    before = resident()
    reply = proxy.client.get("https://allowance.internal/", "-T", str(tmp_path / "big"), http2=True)
    assert (reply.status, reply.version) == (413, "2")
    assert reply.text.rstrip().endswith("</html>")
    assert resident() - before < BIG / 2


def test_a_form_that_drips(proxy: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte by byte it gets 408 when its time is over, and its connection ends; over HTTP/2 only its
    stream does."""
    monkeypatch.setattr(bounded_stream, "FORM_SECONDS", 0.5)
    with proxy.client.socket() as connection:
        head = "POST http://allowance.internal/ask HTTP/1.1\r\nHost: allowance.internal\r\n"
        connection.sendall(f"{head}Content-Length: 60000\r\n\r\n".encode())
        assert drip(connection).startswith(b"HTTP/1.1 408 ")
    client = TwoClient(proxy, "allowance.internal")
    stream = client.begin("/ask", "POST", [("content-length", "60000")], ends=False)
    client.h2.send_data(stream, b"x")
    client.flush()
    got = client.finish(stream)
    assert (got.status, got.end) == (408, "complete")
    assert client.ask("/me.json").status == 200
    assert proxy.harness.counted("errors_total", where="layer") == 0


def test_upload_to_an_allowed_site(proxy: Serving) -> None:
    """What goes on is streamed: whole at the site, and not kept on its way."""
    before, sent = resident(), []
    with http_client(proxy) as client:
        answer = client.post("http://www.facebook.com/upload", content=endless(sent))
    assert answer.json()["bytes"] == sum(sent)
    assert resident() - before < BIG / 2


def test_client_leaves_in_the_middle(proxy: Serving) -> None:
    """A client that goes away while its body is dropped leaves nothing behind."""
    connection = proxy.client.socket()
    head = f"POST http://{BLOCKED}/ HTTP/1.1\r\nHost: {BLOCKED}\r\nContent-Length: 1000000\r\n\r\nhello"
    connection.sendall(head.encode())
    read_until(connection, b"\r\n\r\n")
    connection.close()
    began = time.monotonic()
    until(lambda: proxy.connections() == 0, "the connection to be gone")
    assert time.monotonic() - began < 5
