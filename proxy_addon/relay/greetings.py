"""The first bytes that a client sends inside a tunnel, and the hosts that they name.

A TLS ClientHello may be spread over records and packets, and a request for plain HTTP names its
host in the address and in Host. What cannot be read beyond doubt raises `Unusual`: the engine
decides about it.
"""

from __future__ import annotations

import re
import string
import struct
from enum import Enum
from typing import NamedTuple

from proxy_addon.core.hosts import normalise
from proxy_addon.relay.heads import Unusual

MAX_GREETING_BYTES = 65_536

_HANDSHAKE = 22  # content type of a TLS record
_RECORDS = range(20, 25)  # all content types
_MAX_RECORDS = 128  # of one ClientHello; they are read again with each packet
_MAX_METHOD_BYTES = 1024  # empty lines and the beginning of a method
_CLIENT_HELLO = 1  # type of a handshake message
_RECORD_HEAD = 5
_MAX_RECORD = 16_384 + 256
_LENGTH = struct.Struct("!H")
_NAME_HEAD = struct.Struct("!HBH")
_EXTENSION = struct.Struct("!HH")  # number and length before an extension's content
_SERVER_NAME = 0  # number of the extension, RFC 6066
_HOST_NAME = 0  # type of a name in it
_MAX_NAME = 253
_NAME = re.compile(rb"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
_BLANKS = b" \t\x0b\x0c"  # what servers may take for a space, RFC 9112, section 3
_SPACED = bytes.maketrans(_BLANKS, b" " * len(_BLANKS))
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_FOLDED = re.compile(rb"\r?\n[ \t]+")  # a field that goes on in the next line
# What methods consist of, RFC 9110, section 5.6.2.
TOKEN = frozenset(b"!#$%&'*+-.^_`|~" + (string.digits + string.ascii_letters).encode())
# Those of the IANA registry. A client that has sent less than a method and a space is waited for
# only if it may become one of these: other protocols begin with short words as well.
_METHODS = frozenset(
    b"ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY "
    b"MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT QUERY "
    b"REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL".split()
)


class GreetingKind(Enum):
    """What the first bytes are."""

    TLS = "tls"
    HTTP = "http"
    OTHER = "other"


class Greeting(NamedTuple):
    """The first bytes of a tunnel: their kind, and the hosts that they name (normalised)."""

    kind: GreetingKind
    hosts: tuple[str, ...] = ()


def read_greeting(data: bytes) -> Greeting | None:
    """Read the client's first bytes; None while they are too few. Raises Unusual."""
    if not data:
        return None
    hides = hides_greeting(data)
    if hides is None:
        return None
    if hides:
        raise Unusual
    if data[0] == _HANDSHAKE:
        message = _handshake(data)
        if message is None:
            _limit(data)
            return None
        return Greeting(GreetingKind.TLS, _names_in_hello(message))
    return _read_text(data)


def is_endless(data: bytes) -> bool:
    """Whether a greeting that is not complete yet is not worth waiting for: what has come is read
    again with each packet, so what a client can make us read is bounded."""
    if data[:1] == bytes((_HANDSHAKE,)):
        return len(data) >= MAX_GREETING_BYTES or has_too_many_records(data)
    waits_for_method = len(data) >= _MAX_METHOD_BYTES and request_line(data) is None
    return len(data) >= MAX_GREETING_BYTES or waits_for_method


def has_too_many_records(data: bytes) -> bool:
    """Whether a ClientHello is in more records than anybody sends."""
    at = 0
    for _ in range(_MAX_RECORDS):
        if at + _RECORD_HEAD > len(data) or data[at] != _HANDSHAKE:
            return False
        at += _RECORD_HEAD + _LENGTH.unpack_from(data, at + 3)[0]
    return at < len(data)


def hides_greeting(data: bytes) -> bool | None:
    """Whether the first bytes are a TLS record that no client begins with, and in or behind which
    there may be a ClientHello: servers skip an alert, and many do not look at the version of a
    record. None while they are too few to tell."""
    if data[0] not in _RECORDS:
        return False
    if len(data) < 3:
        return None
    if data[0] == _HANDSHAKE and data[1] == 3:
        return data[2] > 3
    return 0 < data[1] < 16  # Go's servers read on below that


def _limit(data: bytes) -> None:
    if is_endless(data):
        raise Unusual


def _read_text(data: bytes) -> Greeting | None:
    line = request_line(data)
    if line is None:
        _limit(data)
        return None
    if line:
        names = names_in_request(data)
        if names is None:
            _limit(data)
            return None
        return Greeting(GreetingKind.HTTP, tuple(dict.fromkeys(filter(None, names))))
    return Greeting(GreetingKind.OTHER)


def request_line(data: bytes) -> bytes | None:
    """What may be the first line of a request, complete or not; b"" when it is not one, None while
    the bytes are too few to tell."""
    data = data.lstrip(b"\r\n" + _BLANKS)  # servers skip empty lines before a request
    line, ended, _ = data.partition(b"\n")
    line = line.translate(_SPACED)
    method, has_method, _ = line.partition(b" ")
    if not TOKEN.issuperset(method):
        return b""
    if has_method:
        return line if method and (b"HTTP/" in line or not ended) else b""
    may_begin = not ended and any(known.startswith(method) for known in _METHODS)
    return None if may_begin else b""


def _handshake(data: bytes) -> bytes | None:
    """The first handshake message, put together from its records; None while it is incomplete."""
    message = b""
    at = 0
    for _ in range(_MAX_RECORDS):
        if at + _RECORD_HEAD > len(data):
            break
        if data[at] != _HANDSHAKE or data[at + 1] != 3:
            raise Unusual
        size = int.from_bytes(data[at + 3 : at + _RECORD_HEAD])
        if not 0 < size <= _MAX_RECORD:
            raise Unusual
        at += _RECORD_HEAD
        message += data[at : at + size]
        if message[0] != _CLIENT_HELLO if message else False:
            raise Unusual
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4]):
            return message
        at += size
    return None


