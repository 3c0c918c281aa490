"""What a trace file is packed in: gzip, zlib (mitmproxy's `.zhar`), zip, UTF-16.

What is unpacked is bounded: a small file that becomes hundreds of times as large is no recording.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
LARGEST_RATIO: Final = 250  # repetitive logs reach about 50
FREE: Final = 256 << 20  # bytes that anything may become
MOST_MEMBERS: Final = 200
CHUNK: Final = 1 << 18


class Readable(Protocol):
    """What gives some bytes at each call, b"" at its end."""

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes."""


class Member(NamedTuple):
    """One file in an archive."""

    name: str
    stream: io.RawIOBase


class UnpackError(OSError):
    """What is packed cannot be unpacked; the text says why."""


DAMAGE: Final = (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, RuntimeError)


def is_zip(head: bytes) -> bool:
    """Whether a file that begins like this is a zip archive."""
    return head.startswith(_ZIP)


def unpacked(stream: io.BufferedReader[Any], packed: int) -> Readable:
    """The content of a stream of `packed` bytes (0 = not known), as UTF-8 where it is UTF-16."""
    head = stream.peek(4)[:4]
    inner: Readable = stream
    if head.startswith(_GZIP):
        inner = _Bounded(gzip.GzipFile(fileobj=stream, mode="rb"), packed)
    elif head[:2] in _ZLIB:
        inner = _Bounded(_Zlib(stream), packed)
    return _as_utf8(inner)


def members(path: Path) -> tuple[list[Member], list[str]]:
    """The files in a zip archive, opened, with their names; and what is wrong with others. Raises
    UnpackError for what is not a whole archive."""
    found: list[Member] = []
    wrong: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:  # the file is closed with its last member
            for info in archive.infolist():
                if info.is_dir() or info.filename.startswith("__MACOSX/"):
                    continue
                if len(found) == MOST_MEMBERS:
                    wrong.append(f"more than {MOST_MEMBERS} files in it")
                    break
                if info.flag_bits & 1:
                    wrong.append(f"{info.filename} is encrypted")
                    continue
                stream = _Bounded(_Whole(archive.open(info)), info.compress_size)
                found.append(Member(info.filename, stream))
    except (*DAMAGE, OSError) as error:
        for member in found:
            member.stream.close()
        raise UnpackError(f"damaged zip archive ({type(error).__name__})") from None
    return found, wrong


class _Bounded(io.RawIOBase):
    """Ends with UnpackError when far more comes out than went in."""

    def __init__(self, stream: Readable, packed: int) -> None:
        super().__init__()
        self._stream = stream
        self._left = max(FREE, packed * LARGEST_RATIO) if packed else None

    def readable(self) -> bool:
        return True

    def read1(self, size: int, /) -> bytes:
        data = self._stream.read1(size)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                raise UnpackError("it unpacks to more than 250 times its size")
        return data

    def readinto(self, buffer: io.WritableBuffer, /) -> int:  # type: ignore[name-defined]
        view = memoryview(buffer).cast("B")
        data = self.read1(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()
        super().close()


class _Whole:
    """A member of an archive."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read1(self, size: int, /) -> bytes:
        """At most `size` unpacked bytes."""
        return self._stream.read(size)

    def close(self) -> None:
        """Close the member; with the last one the archive is closed."""
        self._stream.close()


class _Zlib:
    """A bare zlib stream, unpacked a piece at a time."""

    def __init__(self, stream: io.BufferedReader[Any]) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj()

    def read1(self, size: int, /) -> bytes:
        """At most `size` unpacked bytes."""
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._stream.read1(CHUNK)
            data = self._inflate.decompress(packed, size)
            if data:
                return data
            if not packed:
                raise EOFError("it ends early")
        return b""


class _Utf16:
    """UTF-16 as UTF-8."""

    def __init__(self, head: bytes, stream: Readable, encoding: str) -> None:
        self._head, self._stream = head, stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read1(self, size: int, /) -> bytes:
        """Some bytes, up to three times `size`."""
        while True:
            data, self._head = self._head or self._stream.read1(size), b""
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode("utf-8", "replace")


class _Prefixed:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head, self._stream = head, stream

    def read1(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        if not self._head:
            return self._stream.read1(size)
        data, self._head = self._head[:size], self._head[size:]
        return data


def _as_utf8(stream: Readable) -> Readable:
    head = b""
    while len(head) < 4 and (more := stream.read1(CHUNK)):
        head += more
    encoding = _utf16(head[:4])
    return _Prefixed(head, stream) if encoding is None else _Utf16(head, stream, encoding)


def _utf16(head: bytes) -> str | None:
    """The encoding of a text that begins like this, where it is UTF-16 with or without a mark."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) < 4 or head[:2] == b"\0\0":
        return None
    if head[1] == head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    return "utf-16-be" if head[0] == head[2] == 0 and head[1] and head[3] else None
