"""Clients that break off, lie about lengths or speak nonsense: a 4xx or a closed connection, and no
harm done."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client, fresh_address, read_all
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

HOST = "www.youtube.com"
START = f"GET http://{HOST}/headers HTTP/1.1\r\nHost: {HOST}\r\n"
POST = f"POST http://{HOST}/upload HTTP/1.1\r\nHost: {HOST}\r\n"

NONSENSE = {
    "no http at all": "GARBAGE\r\n\r\n",
    "three words": "one two three\r\n\r\n",
    "no version": f"GET http://{HOST}/\r\n\r\n",
    "unknown version": f"GET http://{HOST}/ HTTP/9.9\r\n\r\n",
    "no minor version": f"GET http://{HOST}/ HTTP/1.x\r\n\r\n",
    "more than a version": f"GET http://{HOST}/ HTTP/1.1;x\r\n\r\n",
    "method that is no word": f"G{{T http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "method beyond ASCII": f"G\xc9T http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "escape in the address": f"GET http://{HOST}/a\x1bb HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "delete in the address": f"GET http://{HOST}/a\x7fb HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "form feed in the address": f"GET http://{HOST}/a\fb HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "after an empty line": f"\r\nGET http://{HOST}/ HTTP/9.9\r\n\r\n",
    "two words as host": f"GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST} x\r\n\r\n",
    "folded host": f"GET http://{HOST}/ HTTP/1.1\r\nhost: {HOST}\r\n\tx\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "broken address": "GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "port out of range": "CONNECT x.com:99999 HTTP/1.1\r\nHost: x.com\r\n\r\n",
    "no port": "CONNECT x.com HTTP/1.1\r\nHost: x.com\r\n\r\n",
    "port is not a number": "CONNECT x.com:https HTTP/1.1\r\nHost: x.com\r\n\r\n",
    "header without colon": f"{START}NoColonHere\r\n\r\n",
    "header without name": f"{START}: value\r\n\r\n",
    "space before colon": f"{START}Name : value\r\n\r\n",
    "zero byte": f"{START}Name: a\0b\r\n\r\n",
    "zero byte in a name": f"{START}Na\0me: b\r\n\r\n",
    "bare carriage return": f"{START}Name: a\rb\r\n\r\n",
    "negative length": f"{POST}Content-Length: -5\r\n\r\nhello",
    "length is not a number": f"{POST}Content-Length: five\r\n\r\nhello",
    "two lengths": f"{POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length and chunks": f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\nZZZ\r\nhello\r\n0\r\n\r\n",
    "unknown encoding": f"{POST}Transfer-Encoding: zipped\r\n\r\nhello",
    "tls": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 40,
    "http/2 without tls": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


def descriptors(proxy: OfficeProxy) -> int:
    """How many files and connections the proxy has open."""
    assert proxy.process is not None
    return len(list(Path(f"/proc/{proxy.process.pid}/fd").iterdir()))


def reset(connection: socket.socket) -> None:
    """Close with RST: the client that is switched off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture(scope="module", autouse=True)
def unharmed(running_office: OfficeProxy) -> Iterator[None]:
    """After all of it the proxy serves, has let go of every connection, and never logged a
    traceback."""
    before = descriptors(running_office)
    log = len(running_office.log)
    yield
    assert running_office.client.open(f"https://{HOST}/", source=fresh_address()).status == 200
    until(lambda: descriptors(running_office) <= before + 5, "connections to be let go", 15)
    news = running_office.log[log:]
    assert "Traceback" not in news
    assert "crashed" not in news


@pytest.mark.parametrize("what", NONSENSE)
@pytest.mark.parametrize("half_closed", [False, True])
def test_malformed_requests(client: Client, what: str, half_closed: bool) -> None:
    """A request that is none gets a 4xx or a closed connection, whether its client waits or has
    said that nothing more will come."""
    with client.socket(fresh_address()) as connection:
        connection.sendall(NONSENSE[what].encode("latin-1"))
        if half_closed:
            connection.shutdown(socket.SHUT_WR)
        answer = read_all(connection, timeout=15)
    assert answer == b"" or answer.split()[1][:1] == b"4", answer[:200]


@pytest.mark.parametrize("what", ["unknown version", "two words as host", "zero byte"])
def test_a_malformed_request_after_another(client: Client, what: str) -> None:
    """What comes with a good request is looked at like any other: the good one is answered, the
    malformed one refused."""
    with client.socket(fresh_address()) as connection:
        connection.sendall(f"{START}\r\n{NONSENSE[what]}".encode("latin-1"))
        answer = read_all(connection, timeout=15)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1 400 ") == 1