def _names_in_hello(message: bytes) -> tuple[str, ...]:
    """The server names of a ClientHello, RFC 8446, section 4.1.2. `at` is where the next field
    begins; a length that leads beyond the end is found there."""
    end = 4 + int.from_bytes(message[1:4])
    at = 4 + 2 + 32  # head of the message, version, random
    try:
        at += 1 + message[at]  # session id
        at += 2 + _LENGTH.unpack_from(message, at)[0]  # cipher suites
        at += 1 + message[at]  # compression methods
        if at == end:
            return ()
        size: int = _LENGTH.unpack_from(message, at)[0]
    except (IndexError, struct.error):
        raise Unusual from None
    at += 2
    if at + size != end:
        raise Unusual
    return tuple(map(_normal, _server_names(message, at, end)))


def _server_names(message: bytes, at: int, end: int) -> list[bytes]:
    """The names in the extensions of a ClientHello."""
    names: list[bytes] = []
    while at < end:
        content = at + _EXTENSION.size
        if content > end:
            raise Unusual
        number, size = _EXTENSION.unpack_from(message, at)
        at = content + size
        if at > end:
            raise Unusual
        if number == _SERVER_NAME:
            names.append(_host_name(message[content:at]))
    if len(names) > 1:
        raise Unusual
    return names


def _host_name(content: bytes) -> bytes:
    """The one name of the extension: the length of the list, a type, the length of the name."""
    name = content[_NAME_HEAD.size :]
    if len(content) < _NAME_HEAD.size:
        raise Unusual
    listed, kind, size = _NAME_HEAD.unpack_from(content)
    if listed != len(content) - 2 or kind != _HOST_NAME or size != len(name):
        raise Unusual
    return name


def _normal(name: bytes) -> str:
    if len(name) > _MAX_NAME or _NAME.fullmatch(name) is None:
        raise Unusual
    return normalise(name.decode("ascii"))


def names_in_request(data: bytes) -> tuple[str, ...] | None:
    """The host of the request's address and every Host field, normalised, "" for none; None while
    the head is incomplete."""
    end = _END_OF_HEAD.search(data := data.lstrip(b"\r\n" + _BLANKS))
    if end is None:
        return None
    first, *lines = _FOLDED.sub(b" ", data[: end.start()]).split(b"\n")
    names = [_host_of_target(first)]
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"host":
            names.append(normalise(value.strip().decode("latin-1")))
    return tuple(names)


def _host_of_target(line: bytes) -> str:
    """The host in `GET http://host/ HTTP/1.1` or `CONNECT host:443 HTTP/1.1`; "" without one."""
    method, _, rest = line.translate(_SPACED).partition(b" ")
    target = rest.strip().partition(b" ")[0]
    if method.upper() != b"CONNECT":
        target = target.partition(b"://")[2].partition(b"/")[0]
    return normalise(target.decode("latin-1"))
