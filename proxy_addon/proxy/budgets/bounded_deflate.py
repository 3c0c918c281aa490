"""permessage-deflate whose output is bounded by its input.

A megabyte of zeros is a kilobyte when it is compressed: whoever reads such a message needs much
more memory and time than its sender. Real messages become ten times as long, or fifty times. Beyond
`FREE_BYTES` a message may be at most `MOST_TIMES` as long as what was sent; otherwise the
connection is closed with 1009.

wsproto forgets that a message is compressed when a ping comes between two of its fragments; here it
does not.

`tests/proxy/budgets/test_bounded_deflate.py` pins what is used of wsproto.
"""

from __future__ import annotations

from wsproto.extensions import Extension, PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

FREE_BYTES = 1 << 20  # of a message, however small it was sent
MOST_TIMES = 100  # as long as what was sent


class BoundedDeflate(PerMessageDeflate):
    """Takes the place of an extension that has been agreed on."""

    def __init__(self, plain: PerMessageDeflate) -> None:
        super().__init__()
        self.__dict__.update(plain.__dict__)
        self._came = self._became = 0  # bytes of the message at hand

    def frame_inbound_header(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,
    ) -> CloseReason | RsvBits:
        """A frame begins."""
        if opcode in (Opcode.TEXT, Opcode.BINARY):
            self._came = self._became = 0
        compressed = self._inbound_compressed
        found = super().frame_inbound_header(proto, opcode, rsv, payload_length)
        if opcode.iscontrol():
            self._inbound_compressed = compressed
        return found

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        """A frame ends. A ping between two fragments does not end their message."""
        if not self._inbound_is_compressible:
            return None
        return super().frame_inbound_complete(proto, fin)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """Some bytes of it."""
        plain = self._decompressor
        if plain is None or not (self._inbound_compressed and self._inbound_is_compressible):
            return super().frame_inbound_payload_data(proto, data)
        self._came += len(data)
        room = max(FREE_BYTES, self._came * MOST_TIMES) - self._became
        # One byte more than there is room for tells the two apart: what fits is not cut.
        self._decompressor = _Limited(plain, room + 1)  # type: ignore[assignment]
        try:
            found = super().frame_inbound_payload_data(proto, data)
        finally:
            self._decompressor = plain
        if isinstance(found, CloseReason):
            return found
        self._became += len(found)
        return CloseReason.MESSAGE_TOO_BIG if len(found) > room else found


class _Limited:
    """A decompressor that gives at most so many bytes."""

    def __init__(self, plain: object, most: int) -> None:
        self._plain, self._most = plain, most

    def decompress(self, data: bytes) -> bytes:
        found: bytes = self._plain.decompress(data, self._most)  # type: ignore[attr-defined]
        return found


def bounded(extensions: list[Extension]) -> None:
    """Bound those of a connection, in place."""
    extensions[:] = [
        BoundedDeflate(each) if isinstance(each, PerMessageDeflate) else each for each in extensions
    ]
