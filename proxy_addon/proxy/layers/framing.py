"""How the two sides of an exchange mark the end of a body, where they do it differently.

HTTP/2 marks it with its frames, HTTP/1.1 with a length or with chunks, HTTP/1.0 with a length or
with the end of the connection. mitmproxy passes the fields on as they came: an HTTP/2 request
without a length reached an HTTP/1.1 site as a request without a body, and its body as the next
request; an answer without a length had no end that a client could tell from a lost connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mitmproxy import http
from mitmproxy.proxy.layers.http._events import RequestHeaders, ResponseHeaders

_WITH_BODY = ("POST", "PUT", "PATCH")  # a site may insist on a length, also without a body
_NO_TRAILER = frozenset(
    (
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"host",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
    )
)
_FIELD = re.compile(rb"([!#-'*+.0-9A-Z^-z|~-]+)[ \t]*(:.*)", re.DOTALL)

_STATUS = re.compile(rb"[1-9][0-9][0-9]")
NO_STATUS = "the answer has no valid status"

type RawFields = Iterable[tuple[bytes, bytes]]


def for_http1_site(event: RequestHeaders) -> RequestHeaders:
    """A request of an HTTP/2 client with a body of unknown length is sent in chunks."""
    request = event.request
    if not request.is_http2 or "content-length" in request.headers:
        return event
    if event.end_stream and request.method not in _WITH_BODY:
        return event
    request = request.copy()
    if event.end_stream:
        request.headers["Content-Length"] = "0"
    else:
        request.headers["Transfer-Encoding"] = "chunked"
    return RequestHeaders(event.stream_id, request, event.end_stream)


def for_http1_client(event: ResponseHeaders, request: http.Request) -> ResponseHeaders:
    """An answer whose length is unknown, in chunks for HTTP/1.1, and until the connection ends for
    HTTP/1.0."""
    response = event.response
    if not _has_body(request, response) or "content-length" in response.headers:
        return event
    chunked = "transfer-encoding" in response.headers
    if request.http_version == "HTTP/1.0":
        if not chunked:
            return event
        response = response.copy()
        del response.headers["transfer-encoding"]
    elif not chunked:  # also where the site closes: nobody can tell that end from a broken one
        response = response.copy()
        response.http_version = "HTTP/1.1"
        response.headers["Transfer-Encoding"] = "chunked"
    else:
        return event
    return ResponseHeaders(event.stream_id, response, event.end_stream)


def _has_body(request: http.Request, response: http.Response) -> bool:
    status = response.status_code
    return request.method not in ("HEAD", "CONNECT") and status >= 200 and status not in (204, 304)


def trailers(fields: RawFields) -> http.Headers | None:
    """The trailers that may be passed on, also over HTTP/2: none that would say how a message is to
    be read."""
    lower = [(name.lower(), value) for name, value in fields]
    kept = [field for field in lower if field[0] not in _NO_TRAILER]
    return http.Headers(kept) if kept else None


def is_status(status: bytes) -> bool:
    """Whether it has three digits (RFC 9110, 15). Some sites make up statuses from 600 to 999, and
    their programs understand them; anything else is read differently by everybody, "1000" as a head
    before the answer."""
    return _STATUS.fullmatch(status) is not None


def readable_head(lines: list[bytes]) -> list[bytes]:
    """The head of an answer as sites mean it: without lines that are no fields, and without spaces
    before a colon (RFC 9112, 5.1)."""
    fields = lines[1:]
    if all(b":" in line and line[0] not in b" \t:" for line in fields):
        fields = [_without_space(line) for line in fields]
    else:
        fields = [
            _without_space(line) for line in fields if line[0] in b" \t" or _FIELD.match(line)
        ]
        while fields and fields[0][0] in b" \t":
            del fields[0]
    return [lines[0], *fields]


def _without_space(line: bytes) -> bytes:
    name, _, value = line.partition(b":")
    return line if name[-1:] not in b" \t" or line[0] in b" \t" else name.rstrip() + b":" + value


def settle_length(response: http.Response) -> None:
    """One statement about the length of an answer (RFC 9112, 6.3): chunks win over a length, a
    length that is repeated counts once, and an answer without a body has neither chunks."""
    headers = response.headers
    if "transfer-encoding" in headers:
        if response.status_code == 204:
            del headers["transfer-encoding"]
        elif "content-length" in headers:
            del headers["content-length"]
    lengths = headers.get_all("content-length")
    if len(lengths) > 1 or (lengths and "," in lengths[0]):
        each = {length.strip() for line in lengths for length in line.split(",")}
        if len(each) == 1:
            headers["content-length"] = each.pop()
