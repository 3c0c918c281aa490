"""`proxy_addon/proxy/layers/head_repair.py`, with a site that sends what no site should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mitmproxy import http

from proxy_addon.proxy.layers.head_repair import repair
from tests.e2e.client import read_until
from tests.e2e.origins import Origins
from tests.proxy.harness import ProxyHarness, Serving

LIMITED, OTHER = "www.facebook.com", "work.example"


@contextmanager
def raw_site(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A site of clear text that says the same to everybody: its port, and the heads it was sent."""
    heads: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                heads.append(read_until(connection, b"\r\n\r\n"))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1], heads
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def exchange(
    folder: Path, origins: Origins, host: str, request: bytes, answer: bytes
) -> tuple[bytes, bytes]:
    """What the client got, and the head that the site was sent."""
    with raw_site(answer) as (port, heads):
        harness = ProxyHarness(folder, resolve=[f"{host}:80=127.0.0.1:{port}"])
        with Serving(harness, origins) as proxy, proxy.client.socket() as connection:
            connection.sendall(request)
            return read_until(connection, b"hello"), b"".join(heads)


@pytest.mark.parametrize("host", [LIMITED, OTHER])
def test_a_site_that_sends_what_no_head_may_have(
    tmp_path: Path, origins: Origins, host: str
) -> None:
    """Zero bytes, bare carriage returns, folded lines and another version arrive as something that
    every browser reads in the same way."""
    answer = (
        b"HTTP/9.9 200 O\rK\r\nA: 1\0 2\r\nB: 1\rC: 2\r\nD: 1\r\n\t2\r\n"
        b"Content-Length: 5\r\nConnection: close\r\n\r\nhello"
    )
    request = f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    got, _ = exchange(tmp_path, origins, host, request, answer)
    head, _, body = got.partition(b"\r\n\r\n")
    assert (head.split(b"\r\n")[0], body) == (b"HTTP/1.1 200 O K", b"hello")
    assert {b"A: 1  2", b"B: 1 C: 2", b"D: 1 2"} <= set(head.split(b"\r\n"))


@pytest.mark.parametrize("host", [LIMITED, OTHER])
def test_folded_lines_of_a_client(tmp_path: Path, origins: Origins, host: str) -> None:
    """A field that goes on in the next line reaches its site in one line."""
    request = f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nA: 1\r\n 2\r\n\r\n".encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    _, sent = exchange(tmp_path, origins, host, request, answer)
    assert b"A: 1 2\r\n" in sent


@pytest.mark.parametrize("host", [LIMITED, OTHER])
def test_a_later_version_of_a_client(tmp_path: Path, origins: Origins, host: str) -> None:
    """A client of a later HTTP/1.x is understood, and its site is spoken to in the version that we
    speak."""
    request = f"GET http://{host}/ HTTP/1.9\r\nHost: {host}\r\n\r\n".encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    got, sent = exchange(tmp_path, origins, host, request, answer)
    assert got.endswith(b"hello")
    assert sent.startswith(b"GET / HTTP/1.1\r\n")


def test_sound_heads_are_left_alone() -> None:
    """What is in order is not written again."""
    answer = http.Response.make(200, b"", {"A": "1 2", "B": "t\tab"})
    fields = answer.data.headers.fields
    repair(answer)
    assert answer.data.headers.fields is fields
