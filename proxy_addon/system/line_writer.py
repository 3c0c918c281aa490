"""Lines to a terminal, a file, a pipe or a socket that somebody else reads, or does not read.

A write to a pipe whose reader has stopped blocks, and a write to a full disk fails. Neither may
touch whoever has something to say: lines go into a bounded queue, and a thread writes them. What
does not fit is dropped and counted. What cannot be written is kept, and tried again once a second.

Nothing here logs while a line is taken or written, so a log cannot be about itself; `on_flow` is
called on the thread once lines flow again, and may.
"""

from __future__ import annotations

import io
import os
import queue
import select
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TextIO

MOST_LINES: Final = 20_000
MOST_BYTES: Final = 4 << 20
ATOMIC: Final = 4_096  # bytes; what is not longer does not mix with what other processes write
RETRY_SECONDS: Final = 1.0
FLUSH_SECONDS: Final = 1.0  # that the end of the process may wait for
_POLL: Final = 0.01

type WriteBytes = Callable[[bytes], int]


class LineWriter:
    """Writes lines on a thread of its own.

    `write` takes bytes, may block, returns how many it wrote, and raises OSError.
    """

    def __init__(
        self,
        write: WriteBytes,
        *,
        most_lines: int = MOST_LINES,
        most_bytes: int = MOST_BYTES,
        retry: float = RETRY_SECONDS,
    ) -> None:
        self.on_flow: Callable[[int], None] = lambda lines: None
        """Called on the thread with how many lines were dropped, once there is room again."""
        self._write = write
        self._most_lines, self._most_bytes, self._retry = most_lines, most_bytes, retry
        self.begin()
        _writers.add(self)

    def begin(self) -> None:
        """With nothing in the queue, and no thread yet: so it is in a child that was forked, too,
        whose parent writes what was waiting."""
        self._guard = threading.RLock()  # not a plain lock: a collection of garbage may log
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._taken = 0  # bytes; only under the guard
        self._done = 0  # bytes that were written; only on the thread
        self._dropped = 0
        self._told = 0  # of those, what `on_flow` was told; written only on the thread
        self._thread: threading.Thread | None = None

    @property
    def dropped(self) -> int:
        """Lines that were dropped so far."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """Bytes that have been taken and are not written yet."""
        return self._taken - self._done

    @property
    def is_full(self) -> bool:
        """Whether lines have been dropped, and there is no room for many yet."""
        return self._dropped > self._told

    def put(self, line: bytes) -> None:
        """Take a line, or drop and count it. Never waits, never raises. Any thread."""
        with self._guard:
            full = self._lines.qsize() >= self._most_lines
            if full or self.waiting + len(line) > self._most_bytes:
                self._dropped += 1
                return
            self._taken += len(line)
            self._lines.put(line)
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="log", daemon=True)
        with suppress(RuntimeError):  # no more threads: the next line tries again
            thread.start()
            self._thread = thread

    def flush(self, within: float = FLUSH_SECONDS) -> bool:
        """Wait until all is written, `within` seconds at most; whether it is."""
        deadline = time.monotonic() + within
        while self.waiting and time.monotonic() < deadline:
            time.sleep(_POLL)
        return not self.waiting

    # -- on the thread

    def _run(self) -> None:
        last: bytes | None = None
        while True:
            batch = self._lines.get() if last is None else last
            last = None
            while len(batch) < ATOMIC and not self._lines.empty():
                last = self._lines.get()
                if len(batch) + len(last) > ATOMIC:
                    break
                batch, last = batch + last, None
            self._write_all(batch)
            self._tell()

    def _write_all(self, batch: bytes) -> None:
        """Until all of it is written, however long that takes."""
        while batch:
            try:
                written = self._write(batch)
            except Exception:  # whatever is wrong with it: there is nobody to tell
                time.sleep(self._retry)
                continue
            self._done += written
            batch = batch[written:]

    def _tell(self) -> None:
        dropped = self._dropped - self._told
        room = (
            self.waiting <= self._most_bytes // 2 and self._lines.qsize() <= self._most_lines // 2
        )
        if dropped and room:
            self._told += dropped
            try:
                self.on_flow(dropped)
            except Exception:  # the thread must go on
                self._told -= dropped


_writers: weakref.WeakSet[LineWriter] = weakref.WeakSet()


def _begin_in_child() -> None:
    for writer in _writers:
        writer.begin()


os.register_at_fork(after_in_child=_begin_in_child)


class LineStream(io.TextIOBase):
    """Stands in the place of `sys.stdout` or `sys.stderr`: what is printed, tracebacks among it,
    goes to a writer, line by line. What has no end of line yet goes there with `flush`."""

    def __init__(self, writer: LineWriter, original: TextIO) -> None:
        super().__init__()
        self.writer = writer
        self._original = original
        self._begun: dict[int, str] = {}  # by thread: two that print do not mix their lines

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """UTF-8, like the log."""
        return "utf-8"

    def write(self, text: str) -> int:
        """Take text. Never waits."""
        thread = threading.get_ident()
        *lines, rest = (self._begun.pop(thread, "") + text).split("\n")
        for line in lines:
            self.writer.put(f"{line}\n".encode("utf-8", "backslashreplace"))
        if rest:
            self._begun[thread] = rest
        return len(text)

    def flush(self) -> None:
        """Hand over what has no end of line yet. Never waits."""
        if rest := self._begun.pop(threading.get_ident(), ""):
            self.writer.put(rest.encode("utf-8", "backslashreplace"))

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._original.isatty()

    def fileno(self) -> int:
        """The descriptor, for children and for the handler of fatal signals."""
        return self._original.fileno()

    def writable(self) -> bool:
        """It is."""
        return True


def to_stream(stream: TextIO) -> WriteBytes:
    """Writes to the descriptor of a stream, or to the stream itself where it has none."""
    try:
        stream.fileno()
    except (OSError, ValueError, AttributeError):
        return lambda data: _to_text(stream, data)
    # Asked for each time: once the stream is closed, its number may be that of something else.
    return lambda data: _to_descriptor(stream.fileno(), data)


def _to_text(stream: TextIO, data: bytes) -> int:
    stream.write(data.decode("utf-8", "replace"))
    stream.flush()
    return len(data)


def _to_descriptor(descriptor: int, data: bytes) -> int:
    try:
        return os.write(descriptor, data)
    except BlockingIOError:  # another program has set it so: a terminal belongs to several
        select.select((), (descriptor,), (), RETRY_SECONDS)
        return 0
