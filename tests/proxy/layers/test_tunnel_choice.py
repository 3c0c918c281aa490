"""`proxy_addon/proxy/layers/tunnel_choice.py`: what the first bytes of a tunnel say, and what is
made of them."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.proxy.layers.tunnel_choice import (
    NeedsMoreData,
    Preamble,
    PreambleKind,
    read_preamble,
)
from proxy_addon.relay.greetings import read_greeting
from proxy_addon.relay.heads import Unusual
from tests.e2e.client import read_until
from tests.e2e.origins import BANNER, Origins
from tests.e2e.waiting import until
from tests.proxy.harness import NOON, Serving
from tests.relay.hellos import in_records

ME = "ip:127.0.0.1"


def greeting(name: str | None) -> bytes:
    """A real TLS greeting."""
    sent, received = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = name is not None
    connection = context.wrap_bio(received, sent, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return sent.read()


def outcome(data: bytes) -> Preamble | None:
    """The opening; None for "wait"."""
    try:
        return read_preamble(data)
    except NeedsMoreData:
        return None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"GET / HTTP/1.1\r\nHost: WWW.X.com:443\r\n\r\n",
            Preamble(PreambleKind.HTTP, ("www.x.com",)),
        ),
        (
            b"GET / HTTP/1.1\r\nHost : x.com\r\nhost:b.com\r\n\r\n",
            Preamble(PreambleKind.HTTP, ("x.com", "b.com")),
        ),
        (
            b"GET http://u@x.com:80/a HTTP/1.1\r\nHost: b.com\r\n\r\n",
            Preamble(PreambleKind.HTTP, ("x.com", "b.com")),
        ),
        (b"CONNECT x.com:443 HTTP/1.1\r\n\r\n", Preamble(PreambleKind.HTTP, ("x.com",))),
        (b"GET / HTTP/1.1\nHost: x.com\n\n", Preamble(PreambleKind.HTTP, ("x.com",))),
        (b"GET / HTTP/1.0\r\n\r\n", Preamble(PreambleKind.HTTP)),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Preamble(PreambleKind.HTTP)),
        (b"SSH-2.0-OpenSSH_9.6 Debian\r\n", Preamble(PreambleKind.OTHER)),
        (b"EHLO me\r\n", Preamble(PreambleKind.OTHER)),
        (b"\x00", Preamble(PreambleKind.OTHER)),
        (b"\x16\x20\x01\x00\x05hello", Preamble(PreambleKind.OTHER)),
        (b"\x16\x03\x01\x00\x08\x01\x00\x00\x04junk", Preamble(PreambleKind.UNREADABLE)),
        (b"", None),
        (b"GE", None),
        (b"GET / HTT", None),
        (b"GET / HTTP/1.1\r\nHost: x.com\r\n", None),
        (b"\x16\x03\x01", None),
    ],
)
def test_openings(data: bytes, expected: Preamble | None) -> None:
    """TLS, HTTP with every name in it, anything else; waiting only where more bytes can tell
    more."""
    assert outcome(data) == expected


@pytest.mark.parametrize("name", ["www.facebook.com", None])
def test_greeting_byte_by_byte(name: str | None) -> None:
    """However slowly a TLS greeting arrives, nothing is decided before its name is here."""
    data = greeting(name)
    assert {outcome(data[:length]) for length in range(len(data))} == {None}
    assert outcome(data) == Preamble(PreambleKind.TLS, (name,) if name else ())


def test_nothing_is_waited_for_without_end() -> None:
    """A greeting or a head that never ends is broken."""
    endless = b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(0x3FFC)
    record = b"\x16\x03\x01\x40\x00" + bytes(0x4000)
    assert outcome(endless) is None
    assert outcome(endless + record * 5) == Preamble(PreambleKind.BROKEN)
    assert outcome(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 12_000) == Preamble(PreambleKind.BROKEN)
    assert outcome(b"\r\n" * 500) is None
    assert outcome(b"\r\n" * 600) == Preamble(PreambleKind.BROKEN)
    records = b"\x16\x03\x01\x00\x01\x01" + b"\x16\x03\x01\x00\x01\xff" * 300
    assert outcome(records[:600]) is None
    assert outcome(records) == Preamble(PreambleKind.BROKEN)


@pytest.mark.parametrize(
    "data",
    [
        b"\x15\x03\x01\x00\x02\x01\x5a" + greeting("x.com"),  # Go skips an alert
        b"\x14\x03\x03\x00\x01\x01" + greeting("x.com"),
        b"\x16\x03\x01\x00\x00" + greeting("x.com"),  # OpenSSL skips an empty record
        b"\x16\x03\x04" + greeting("x.com")[3:],  # OpenSSL and Go do not look at it
        b"\x16\x03\xff" + greeting("x.com")[3:],
        b"\x16\x02\x00" + greeting("x.com")[3:],
        in_records(greeting("x.com"), 10)[:15] + b"\x15\x03\x01\x00\x02\x01\x5a",
        # Go looks for the first host name in a list
        greeting("bb.news.com").replace(
            b"\x00\x0e\x00\x00\x0bbb.news.com", b"\x00\x0e\x01\x00\x03bbb\x00\x00\x05x.com"
        ),
    ],
    ids=("alert", "cipher", "empty", "version 4", "version 255", "SSL 2", "between", "list"),
)
def test_a_name_that_only_the_site_can_read(data: bytes) -> None:
    """TLS in a form that servers accept, but no client sends: its tunnel ends, whatever CONNECT
    named, and both ways through see it."""
    assert outcome(data[:1]) is None
    assert outcome(data) == Preamble(PreambleKind.UNREADABLE)
    with pytest.raises(Unusual):
        read_greeting(data)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes(data: bytes) -> None:
    """Whatever is sent, the answer is an opening or "wait"."""
    found = outcome(data)
    assert found is None or all(host == host.lower() for host in found.hosts)


# -- on real sockets


def test_slow_greeting(proxy: Serving) -> None:
    """A greeting sent byte by byte is opened all the same."""
    status, tunnel = proxy.client.tunnel("www.facebook.com")
    assert status == 200
    sent, received = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=proxy.harness.ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    connection = context.wrap_bio(received, sent, server_hostname="www.facebook.com")
    tunnel.setsockopt(6, 1, 1)
    finished = False
    while not finished:
        try:
            connection.do_handshake()
            finished = True
        except ssl.SSLWantReadError:
            pass
        for byte in sent.read():
            tunnel.sendall(bytes([byte]))
        if not finished:
            received.write(tunnel.recv(65536))
    assert connection.getpeercert()["subjectAltName"] == (("DNS", "www.facebook.com"),)
    tunnel.close()


def test_sni_of_a_limited_host(proxy: Serving) -> None:
    """CONNECT names one host, the greeting a limited one: the tunnel is opened, and the limited
    rule decides."""
    status, tunnel = proxy.client.tunnel("news.example")
    assert status == 200
    secure = proxy.client.tls(tunnel, "www.tiktok.com")
    secure.sendall(b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n")
    assert read_until(secure, b"\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    secure.close()


def test_sni_of_another_host_in_a_limited_tunnel(proxy: Serving) -> None:
    """CONNECT to a limited host, greeting and Host of another: still the limited platform's."""
    status, tunnel = proxy.client.tunnel("www.tiktok.com")
    assert status == 200
    secure = proxy.client.tls(tunnel, "news.example")
    secure.sendall(b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n")
    assert read_until(secure, b"\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    secure.close()
    assert not proxy.origins.record.contacted("www.tiktok.com")


def test_http_in_an_unlimited_tunnel(proxy: Serving, origins: Origins) -> None:
    """HTTP without TLS in a tunnel: passed on as bytes, unless it names a limited host."""
    origins_port = origins.port("plain")
    proxy.on_loop(
        lambda: proxy.harness.resolver._table.update(
            {("news.example", 443): ("127.0.0.1", origins_port)}
        )
    )
    for host, status in (("news.example", b"200"), ("www.tiktok.com", b"403")):
        _, tunnel = proxy.client.tunnel("news.example")
        tunnel.sendall(
            f"GET /api/one HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        assert read_until(tunnel, b"\r\n\r\n").split()[1] == status
        tunnel.close()
    assert not origins.record.to("www.tiktok.com")


def test_server_speaks_first(proxy: Serving) -> None:
    """In a tunnel that is only relayed the server may speak first, and both then talk freely."""
    status, tunnel = proxy.client.tunnel("banner.example")
    assert status == 200
    assert read_until(tunnel, b"\r\n") == BANNER
    tunnel.sendall(b"HELO\r\n")
    assert read_until(tunnel, b"\r\n") == b"HELO\r\n"
    tunnel.close()
    assert proxy.harness.counted("tunnels_total", how="passed") == 1


def test_unknown_protocol_in_a_limited_tunnel(proxy: Serving, origins: Origins) -> None:
    """What is neither TLS nor HTTP in a limited tunnel is metered by its bytes, and refused at
    zero."""
    echo = ("127.0.0.1", origins.port("echo"))
    proxy.on_loop(lambda: proxy.harness.resolver._table.update({("x.com", 443): echo}))
    status, tunnel = proxy.client.tunnel("x.com")
    assert status == 200
    for second in range(0, 40, 4):
        proxy.on_loop(lambda second=second: proxy.harness.clock.move_to(NOON + second))
        tunnel.sendall(b"\x01" * 60_000)
        got = 0
        while got < 60_000:
            got += len(tunnel.recv(65536))
    spent = sum(visit.end - visit.start for visit in proxy.harness.book.of(ME).visits.values())
    assert 20 < spent < 60
    assert proxy.harness.counted("tunnels_total", how="metered") == 1
    proxy.spend(ME)
    until(lambda: tunnel.recv(1) == b"", "the tunnel to be closed")
    status, again = proxy.client.tunnel("x.com")
    again.sendall(b"\x01\x02\x03\x04")
    assert again.recv(1) == b""


def test_closed_platform_when_time_is_up(proxy: Serving) -> None:
    """`inspect: false` with nothing left: CONNECT itself is refused, with the reason."""
    proxy.spend(ME)
    record = proxy.origins.record  # of all tests of this run, and others may go there
    before = record.tls_names.count("chatter.example")
    reply = proxy.client.get("https://chatter.example/", "-i", trust=proxy.origins.ca_file)
    assert (reply.connect, reply.status) == (403, 0)
    assert record.tls_names.count("chatter.example") == before


def test_tls_on_the_proxy_port(proxy: Serving) -> None:
    """We speak plain HTTP with our clients: a TLS greeting on the proxy port ends the
    connection."""
    with proxy.client.socket() as connection:
        connection.sendall(greeting("proxy.example"))
        assert connection.recv(1) == b""
