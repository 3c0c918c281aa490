"""Twin of proxy_addon/relay/heads.py: what is read here, the engine reads in the same way."""

from __future__ import annotations

import pytest
from h11._receivebuffer import ReceiveBuffer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.net.http import http1

from proxy_addon.core.hosts import normalise
from proxy_addon.relay.heads import MAX_HEAD_BYTES, ConnectHead, Unusual, read_head

CHROMIUM = (
    b"CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com:443\r\n"
    b"Proxy-Connection: keep-alive\r\nUser-Agent: Mozilla/5.0\r\n"
    b"Proxy-Authorization: Basic ZG9yYTpzZWNyZXQ=\r\n\r\n"
)


def engines(data: bytes) -> http.Request | None:
    """The head as mitmproxy reads it; None when it refuses it or waits for more."""
    buffer = ReceiveBuffer()
    buffer += data
    lines = buffer.maybe_extract_lines()
    if lines is None:
        return None
    try:
        return http1.read_request_head([bytes(line) for line in lines])
    except ValueError:
        return None


def read(data: bytes) -> ConnectHead | str | None:
    """The head, "unusual", or None while it is incomplete."""
    try:
        return read_head(data)
    except Unusual:
        return "unusual"


def test_what_a_browser_sends() -> None:
    """Host, port, and its fields by their names in lower case; what follows is not part of it."""
    head = read(CHROMIUM + b"\x16\x03\x01")
    assert isinstance(head, ConnectHead)
    assert (head.host, head.port, head.size) == ("www.example.com", 443, len(CHROMIUM))
    assert head.fields[b"proxy-authorization"] == b"Basic ZG9yYTpzZWNyZXQ="


def test_one_byte_at_a_time() -> None:
    """Every beginning of it is waited for."""
    assert all(read(CHROMIUM[:end]) is None for end in range(len(CHROMIUM)))


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (b"CONNECT X.com:443 HTTP/1.1", "x.com"),
        (b"CONNECT x.com.:443 HTTP/1.1", None),
        (b"CONNECT 192.0.2.1:8443 HTTP/1.1", "192.0.2.1"),
        (b"CONNECT [2001:DB8::1]:443 HTTP/1.1", "2001:db8::1"),
        (b"CONNECT xn--bcher-kva.example:443 HTTP/1.1", "xn--bcher-kva.example"),
        (b"CONNECT b\xc3\xbccher.example:443 HTTP/1.1", None),
        (b"CONNECT x.com HTTP/1.1", None),
        (b"CONNECT x.com: HTTP/1.1", None),
        (b"CONNECT x.com:https HTTP/1.1", None),
        (b"CONNECT x.com:0 HTTP/1.1", None),
        (b"CONNECT x.com:65536 HTTP/1.1", None),
        (b"CONNECT x.com:443 HTTP/1.0", None),
        (b"CONNECT x.com:443  HTTP/1.1", None),
        (b"CONNECT  x.com:443 HTTP/1.1", None),
        (b"connect x.com:443 HTTP/1.1", None),
        (b"CONNECT user@x.com:443 HTTP/1.1", None),
        (b"CONNECT http://x.com:443 HTTP/1.1", None),
        (b"CONNECT x.com:443", None),
        (b"GET http://x.com/ HTTP/1.1", None),
        (b"CONNECTx.com:443 HTTP/1.1", None),
    ],
)
def test_first_lines(line: bytes, host: str | None) -> None:
    """What is usual is read; everything else is the engine's."""
    head = read(line + b"\r\n\r\n")
    assert (head.host if isinstance(head, ConnectHead) else None) == host
    assert head is not None


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: a.com\r\n",
        b"Host: x.com\r\nHost: x.com\r\n",
        b"Proxy-Authorization: a\r\nProxy-Authorization: b\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Upgrade: h2c\r\n",
        b"A: b\r\n c: d\r\n",
        b"A : b\r\n",
        b"A\r\n",
        b": b\r\n",
        b"A: b\x00\r\n",
        b"A: b\nB: c\r\n",
        b"A: b\rB: c\r\n",
    ],
)
def test_unusual_fields(fields: bytes) -> None:
    """Two names, a body, folded lines and bytes that no field may have are the engine's."""
    assert read(b"CONNECT x.com:443 HTTP/1.1\r\n" + fields + b"\r\n") == "unusual"


def test_a_head_that_never_ends() -> None:
    """It is handed over when it is too long to wait for."""
    data = b"CONNECT x.com:443 HTTP/1.1\r\n" + b"A: b\r\n" * 4000
    assert len(data) > MAX_HEAD_BYTES
    assert read(data) == "unusual"
    assert read(b"CONNECT x.com:443 HTTP/1.1\n\n") == "unusual"


PIECES = st.sampled_from(
    [
        *(b"CONNECT ", b"x.com", b":443", b" HTTP/1.1", b"\r\n", b"\n", b"\r", b" ", b"\t", b":"),
        *(b"Host: x.com", b"Host: facebook.com:443", b"A: b", b"\x00", b"[::1]", b"facebook.com"),
        *(b"@", b"/", b"GET http://x.com/", b"HTTP/1.0", b"Content-Length: 5", b"\xff", b"%66"),
        *(b"443", b"#"),
    ]
)


@settings(max_examples=3000, deadline=None)
@given(st.lists(PIECES, max_size=14).map(b"".join), st.booleans())
@example(CHROMIUM, False)
@example(b"CONNECT x.com:443 HTTP/1.1\r\nHost: x.com\r\n\r\n", False)
def test_whatever_is_read_the_engine_reads_as_well(data: bytes, begins: bool) -> None:
    """Law: a head that is accepted here is accepted by mitmproxy, with the same host and port."""
    data = b"CONNECT x.com:443 HTTP/1.1\r\n" + data + b"\r\n\r\n" if begins else data
    head = read(data)
    if not isinstance(head, ConnectHead):
        return
    request = engines(data)
    assert request is not None
    assert request.method == "CONNECT"
    assert request.first_line_format == "authority"
    assert (normalise(request.host), request.port) == (head.host, head.port)
    assert normalise(request.pretty_host) == head.host
    assert request.headers.get("Proxy-Authorization", "").encode() == head.fields.get(
        b"proxy-authorization", b""
    )


@settings(max_examples=1500, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(CHROMIUM)), st.integers(0, 30))
def test_changed_heads(rubbish: bytes, at: int, cut: int) -> None:
    """The same for what a browser sends with some bytes replaced."""
    data = CHROMIUM[:at] + rubbish + CHROMIUM[at + cut :]
    head = read(data)
    if isinstance(head, ConnectHead):
        request = engines(data)
        assert request is not None
        assert (normalise(request.host), request.port) == (head.host, head.port)
