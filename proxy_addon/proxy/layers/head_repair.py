"""Heads that no recipient should have to interpret, made harmless before they are passed on.

RFC 9110 (5.5) and RFC 9112 (2.2, 5.2) let an intermediary refuse zero bytes, bare carriage returns
and folded lines in a head, or write a space in their place. mitmproxy passes them on as they came.
What clients send is refused where it is read (`client_side`), except for folded lines, which were
legal once; what sites send is repaired, because their readers cannot do anything about it.
"""

from __future__ import annotations

import re

from mitmproxy import http

_UNSAFE = re.compile(rb"[ \t]*\r\n[ \t]*|[\r\n\0]")
_VERSION = re.compile(rb"HTTP/(1\.[01]|2\.0)")


def repair(message: http.Message) -> None:
    """Write a space for each folded line end, and for each byte that no field may have. What is
    neither 1.0 nor 2.0 is passed on as HTTP/1.1, the version that we speak (RFC 9110, 2.5)."""
    data = message.data
    fields = data.headers.fields
    values = b"".join([value for _, value in fields])
    if b"\r" in values or b"\0" in values:
        data.headers.fields = tuple((name, _UNSAFE.sub(b" ", value)) for name, value in fields)
    if isinstance(data, http.ResponseData):
        data.reason = _UNSAFE.sub(b" ", data.reason)
    if _VERSION.fullmatch(data.http_version) is None:
        data.http_version = b"HTTP/1.1"
