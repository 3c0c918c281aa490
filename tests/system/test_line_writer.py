"""`proxy_addon/system/line_writer.py`: whoever puts a line never waits, whatever is
wrong behind it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from proxy_addon.system.line_writer import ATOMIC, LineStream, LineWriter, to_stream
from tests.e2e.waiting import until


class Descriptor:
    """What is written to; a test says what is wrong with it."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self.problem: OSError | None = None
        self.open = threading.Event()
        self.open.set()
        self.most = 1 << 20

    def __call__(self, data: bytes) -> int:
        """See `LineWriter`."""
        self.open.wait()
        if self.problem is not None:
            raise self.problem
        self.calls.append(data[: self.most])
        return len(self.calls[-1])

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self.calls)


@pytest.fixture
def null() -> Iterator[TextIO]:
    """A stream that nobody reads."""
    with Path(os.devnull).open("w") as stream:
        yield stream


def line(number: int, length: int = 20) -> bytes:
    """One line."""
    return f"{number:0{length - 1}d}\n".encode()


def test_lines_come_in_order() -> None:
    """Whole, in batches that other processes cannot cut, and all of them when `flush` returns."""
    target = Descriptor()
    writer = LineWriter(target)
    target.open.clear()
    lines = [line(number, 100 + number % 50) for number in range(500)]
    for each in lines:
        writer.put(each)
    assert not writer.flush(0.05)
    target.open.set()
    assert writer.flush(10)
    assert target.content == b"".join(lines)
    assert all(len(call) <= ATOMIC and call.endswith(b"\n") for call in target.calls)
    assert len(target.calls) < len(lines) / 10
    long = b"y" * 3 * ATOMIC + b"\n"
    writer.put(long)
    assert writer.flush(10)
    assert target.calls[-1] == long


def test_a_writer_that_blocks_holds_up_nobody() -> None:
    """Puts return at once, what does not fit is counted, and the count is told when there is room:
    the lines that were taken are there, none of the others."""
    target, told = Descriptor(), []
    writer = LineWriter(target, most_lines=50)
    writer.on_flow = told.append
    target.open.clear()
    began = time.monotonic()
    for number in range(10_000):
        writer.put(line(number))
    assert time.monotonic() - began < 5.0
    assert not writer.flush(0.0)
    taken = 10_000 - writer.dropped
    assert 50 <= taken <= 50 + ATOMIC // 20 + 1
    assert writer.is_full
    target.open.set()
    until(lambda: bool(told), "the count")
    assert told == [10_000 - taken]
    assert target.content == b"".join(line(number) for number in range(taken))
    assert not writer.is_full


def test_there_is_a_bound_in_bytes() -> None:
    """Few long lines fill the queue as well; one that is too long alone never fits."""
    target = Descriptor()
    target.open.clear()
    writer = LineWriter(target, most_bytes=10_000)
    for number in range(100):
        writer.put(line(number, 1_000))
    assert writer.dropped == 90
    target.open.set()
    assert writer.flush(10)
    writer.put(b"z" * 10_001)
    assert writer.dropped >= 91


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO, errno.EDQUOT])
def test_what_fails_is_tried_again(code: int) -> None:
    """A line that cannot be written is not lost, and comes once, when the fault has gone."""
    target = Descriptor()
    target.problem = OSError(code, os.strerror(code))
    writer = LineWriter(target, retry=0.01)
    writer.put(b"one\n")
    writer.put(b"two\n")
    assert not writer.flush(0.1)
    target.problem = None
    assert writer.flush(10)
    assert target.content == b"one\ntwo\n"


def test_a_write_that_stops_in_the_middle() -> None:
    """The rest follows: no line is cut and none comes twice."""
    target = Descriptor()
    target.most = 7
    writer = LineWriter(target)
    for number in range(10):
        writer.put(line(number))
    assert writer.flush(10)
    assert target.content == b"".join(line(number) for number in range(10))


def test_a_report_that_fails_ends_nothing() -> None:
    """Whatever happens when the count is told, lines go on."""
    target = Descriptor()
    writer = LineWriter(target, most_lines=1)

    def fail(lines: int) -> None:
        raise RuntimeError(lines)

    writer.on_flow = fail
    target.open.clear()
    for number in range(300):
        writer.put(line(number))
    target.open.set()
    assert writer.flush(10)
    writer.put(b"later\n")
    assert writer.flush(10)
    assert target.content.endswith(b"later\n")


def test_a_child_that_was_forked_writes_its_own_lines() -> None:
    """What waits in the parent is not written twice, and the child has a thread of its own."""
    reader, end = os.pipe()
    writer = LineWriter(lambda data: os.write(end, data))
    writer.put(b"parent\n")
    assert writer.flush(10)
    child = os.fork()
    if child == 0:  # pragma: no cover (another process)
        writer.put(b"child\n")
        os._exit(0 if writer.flush(10) else 1)
    assert os.waitpid(child, 0)[1] == 0
    os.close(end)
    with os.fdopen(reader, "rb") as lines:
        assert lines.read() == b"parent\nchild\n"


def test_a_full_pipe_that_does_not_block() -> None:
    """A descriptor that somebody else has made non-blocking loses nothing."""
    reader, end = os.pipe()
    os.set_blocking(end, False)
    writer = LineWriter(to_stream(os.fdopen(end, "w")))
    for number in range(2_000):
        writer.put(line(number, 100))
    assert not writer.flush(0.1)
    with os.fdopen(reader, "rb") as lines:
        assert [lines.readline() for _ in range(2_000)] == [line(n, 100) for n in range(2_000)]


@pytest.mark.parametrize(
    "write",
    [
        lambda stream: stream.write("one\ntw") + stream.write("o\n"),
        lambda stream: print("one", "two", sep="\n", file=stream),
        lambda stream: (stream.write("one\ntwo\n"), stream.flush()),
    ],
)
def test_a_stream_gives_whole_lines(write: Callable[[LineStream], object], null: TextIO) -> None:
    """However the text comes in pieces."""
    target = Descriptor()
    writer = LineWriter(target)
    stream = LineStream(writer, null)
    write(stream)
    assert writer.flush(10)
    assert target.content == b"one\ntwo\n"
    assert (stream.isatty(), stream.writable(), stream.encoding) == (False, True, "utf-8")
    assert stream.fileno() > 2


def test_what_has_no_end_comes_with_flush(null: TextIO) -> None:
    """A prompt is shown before its line has ended; characters that cannot be encoded are
    escaped."""
    target = Descriptor()
    writer = LineWriter(target)
    stream = LineStream(writer, null)
    stream.write("name \udc80: ")
    assert writer.flush(10)
    assert target.content == b""
    stream.flush()
    assert writer.flush(10)
    assert target.content == b"name \\udc80: "
