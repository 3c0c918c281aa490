"""Clients and sites that misbehave, in every way through: a 4xx, a 5xx in our words or a closed
connection; never an exception, a task or a descriptor that stays."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.e2e.client import NAVIGATE, read_all, read_until
from tests.e2e.waiting import until
from tests.fuzz import fuzz_light_path
from tests.proxy.harness import Serving
from tests.relay.hellos import client_hello, in_records

HELLO = client_hello("news.example")
LIMITED = client_hello("www.facebook.com")
CONNECT = b"CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\n\r\n"
PLAIN = b"GET http://news.example/ HTTP/1.1\r\nHost: news.example\r\nConnection: close\r\n\r\n"
BYTE_LIMIT = 3_000  # of what is sent one byte at a time


@pytest.fixture(autouse=True)
def unharmed(proxy: Serving, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Afterwards nobody is connected, no descriptor is left, nothing of ours has failed, and the
    proxy serves."""
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with capture_logs() as logs:
        yield
        proxy.empty()
        until(
            lambda: len(list(Path("/proc/self/fd").iterdir())) <= descriptors + 4, "descriptors", 15
        )
    failed = [line for line in logs if "exc_info" in line or line["log_level"] == "error"]
    assert failed == []
    records = (*caplog.get_records("call"), *caplog.get_records("teardown"))
    ours = [record for record in records if record.threadName == "proxy"]  # not the test sites
    crashes = [record for record in ours if record.exc_info or "crash" in record.message]
    assert crashes == []
    errors = proxy.harness.metrics.registry.collect()
    failures = [s for m in errors if m.name == "allowance_errors" for s in m.samples]
    assert [s for s in failures if s.name.endswith("_total") and s.value] == []
    assert proxy.client.open("https://news.example/").status == 200


def status_of(answer: bytes) -> int:
    """The status of the first answer; 0 for a connection that was closed without one."""
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def send(proxy: Serving, data: bytes, *, end: bool = True, timeout: float = 10.0) -> bytes:
    """Everything that the proxy says to these bytes."""
    with proxy.client.socket() as connection:
        try:
            connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # closed already
            pass
        return read_all(connection, timeout)


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


REFUSED = {
    "no method": b"\r\n\r\n /\r\n\r\n",
    "rubbish of 64 KiB": b"\xff\x00\x7f!" * 16_384,
    "letters of 64 KiB": b"A" * 65_536,
    "CONNECT without a port": b"CONNECT x.com HTTP/1.1\r\nHost: x.com\r\n\r\n",
    "CONNECT with a port that is no number": b"CONNECT x.com:https HTTP/1.1\r\n\r\n",
    "CONNECT with port 0": b"CONNECT x.com:0 HTTP/1.1\r\nHost: x.com:0\r\n\r\n",
    "CONNECT with port 65536": b"CONNECT x.com:65536 HTTP/1.1\r\nHost: x.com:65536\r\n\r\n",
    "CONNECT with a negative port": b"CONNECT x.com:-1 HTTP/1.1\r\nHost: x.com\r\n\r\n",
    "CONNECT to nobody": b"CONNECT :443 HTTP/1.1\r\nHost: x.com\r\n\r\n",
    "CONNECT to an inner address": b"CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT to an inner IPv6 address": b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]\r\n\r\n",
    "CONNECT to half an IPv6 address": b"CONNECT [::1:443 HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "CONNECT to another port": b"CONNECT news.example:22 HTTP/1.1\r\nHost: news.example\r\n\r\n",
    "CONNECT to a name that is none": b"CONNECT a..b:443 HTTP/1.1\r\nHost: a..b\r\n\r\n",
    "CONNECT to a broken international name": b"CONNECT xn--\xff.example:443 HTTP/1.1\r\n\r\n",
    "CONNECT with a field without a colon": CONNECT[:-2] + b"nothing\r\n\r\n",
    "CONNECT with a head that never ends": CONNECT[:-2] + b"A: b\r\n" * 60_000,
    "TLS to the proxy": HELLO,
    "two lengths": PLAIN[:-2] + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(proxy: Serving, what: str) -> None:
    """A 4xx, a 502 for what cannot be reached, or a closed connection."""
    status = status_of(send(proxy, REFUSED[what]))
    assert status == 0 or 400 <= status < 500 or status == 502, status


