"""Twin of proxy_addon/relay/page_requests.py."""

from __future__ import annotations

import pytest

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
