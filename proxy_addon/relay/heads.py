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
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
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
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
    if end < 0:
        if len(data) >= MAX_HEAD_BYTES or b"\n\n" in data or b"\n\r\n" in data:
            raise Unusual
        return None
    first, *lines = data[:end].split(b"\r\n")
    target = _FIRST_LINE.fullmatch(first)
    if target is None:
        raise Unusual
    fields = read_fields(lines, _UNUSUAL)
    host, port = normalise(target[1].decode("ascii")), int(target[2])
    if not host or port > 0xFFFF or not agrees(fields.get(b"host"), host):
        raise Unusual
    if b"xn--" in target[1].lower():
        _check_idna(target[1])
    return ConnectHead(host, port, fields, end + 4)


def read_fields(lines: list[bytes], unusual: frozenset[bytes]) -> dict[bytes, bytes]:
    """The header fields of a head, their names in lower case. Raises Unusual for a field that
    comes twice, that is broken, or that is among `unusual`."""
    fields: dict[bytes, bytes] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise Unusual
        name = field[1].lower()
        if name in fields or name in unusual:
            raise Unusual
        fields[name] = field[2]
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