TAKEN = {
    "HTTP/1.0": b"GET http://news.example/ HTTP/1.0\r\nHost: news.example\r\n\r\n",
    "absolute form": PLAIN,
    "a name in capitals": PLAIN.replace(b"news.example", b"NEWS.EXAMPLE"),
    "a dot at the end": PLAIN.replace(b"//news.example/", b"//news.example./"),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_unusual_and_right(proxy: Serving, what: str) -> None:
    """It is answered by the site."""
    assert status_of(send(proxy, TAKEN[what], end=False)) == 200


@pytest.mark.parametrize(
    "line",
    [
        b"connect news.example:443 HTTP/1.1",
        b"CONNECT news.example:443 HTTP/1.0",
        b"CONNECT news.example:443 HTTP/7.5",
        b"CONNECT news.example:443 HTTP/1.1\r\nA: b\x00c",
    ],
)
def test_other_ways_to_say_connect(proxy: Serving, line: bytes) -> None:
    """A lower-case method, other versions, a zero byte: a tunnel or a 4xx, never a hang."""
    with proxy.client.socket() as connection:
        connection.sendall(line + b"\r\nHost: news.example\r\n\r\n")
        answer = read_until(connection, b"\r\n\r\n")
    assert status_of(answer) == 200 or 400 <= status_of(answer) < 500


def test_two_hosts(proxy: Serving) -> None:
    """CONNECT and a request with two Host fields never let a used-up person in."""
    proxy.spend("ip:127.0.0.1")
    both = b"Host: news.example\r\nHost: www.facebook.com\r\n"
    plain = b"GET http://news.example/ HTTP/1.1\r\n" + both + b"Connection: close\r\n\r\n"
    assert status_of(send(proxy, plain, end=False)) in (0, 400, 403)
    with proxy.client.socket() as connection:
        connection.sendall(b"CONNECT news.example:443 HTTP/1.1\r\n" + both + b"\r\n")
        assert status_of(read_until(connection, b"\r\n\r\n")) in (0, 200, 400, 403)
    assert proxy.origins.record.to("www.facebook.com", "/secret") == []


@pytest.mark.parametrize("greeting", [HELLO, LIMITED], ids=["free", "limited"])
def test_one_byte_at_a_time(proxy: Serving, greeting: bytes) -> None:
    """Head and greeting, each byte in a packet of its own, in records of one byte at the start."""
    with proxy.client.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in CONNECT:
            connection.sendall(bytes([byte]))
        assert status_of(read_until(connection, b"\r\n\r\n")) == 200
        for byte in in_records(greeting, 1, 1, 1)[:BYTE_LIMIT]:
            connection.sendall(bytes([byte]))
        assert connection.recv(1) == b"\x16", "a ServerHello"


@pytest.mark.parametrize("greeting", [HELLO, LIMITED], ids=["free", "limited"])
def test_greetings_cut_anywhere(proxy: Serving, greeting: bytes) -> None:
    """A client that ends, or vanishes, in the middle of its greeting."""
    for number, size in enumerate((0, 1, 4, 5, 6, 43, 44, 80, 200, len(greeting) - 1)):
        _, tunnel = proxy.client.tunnel("news.example")
        tunnel.sendall(greeting[:size])
        if number % 2:
            reset(tunnel)
        else:
            tunnel.shutdown(socket.SHUT_WR)
            read_all(tunnel)
            tunnel.close()


@pytest.mark.parametrize("host", ["news.example", "www.facebook.com"])
def test_rubbish_in_a_tunnel(proxy: Serving, host: str) -> None:
    """64 KiB of it, in several kinds."""
    chance = random.Random(3)
    for rubbish in (
        chance.randbytes(65_536),
        b"\x16\x03\x01" + chance.randbytes(65_536),
        b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(65_536),
        b"GET /" + b"a" * 65_536,
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 12_000,
        b"\r\n" * 33_000,
    ):
        status, tunnel = proxy.client.tunnel(host)
        assert status == 200
        try:
            tunnel.sendall(rubbish)
            tunnel.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        read_all(tunnel)
        tunnel.close()


def test_clients_that_vanish(proxy: Serving) -> None:
    """At every point of a connection."""
    steps: list[Callable[[], socket.socket]] = [
        proxy.client.socket,
        lambda: begun(proxy, CONNECT[:20]),
        lambda: begun(proxy, CONNECT),
        lambda: proxy.client.tunnel("news.example")[1],
        lambda: proxy.client.tunnel("www.facebook.com")[1],
        lambda: proxy.client.tls(proxy.client.tunnel("news.example")[1], "news.example"),
        lambda: proxy.client.tls(proxy.client.tunnel("www.facebook.com")[1], "www.facebook.com"),
        lambda: begun(proxy, PLAIN[:40]),
        lambda: begun(proxy, PLAIN),
    ]
    for step in steps:
        reset(step())
        time.sleep(0.02)


def begun(proxy: Serving, data: bytes) -> socket.socket:
    """A client that has sent something."""
    connection = proxy.client.socket()
    connection.sendall(data)
    return connection


@pytest.mark.parametrize("host", ["news.example", "www.facebook.com"])
def test_downloads_that_are_given_up(proxy: Serving, host: str) -> None:
    """The site is not read on."""
    _, tunnel = proxy.client.tunnel(host)
    tls = proxy.client.tls(tunnel, host)
    fields = "".join(f"{name}: {value}\r\n" for name, value in NAVIGATE.items())
    tls.sendall(f"GET /big?bytes=50000000 HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
    tls.recv(10_000)
    reset(tls)


@pytest.mark.parametrize("seed", range(4))
def test_random_conversations(proxy: Serving, seed: int) -> None:
    """Changed heads, greetings and requests in random pieces, ended in random ways."""
    chance = random.Random(seed)
    for _ in range(25):
        _, make, _ = chance.choice(fuzz_light_path.KINDS)
        first = CONNECT if chance.random() < 0.6 else b""
        data = first + make(chance)
        with proxy.client.socket() as connection:
            connection.settimeout(0.05)
            try:
                while data:
                    size = chance.choice((1, 7, 100, 4000))
                    connection.sendall(data[:size])
                    data = data[size:]
                if chance.random() < 0.5:
                    connection.shutdown(socket.SHUT_WR)
                connection.recv(100)
            except OSError:
                pass
            if chance.random() < 0.3:
                reset(connection)
