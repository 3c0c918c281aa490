"""Twin of proxy_addon/relay/page_requests.py."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.relay.heads import MAX_HEAD_BYTES, Unusual
from proxy_addon.relay.page_requests import PageRequest, read_page_request

HOST = "allowance.internal"
GET = b"GET http://allowance.internal/me?a=b HTTP/1.1\r\nHost: allowance.internal\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (GET, 0),
        (GET.replace(b"GET", b"HEAD"), 0),
        (GET.replace(b"/me?a=b", b""), 0),
        (GET.replace(b"internal", b"internal:80"), 0),
        (GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n"), 0),
        (GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 7\r\n\r\n"), 7),
    ],
)
def test_the_bounds_of_a_request(data: bytes, body: int) -> None:
    """Head and body are told apart, however much comes behind."""
    assert read_page_request(data, HOST) == PageRequest(len(data), body)
    assert read_page_request(data + b"more", HOST) == PageRequest(len(data), body)


def test_every_beginning_is_waited_for() -> None:
    """One byte at a time: nothing is refused before it is complete, nothing accepted."""
    for size in range(1, len(GET)):
        assert read_page_request(GET[:size], HOST) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"get http://allowance.internal/ HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: allowance.internal\r\n\r\n",
        b"GET http://news.example/",
        b"GET http://allowance.internal.evil.example/",
        b"GET http://allowance.internal@evil.example/",
        b"GET http://x@allowance.internal/",
        b"GET https://allowance.internal/",
        b"GET HTTP://allowance.internal/",
        b"\x16\x03\x01",
        b"CONNECT allowance.internal:443 HTTP/1.1\r\n",
        b"GET  http://allowance.internal/",
        GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
        GET.replace(b"/me", b":8080/me"),
        GET.replace(b"/me", b"/m e"),
        GET.replace(b"/me", b"/m\xc3\xa9"),
        GET.replace(b"\r\n\r\n", b"\r\nHost: allowance.internal\r\n\r\n"),
        GET.replace(b"Host: allowance.internal", b"Host: news.example"),
        GET.replace(b"Host: allowance.internal", b"X: y"),
        GET.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\nUpgrade: websocket\r\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\nContent-Length: 65537\r\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\nContent-Length: +1\r\n\r\n"),
        GET.replace(b"\r\n\r\n", b"\r\n folded\r\n\r\n"),
        GET[:-4] + b"\n\n",
        GET[:-2] + b"X: " + b"a" * MAX_HEAD_BYTES,
    ],
)
def test_what_is_the_engine_s(data: bytes) -> None:
    """Whatever is for another host, or not as browsers send it."""
    with pytest.raises(Unusual):
        read_page_request(data, HOST)


PIECES = [
    b"GET", b"POST", b"HEAD", b" ", b"  ", b"\t", b"http://allowance.internal", b"/", b"/me?a=b#c",
    b"://", b"@", b"x", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r", b"Host:", b"host",
    b" allowance.internal", b":80", b"Content-Length: ", b"3", b"03", b"Cookie: a=b", b"abc",
    b"Transfer-Encoding: chunked", b"\x00", b"\x80", b"\xff", b",",
]  # fmt: skip
WHOLE = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc")


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A good request with some pieces put in, taken out or put in another place."""
    data = draw(st.sampled_from([GET, WHOLE]))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 3))
        data = data[:at] + draw(st.sampled_from([*PIECES, b""])) + data[at + cut :]
    return data


@given(data=changed())
@settings(max_examples=2000, deadline=None)
def test_both_readers_agree_on_the_bounds(data: bytes) -> None:
    """Where one request ends and the next begins is the same for who answers it, or it is refused:
    no byte of a request is taken for another one."""
    try:
        request = read_page_request(data, HOST)
    except Unusual:
        return
    if request is None or len(data) < request.size + request.body:
        return
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(data[: request.size + request.body])
    try:
        first = reader.next_event()
        body = b""
        while isinstance(event := reader.next_event(), h11.Data):
            body += bytes(event.data)
    except h11.RemoteProtocolError:
        return
    assert isinstance(first, h11.Request)
    assert first.target.startswith(b"http://allowance.internal")
    assert (len(body), type(event)) == (request.body, h11.EndOfMessage)
    assert reader.trailing_data == (b"", False)
