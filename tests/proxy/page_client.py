"""Requests for our own pages by hand, on connections that go on."""

from __future__ import annotations

import re
import socket
import time
from contextlib import suppress

from tests.e2e.client import read_until
from tests.proxy.harness import Serving

ID = re.compile(rb"\r\nx-allowance-request: [0-9a-f]{8}-[0-9a-f]{4}\r\n", re.IGNORECASE)
URL = "http://allowance.internal"


def ask(path: str = "/me.json", *fields: str, method: str = "GET", body: str = "") -> bytes:
    """A request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: allowance.internal", *fields, "", body]
    return "\r\n".join(lines).encode()


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of the next answer on a connection, which has to name its request."""
    head = read_until(connection, b"\r\n\r\n")
    assert ID.search(head), head
    size = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    body = b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    return int(head.split()[1]), body


def tunnelled(proxy: Serving, source: str | None = None) -> socket.socket:
    """TLS inside a tunnel to our pages."""
    status, tunnel = proxy.client.tunnel("allowance.internal", source=source)
    assert status == 200
    return proxy.client.tls(tunnel, "allowance.internal")


def events(connection: socket.socket, until_: bytes) -> bytes:
    """What has been sent of a stream, up to the end of a text."""
    got = b""
    while not got.endswith(until_):
        piece = connection.recv(1)
        if not piece:
            break
        got += piece
    return got


def drip(connection: socket.socket) -> bytes:
    """What comes until the end, while a byte is sent now and then."""
    connection.settimeout(0.1)
    received, end = b"", time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(TimeoutError):
            try:
                connection.sendall(b"x")
                data = connection.recv(65_536)
            except ConnectionError:
                return received
            if not data:
                return received
            received += data
    raise TimeoutError(received)
