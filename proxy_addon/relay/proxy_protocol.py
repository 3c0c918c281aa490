"""The PROXY protocol, versions 1 and 2: the header in which a balancer passes on who connects.

It is read strictly: a header that is not exactly what the specification says is refused, because
whoever could confuse us about an address could be somebody else.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

SIGNATURE_2 = b"\r\n\r\n\x00\r\nQUIT\n"
PREFIX_1 = b"PROXY "
MAX_LINE_BYTES = 107  # of version 1, with its end
MAX_HEADER_BYTES = 4_096  # of version 2, with what a balancer adds; they are far shorter

_LOCAL, _PROXY = 0x20, 0x21  # version and command
_TCP4, _TCP6, _UNSPECIFIED = 0x11, 0x21, 0x00
_ADDRESS_BYTES = {_TCP4: 4, _TCP6: 16}


class BadHeader(Exception):
    """These bytes are not a header of the PROXY protocol; the message says why."""


class Passed(NamedTuple):
    """Who connects, as a balancer says it: None for the balancer itself (its health checks, or a
    connection that it does not know the origin of). `size` is the number of bytes of the header."""

    address: tuple[str, int] | None
    size: int


def may_begin(data: bytes) -> bool:
    """Whether these first bytes are, or may become, a header of either version."""
    if data.startswith((PREFIX_1, SIGNATURE_2)):
        return True
    return PREFIX_1.startswith(data) or SIGNATURE_2.startswith(data)


def read_header(data: bytes) -> Passed | None:
    """The header at the beginning of `data`; None while it is incomplete. Raises BadHeader."""
    if data.startswith(PREFIX_1):
        return _read_line(data)
    if data.startswith(SIGNATURE_2):
        return _read_binary(data)
    if may_begin(data):
        return None
    raise BadHeader("there is no header of the PROXY protocol")


def _read_line(data: bytes) -> Passed | None:
    end = data.find(b"\r\n", 0, MAX_LINE_BYTES)
    if end < 0:
        if len(data) >= MAX_LINE_BYTES or b"\n" in data:
            raise BadHeader("the line does not end")
        return None
    words = data[:end].split(b" ")
    if words[1] == b"UNKNOWN":
        return Passed(None, end + 2)
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise BadHeader("the line is not complete")
    version = 4 if words[1] == b"TCP4" else 6
    source, _ = (_address(word, version) for word in words[2:4])
    port, _ = (_port(word) for word in words[4:6])
    return Passed((source, port), end + 2)


def _address(word: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(word.decode("ascii"))
    except ValueError:
        raise BadHeader("an address cannot be read") from None
    if address.version != version or "%" in str(address):
        raise BadHeader("an address is of another family")
    return str(address)


def _port(word: bytes) -> int:
    plain = word.isdigit() and (word == b"0" or not word.startswith(b"0"))
    if not plain or int(word) > 0xFFFF:
        raise BadHeader("a port cannot be read")
    return int(word)


def _read_binary(data: bytes) -> Passed | None:
    head = len(SIGNATURE_2) + 4
    if len(data) < head:
        return None
    command, family = data[len(SIGNATURE_2)], data[len(SIGNATURE_2) + 1]
    size = int.from_bytes(data[head - 2 : head])
    if command not in (_LOCAL, _PROXY):
        raise BadHeader("the version or the command is not known")
    if head + size > MAX_HEADER_BYTES:
        raise BadHeader("the header is too long")
    if len(data) < head + size:
        return None
    if command == _LOCAL or family == _UNSPECIFIED:
        return Passed(None, head + size)
    length = _ADDRESS_BYTES.get(family)
    if length is None:
        raise BadHeader("the connection is not TCP")
    if size < 2 * length + 4:
        raise BadHeader("the addresses are not complete")
    source = ipaddress.ip_address(data[head : head + length])
    port = int.from_bytes(data[head + 2 * length : head + 2 * length + 2])
    return Passed((str(source), port), head + size)
