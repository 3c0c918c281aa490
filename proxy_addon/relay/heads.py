"""The head of a CONNECT, read strictly.

What a browser or an app sends is read here. Everything else, be it another method, another version
or merely unusual, is left to the engine, which answers or refuses it as ever: two readers that
disagree would be a hole, so this one only speaks where there is nothing to disagree about.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from proxy_addon.core.hosts import normalise

MAX_HEAD_BYTES = 16_384  # a longer head is the engine's to refuse
METHOD = b"CONNECT "

_HOST = rb"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\]"
_FIRST_LINE = re.compile(rb"CONNECT (" + _HOST + rb"):([1-9][0-9]{0,4}) HTTP/1\.1")
_FIELD = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*"
_FIELDS = re.compile(_FIELD + rb"(?:\r\n" + _FIELD + rb")*")
# A body, another protocol, or one field twice: no CONNECT of a browser has that.
_UNUSUAL = frozenset(
    {b"content-length", b"transfer-encoding", b"upgrade", b"expect", b"trailer", b"te"}
)


class Unusual(Exception):
    """These bytes are the engine's to read."""


class ConnectHead(NamedTuple):
    """A CONNECT. `host` is in its normal form; `fields` has each header field once, its name in
    lower case. `size` is the number of bytes that the head takes."""

    host: str
    port: int
    fields: dict[bytes, bytes]
    size: int


def read_head(data: bytes) -> ConnectHead | None:
    """The CONNECT at the beginning of `data`; None while it is incomplete. Raises Unusual."""
    if not (data.startswith(METHOD) or METHOD.startswith(data)):
        raise Unusual
    end = end_of_head(data)
    if end is None:
        return None
    first, _, rest = data[:end].partition(b"\r\n")
    target = _FIRST_LINE.fullmatch(first)
    if target is None:
        raise Unusual
    fields = read_fields(rest, _UNUSUAL)
    host, port = normalise(target[1].decode("ascii")), int(target[2])
    named = fields.get(b"host")
    if not host or port > 0xFFFF or not (named == first[8:-9] or agrees(named, host)):
        raise Unusual
    if b"xn--" in target[1].lower():
        _check_idna(target[1])
    return ConnectHead(host, port, fields, end + 4)


def end_of_head(data: bytes) -> int | None:
    """Where the empty line that ends a head begins; None while it has not come. Raises Unusual for
    a head that is too long, and for one that ends without carriage returns."""
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
    if end >= 0:
        return end
    if len(data) >= MAX_HEAD_BYTES or b"\n\n" in data or b"\n\r\n" in data:
        raise Unusual
    return None


def read_fields(block: bytes, unusual: frozenset[bytes]) -> dict[bytes, bytes]:
    """The header fields of a head, the lines below the first; their names in lower case. Raises
    Unusual for a field that comes twice, that is broken, or that is among `unusual`."""
    if not block:
        return {}
    if _FIELDS.fullmatch(block) is None:
        raise Unusual
    fields: dict[bytes, bytes] = {}
    lines = block.split(b"\r\n")
    for line in lines:
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip(b" \t")
    if len(fields) != len(lines) or not unusual.isdisjoint(fields):
        raise Unusual
    return fields


def _check_idna(host: bytes) -> None:
    """The engine refuses names that are no valid international ones."""
    try:
        host.decode("idna")
    except UnicodeError:
        raise Unusual from None


def agrees(field: bytes | None, host: str) -> bool:
    """Whether Host names the same host as the first line, or is missing."""
    return field is None or normalise(field.decode("latin-1")) == host
