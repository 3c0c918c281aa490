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
_CLIENT_HELLO = 1  # type of a handshake message
_RECORD_HEAD = 5
_MAX_RECORD = 16_384 + 256
_EXTENSION = struct.Struct("!HH")  # number and length before an extension's content
_SERVER_NAME = 0  # number of the extension, RFC 6066
_HOST_NAME = 0  # type of a name in it
_MAX_NAME = 253
_NAME = re.compile(rb"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
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
    if data[0] == _HANDSHAKE:
        message = _handshake(data)
        if message is None:
            _limit(data)
            return None
        return Greeting(GreetingKind.TLS, _names_in_hello(message))
    return _read_text(data)


def _limit(data: bytes) -> None:
    if len(data) >= MAX_GREETING_BYTES:
        raise Unusual


def _read_text(data: bytes) -> Greeting | None:
    line = request_line(data)
    if line is None:
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
    data = data.lstrip(b"\r\n")  # servers skip empty lines before a request
    line, ended, _ = data.partition(b"\n")
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
    while at + _RECORD_HEAD <= len(data):
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


class _Reader:
    """Reads fields of a TLS message in order. Raises Unusual where bytes are missing."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def ended(self) -> bool:
        """Whether everything has been read."""
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        end = self._at + size
        if end > len(self._data):
            raise Unusual
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def vector(self, length_bytes: int) -> bytes:
        """A field with its length before it."""
        return self.take(int.from_bytes(self.take(length_bytes)))


def _names_in_hello(message: bytes) -> tuple[str, ...]:
    """The server names of a ClientHello."""
    hello = _Reader(_Reader(message[1:]).vector(3))
    hello.take(2 + 32)  # version, random
    hello.vector(1)  # session id
    hello.vector(2)  # cipher suites
    hello.vector(1)  # compression methods
    if hello.ended:
        return ()
    extensions = hello.vector(2)
    if not hello.ended:
        raise Unusual
    return tuple(map(_normal, _server_names(extensions)))


def _server_names(extensions: bytes) -> list[bytes]:
    """The names in the extensions of a ClientHello. Of all that is read here these are most, so
    they are read with few calls."""
    names: list[bytes] = []
    seen: set[int] = set()
    at, end = 0, len(extensions)
    while at < end:
        content = at + _EXTENSION.size
        if content > end:
            raise Unusual
        number, size = _EXTENSION.unpack_from(extensions, at)
        at = content + size
        if at > end or number in seen:
            raise Unusual
        seen.add(number)
        if number == _SERVER_NAME:
            names.append(_host_name(extensions[content:at]))
    return names


def _host_name(content: bytes) -> bytes:
    """The one name of the extension."""
    listed = _Reader(content)
    names = _Reader(listed.vector(2))
    if not listed.ended or int.from_bytes(names.take(1)) != _HOST_NAME:
        raise Unusual
    name = names.vector(2)
    if not names.ended:
        raise Unusual
    return name


def _normal(name: bytes) -> str:
    if len(name) > _MAX_NAME or _NAME.fullmatch(name) is None:
        raise Unusual
    return normalise(name.decode("ascii"))


def names_in_request(data: bytes) -> tuple[str, ...] | None:
    """The host of the request's address and every Host field, normalised, "" for none; None while
    the head is incomplete."""
    end = _END_OF_HEAD.search(data := data.lstrip(b"\r\n"))
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
    method, _, rest = line.partition(b" ")
    target = rest.strip().partition(b" ")[0]
    if method.upper() != b"CONNECT":
        target = target.partition(b"://")[2].partition(b"/")[0]
    return normalise(target.decode("latin-1"))
