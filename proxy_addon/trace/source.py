"""Bytes of a trace file: what it is packed in is opened transparently, a damaged or truncated file
ends early and says so."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from proxy_addon.trace.event import TraceFault
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.unpack import (
    CHUNK,
    DAMAGE,
    Member,
    Readable,
    UnpackError,
    is_zip,
    members,
    unpacked,
)

LONGEST_LINE = 8 << 20
_BOM = b"\xef\xbb\xbf"


class Source(io.RawIOBase):
    """A raw stream that does not raise while reading: damage is counted and looks like the end."""

    def __init__(self, path: Path, report: ReadReport, member: Member | None = None) -> None:
        """A file, or with `member` one of the files in an archive. Raises OSError."""
        super().__init__()
        self.name = str(path) if member is None else f"{path}/{member.name}"
        self._report = report
        self._raw: IO[bytes] | None = None  # closed by the garbage collector as well, opened or not
        self._buffered: io.BufferedReader[Any] | None = None
        self._packed = 0
        stream: io.RawIOBase
        if member is None:
            self._raw = raw = path.open("rb")
            self._packed = os.fstat(raw.fileno()).st_size
            report.bytes_total += self._packed
            stream = _Counted(raw, report)
        else:
            stream = member.stream
        self._buffered = io.BufferedReader(stream, CHUNK)
        self._inner: Readable | None = None
        self._pending = self._first()

    def readable(self) -> bool:
        """Always."""
        return True

    def head(self, wanted: int = 65_536) -> bytes:
        """The first bytes, which stay to be read."""
        while len(self._pending) < wanted and (more := self._pull()):
            self._pending += more
        return self._pending[:wanted]

    def readinto(self, buffer: io.WritableBuffer, /) -> int:  # type: ignore[name-defined]
        """Fill what one read of the file gives."""
        view = memoryview(buffer).cast("B")
        data = self._pending or self._pull(len(view))
        taken = data[: len(view)]
        view[: len(taken)] = taken
        self._pending = data[len(taken) :]
        return len(taken)

    def close(self) -> None:
        """Close the file underneath as well."""
        if self._buffered is not None:
            self._buffered.close()
        if self._raw is not None:
            self._raw.close()
        super().close()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Numbered lines without their end; one that is longer than 8 MiB is a problem and is left
        out."""
        number, rest, too_long = 1, b"", False
        with io.BufferedReader(self, CHUNK) as stream:
            while chunk := stream.read1(CHUNK):
                first, *others = chunk.split(b"\n")
                rest += first
                if len(rest) > LONGEST_LINE:
                    rest, too_long = b"", True
                if not others:
                    continue
                if too_long:
                    self._report.problem(
                        self.name, number, TraceFault.TOO_LONG, "longer than 8 MiB"
                    )
                else:
                    yield number, rest
                yield from enumerate(others[:-1], number + 1)
                number, rest, too_long = number + len(others), others[-1], False
            if too_long:
                self._report.problem(self.name, number, TraceFault.TOO_LONG, "longer than 8 MiB")
            elif rest:
                yield number, rest

    def _first(self) -> bytes:
        start = b""
        while len(start) < len(_BOM) and (more := self._pull()):
            start += more
        return start.removeprefix(_BOM)

    def _pull(self, size: int = CHUNK) -> bytes:
        try:
            if self._inner is None:
                assert self._buffered is not None
                self._inner = unpacked(self._buffered, self._packed)
            return self._inner.read1(size)
        except UnpackError as damage:
            self._report.problem(self.name, 0, TraceFault.CUT_OFF, str(damage))
        except DAMAGE as damage:
            self._report.problem(
                self.name, 0, TraceFault.CUT_OFF, f"damaged or truncated archive ({damage})"
            )
        except OSError as damage:
            self._report.problem(self.name, 0, TraceFault.CUT_OFF, damage.strerror or "read error")
        self._inner = io.BytesIO()
        return b""


def open_sources(path: Path, report: ReadReport) -> list[Source]:
    """A file, or each of the files in a zip archive. Raises OSError."""
    with path.open("rb") as file:
        if not file.seekable() or not is_zip(file.read(4)):
            return [Source(path, report)]
    found, wrong = members(path)
    for detail in wrong:
        report.problem(str(path), 0, TraceFault.CUT_OFF, detail)
    return [Source(path, report, member) for member in found]


class _Counted(io.RawIOBase):
    """Counts what was really read from disk, for the progress bar."""

    def __init__(self, raw: IO[bytes], report: ReadReport) -> None:
        super().__init__()
        self._raw = raw
        self._report = report

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: io.WritableBuffer, /) -> int:  # type: ignore[name-defined]
        count: int = self._raw.readinto(buffer)  # type: ignore[attr-defined]
        self._report.bytes_read += count
        return count
