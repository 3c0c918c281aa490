"""The files in which workers count, on a disk that may be full.

prometheus_client maps a file that has a size and no blocks. Writing to such a page asks the disk
for a block, and where there is none the kernel ends the process with SIGBUS. Here the blocks are
there before a page is mapped. What finds no room is counted in this process alone, and moves to
the file when there is room again; until then it is missing in the sum of all workers.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

from proxy_addon.system.clock import timer

FIRST_BYTES: Final = 1 << 16  # of a file, as in prometheus_client
TRY_AGAIN: Final = 30.0  # seconds until room on the disk is looked for again
_NOT_OFFERED: Final = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}

log = structlog.get_logger("allowance.run")

type Number = tuple[float, float]
"""A value and its timestamp."""


class MetricsFile(MmapedDict):
    """A `MmapedDict` whose pages can always be written to. Not thread-safe: prometheus_client has a
    lock around it."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        self._name = filename
        self._overflow: dict[str, Number] = {}
        self._try_at = 0.0
        self._is_open = False
        self._positions: dict[str, int] = {}
        self._f: Any = None
        if read_mode:
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]
            self._is_open = True
        else:
            self._open()

    def read_value(self, key: str) -> Number:
        """The value of a key, which is made where it is new."""
        if not self._has_place(key):
            return self._overflow.setdefault(key, (0.0, 0.0))
        found: Number = super().read_value(key)  # type: ignore[no-untyped-call]
        return found

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Set the value of a key."""
        if self._overflow and timer() >= self._try_at:
            self._move()
        if self._has_place(key):
            super().write_value(key, value, timestamp)  # type: ignore[no-untyped-call]
        else:
            self._overflow[key] = (value, timestamp)

    def _has_place(self, key: str) -> bool:
        """Whether the key is in the file, or there is room for it."""
        if key in self._positions:
            return True
        if self._overflow:  # the disk was full a moment ago: it is asked again now and then only
            return False
        return self._make_room(key)

    def _make_room(self, key: str) -> bool:
        if not self._is_open and not self._open():
            return False
        needed = self._used + len(key.encode()) + 32  # its length, padding, two numbers
        capacity: int = self._capacity
        while needed > capacity:
            capacity *= 2
        try:
            if capacity > self._capacity:
                allocate(self._f.fileno(), capacity)
        except OSError as problem:
            self._is_full(problem)
            return False
        return True

    def _open(self) -> bool:
        try:
            with Path(self._name).open("ab") as file:
                allocate(file.fileno(), max(FIRST_BYTES, os.fstat(file.fileno()).st_size))
            super().__init__(self._name)  # type: ignore[no-untyped-call]
        except OSError as problem:
            with suppress(OSError):
                Path(self._name).unlink()  # an empty file could not be read where all are added
            self._positions = {}
            self._is_full(problem)
            return False
        self._is_open = True
        return True

    def _is_full(self, problem: OSError) -> None:
        if not self._overflow:
            log.warning("metrics of a worker find no room on the disk", because=problem.strerror)
        self._try_at = timer() + TRY_AGAIN

    def _move(self) -> None:
        """Take what found no room to the file, where there is some now."""
        waiting = dict(self._overflow)
        for key, (value, timestamp) in waiting.items():
            if not self._make_room(key):
                return
            super().write_value(key, value, timestamp)  # type: ignore[no-untyped-call]
            del self._overflow[key]
        log.info("metrics of a worker are complete again", series=len(waiting))


def allocate(file: int, size: int) -> None:
    """Give an open file so many bytes with blocks of the disk. Raises OSError, such as ENOSPC; then
    its size is what it was."""
    was = os.fstat(file).st_size
    try:
        os.posix_fallocate(file, 0, size)
        return
    except OSError as problem:
        os.ftruncate(file, was)
        if problem.errno not in _NOT_OFFERED:
            raise
    try:  # some file systems, and other libraries of C: what is written has blocks
        while (written := os.fstat(file).st_size) < size:
            os.pwrite(file, bytes(min(FIRST_BYTES, size - written)), written)
    except OSError:
        os.ftruncate(file, was)
        raise


def install() -> None:
    """Have prometheus_client count in these files. Before the first metric is made."""
    values.MmapedDict = MetricsFile  # type: ignore[attr-defined]