@pytest.mark.parametrize("empty", ["\r\n", "\n", "\r\n" * 20])
def test_empty_lines_before_a_request(client: Client, empty: str) -> None:
    """Some clients end a body with an empty line too many: the request behind it is answered at
    once, whether it is the first or not, and in whichever pieces it comes."""
    last = START + "Connection: close\r\n\r\n"
    for first, rest in (("", empty + last), (empty, last), (empty[:1], empty[1:] + last)):
        with client.socket(fresh_address()) as connection:
            body = f"{POST}Content-Length: 5\r\n\r\nhello"
            connection.sendall(f"{empty}{body}{first}".encode())
            time.sleep(0.05)
            connection.sendall(rest.encode())
            answer = read_all(connection, timeout=15)
        assert answer.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("size", [200_000, 2_000_000])
def test_oversized_headers(client: Client, size: int) -> None:
    """Headers without measure are refused, not collected."""
    with client.socket(fresh_address()) as connection:
        try:
            connection.sendall(f"{START}X-Large: {'x' * size}\r\n\r\n".encode())
        except ConnectionError:
            return  # closed before we were done, as it should be
        answer = read_all(connection, timeout=15)
    assert answer == b"" or answer.split()[1][:1] == b"4", answer[:200]


def test_too_short_a_body(client: Client) -> None:
    """A client that announces more than it sends ends its own request only."""
    connection = client.socket(fresh_address())
    connection.sendall(f"{POST}Content-Length: 5000\r\n\r\nhello".encode())
    reset(connection)
    assert client.get(f"https://{HOST}/headers", source=fresh_address()).status == 200


def test_too_long_a_body(client: Client) -> None:
    """What follows a body is not part of it: a second request, and a bad one."""
    with client.socket(fresh_address()) as connection:
        connection.sendall(f"{POST}Content-Length: 5\r\n\r\nhello and more\r\n\r\n".encode())
        answer = read_all(connection, timeout=15)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"bytes": 5' in answer


def test_half_open_connections(client: Client) -> None:
    """Fifty clients that never finish their request do not keep out the one that does."""
    lazy = [client.socket(fresh_address()) for _ in range(50)]
    for number, connection in enumerate(lazy):
        connection.sendall(START.encode()[: number + 1])
    began = time.monotonic()
    assert client.open(f"https://{HOST}/", source=fresh_address()).status == 200
    assert time.monotonic() - began < 3
    for connection in lazy:
        connection.close()


def test_vanishing_clients(client: Client) -> None:
    """Clients that are gone in the middle: of CONNECT, of the handshake, of a download, of an
    upload."""
    reset(client.socket())
    half = client.socket()
    half.sendall(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())
    reset(half)
    for target in (HOST, "work.example", "chatter.example"):
        _, tunnel = client.tunnel(target, source=fresh_address())
        tunnel.sendall(b"\x16\x03\x01\x02\x00\x01")
        reset(tunnel)
    for host in (HOST, "work.example"):
        for http2 in (False, True):
            transfer = client.start(
                [f"https://{host}/stream?seconds=30"], source=fresh_address(), http2=http2
            )
            until(lambda running=transfer: running.received() > 0, "the download")
            transfer.cancel()


def test_client_that_rejects_our_certificate(running_office: OfficeProxy, client: Client) -> None:
    """A pinned app fails cleanly, and the log names the host once and not each time."""
    before = len(running_office.log)
    for _ in range(4):
        reply = client.get(
            "https://x.com/", trust=running_office.origins.ca_file, source=fresh_address()
        )
        assert (reply.status, reply.exit_code) == (0, 60)
    assert client.open("https://x.com/", source=fresh_address()).status == 200
    lines = [line for line in running_office.log[before:].splitlines() if "x.com" in line]
    assert len(lines) <= 1, lines


HEADERS_OF_RUBBISH = b"\x00\x00\x05\x01\x04\x00\x00\x00\x01\xff\xff\xff\xff\xff"
DATA_OF_NO_STREAM = b"\x00\x00\x05\x00\x00\x00\x00\x00\x00hello"


@pytest.mark.parametrize("frame", [HEADERS_OF_RUBBISH, DATA_OF_NO_STREAM])
def test_bad_http2(client: Client, frame: bytes) -> None:
    """An HTTP/2 frame that cannot be ends its own tunnel."""
    _, tunnel = client.tunnel(HOST, source=fresh_address())
    secure = client.tls(tunnel, HOST, ["h2"])
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + frame)
    read_all(secure, timeout=15)
    secure.close()
