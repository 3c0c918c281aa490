"""`proxy_addon/proxy/layers/framing.py`: every body has one end, the same for both sides."""

from __future__ import annotations

import pytest
from mitmproxy import http
from mitmproxy.proxy.layers.http._events import RequestHeaders, ResponseHeaders

from proxy_addon.proxy.layers.framing import (
    for_http1_client,
    for_http1_site,
    readable_head,
    settle_length,
    trailers,
)


def asked(method: str = "GET", version: str = "HTTP/2.0", **fields: str) -> http.Request:
    """A request; underscores in names are hyphens."""
    made = http.Request.make(method, "https://x.com/")
    made.headers.clear()
    made.http_version = version
    for name, value in fields.items():
        made.headers[name.replace("_", "-")] = value
    return made


def answered(status: int = 200, version: str = "HTTP/2.0", **fields: str) -> http.Response:
    """An answer."""
    made = http.Response.make(status)
    made.headers.clear()
    made.http_version = version
    for name, value in fields.items():
        made.headers[name.replace("_", "-")] = value
    return made


REQUESTS = [
    (asked("POST"), False, {"Transfer-Encoding": "chunked"}),
    (asked("GET"), False, {"Transfer-Encoding": "chunked"}),
    (asked("POST"), True, {"Content-Length": "0"}),
    (asked("GET"), True, {}),
    (asked("POST", content_length="5"), False, {"content-length": "5"}),
    (
        asked("POST", "HTTP/1.1", transfer_encoding="chunked"),
        False,
        {"transfer-encoding": "chunked"},
    ),
]


@pytest.mark.parametrize(("request_", "ends", "fields"), REQUESTS)
def test_requests(request_: http.Request, ends: bool, fields: dict[str, str]) -> None:
    """A body without a length is sent in chunks; what the add-on sees stays as it is."""
    before = dict(request_.headers)
    event = for_http1_site(RequestHeaders(1, request_, ends))
    assert dict(event.request.headers) == fields
    assert (event.stream_id, event.end_stream) == (1, ends)
    assert dict(request_.headers) == before


ANSWERS = [
    (asked(version="HTTP/1.1"), answered(), {"Transfer-Encoding": "chunked"}),
    (asked(version="HTTP/1.1"), answered(content_length="2"), {"content-length": "2"}),
    (asked("HEAD", "HTTP/1.1"), answered(), {}),
    (asked(version="HTTP/1.1"), answered(204), {}),
    (asked(version="HTTP/1.1"), answered(304), {}),
    (asked(version="HTTP/1.0"), answered(), {}),
    (asked(version="HTTP/1.0"), answered(version="HTTP/1.1", transfer_encoding="chunked"), {}),
    (
        asked(version="HTTP/1.1"),
        answered(version="HTTP/1.1", transfer_encoding="chunked"),
        {"transfer-encoding": "chunked"},
    ),
    (
        asked(version="HTTP/1.1"),
        answered(version="HTTP/1.0"),
        {"Transfer-Encoding": "chunked"},
    ),
]


@pytest.mark.parametrize(("request_", "response", "fields"), ANSWERS)
def test_answers(request_: http.Request, response: http.Response, fields: dict[str, str]) -> None:
    """In chunks for HTTP/1.1 where no length is known; until the end for HTTP/1.0."""
    before = dict(response.headers)
    event = for_http1_client(ResponseHeaders(1, response, False), request_)
    assert dict(event.response.headers) == fields
    assert dict(response.headers) == before


def test_trailers() -> None:
    """In lower case, without those that would say how the message is to be read."""
    found = trailers([(b"X-Sum", b"7"), (b"Content-Length", b"9"), (b"transfer-encoding", b"a")])
    assert found is not None and found.fields == ((b"x-sum", b"7"),)
    assert trailers([(b"Host", b"x.com")]) is None


def test_heads_are_read_as_they_are_meant() -> None:
    """No space before a colon, and no line that is no field; what is right stays."""
    right = [b"HTTP/1.1 200 OK", b"A: b : c", b"  d : e", b"F:"]
    assert readable_head(right) == right
    wrong = [b"HTTP/1.1 200 OK", b"  x: y", b"A \t: b", b": c", b"nothing", b"D: e"]
    assert readable_head(wrong) == [wrong[0], b"A: b", b"D: e"]
    assert readable_head([b"HTTP/1.1 200 OK"]) == [b"HTTP/1.1 200 OK"]


LENGTHS = [
    (((b"Content-Length", b"2"), (b"content-length", b"2")), 200, ((b"content-length", b"2"),)),
    (((b"Content-Length", b"2, 2"),), 200, ((b"content-length", b"2"),)),
    (((b"Content-Length", b"2"), (b"Content-Length", b"3")), 200, None),
    (
        ((b"Content-Length", b"3"), (b"TE", b"a"), (b"Transfer-Encoding", b"chunked")),
        200,
        ((b"TE", b"a"), (b"Transfer-Encoding", b"chunked")),
    ),
    (((b"Transfer-Encoding", b"chunked"),), 204, ()),
    (((b"Content-Length", b"0"),), 204, None),
]


@pytest.mark.parametrize(("fields", "status", "after"), LENGTHS)
def test_one_statement_about_the_length(
    fields: tuple[tuple[bytes, bytes], ...],
    status: int,
    after: tuple[tuple[bytes, bytes], ...] | None,
) -> None:
    """Those that agree become one; two that do not are left for mitmproxy to refuse."""
    response = http.Response.make(status)
    response.headers.fields = fields
    settle_length(response)
    lower = [(name.lower(), value) for name, value in response.headers.fields]
    assert lower == [(name.lower(), value) for name, value in (fields if after is None else after)]
