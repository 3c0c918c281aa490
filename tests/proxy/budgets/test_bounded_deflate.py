"""`proxy_addon/proxy/budgets/bounded_deflate.py`, in real connections of wsproto."""

from __future__ import annotations

import random

import wsproto.events
from wsproto import Connection, ConnectionType
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason

from proxy_addon.proxy.budgets.bounded_deflate import (
    FREE_BYTES,
    MOST_TIMES,
    BoundedDeflate,
    bounded,
)


def connection(kind: ConnectionType) -> Connection:
    """One side, with compression."""
    deflate = PerMessageDeflate()
    deflate.finalize("permessage-deflate")
    return Connection(kind, [deflate])


def reader() -> Connection:
    """The side that reads, bounded."""
    made = connection(ConnectionType.SERVER)
    bounded(made._proto.extensions)
    (extension,) = made._proto.extensions
    assert type(extension) is BoundedDeflate
    assert made._proto._frame_decoder.extensions is made._proto.extensions
    return made


def read(bounded_side: Connection, data: bytes, piece: int = 65_536) -> tuple[int, int | None]:
    """Bytes of messages that were read, and the code of the close, if there is one."""
    size, code = 0, None
    for start in range(0, len(data), piece):
        bounded_side.receive_data(data[start : start + piece])
        for event in bounded_side.events():
            if isinstance(event, wsproto.events.CloseConnection):
                return size, event.code
            assert isinstance(event, wsproto.events.Message)
            size += len(event.data)
    return size, code


def sent(*messages: bytes) -> bytes:
    """Compressed messages, as they are sent."""
    sender = connection(ConnectionType.CLIENT)
    return b"".join(sender.send(wsproto.events.BytesMessage(each)) for each in messages)


def test_a_bomb_is_refused() -> None:
    """A hundred megabytes in a hundred kilobytes: no more than a few are made of it."""
    bomb = sent(bytes(100 << 20))
    assert len(bomb) < 200_000
    size, code = read(reader(), bomb)
    assert code == CloseReason.MESSAGE_TOO_BIG
    assert size <= max(FREE_BYTES, 2 * 65_536 * MOST_TIMES)


def test_a_bomb_in_small_pieces_is_refused() -> None:
    """However it is cut, the bound is that of the message."""
    size, code = read(reader(), sent(bytes(20 << 20)), piece=100)
    assert code == CloseReason.MESSAGE_TOO_BIG
    assert size < 3 * FREE_BYTES


def test_short_and_ordinary_messages_pass() -> None:
    """What is short may be as regular as it likes, each message for itself; what is long has to be
    like real messages."""
    text = random.Random(1).randbytes(1 << 18) * 8
    messages = [bytes(FREE_BYTES - 10)] * 5 + [text, b"", b"x"]
    assert read(reader(), sent(*messages)) == (sum(map(len, messages)), None)


def test_nonsense_is_refused_as_before() -> None:
    """What cannot be decompressed is an error of the message."""
    frame = bytearray(sent(b"hello" * 100))
    mask = frame[2:6]
    frame[6] = 0xFF ^ mask[0]  # a block of a type that does not exist (RFC 1951, 3.2.3)
    assert read(reader(), bytes(frame))[1] == CloseReason.INVALID_FRAME_PAYLOAD_DATA
