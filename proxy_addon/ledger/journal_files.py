"""The files of a journal on the disk, and the lock that tells whether its process lives."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proxy_addon.ledger.journal_records import SUFFIXES
from proxy_addon.system import private_files


def open_file(path: Path, more: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | more, 0o600)


def make_lock(path: Path) -> int:
    """A new file that we hold. Somebody who takes abandoned journals may take it in between: then
    again."""
    while True:
        file = open_file(path, os.O_EXCL)  # never what another process has left
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_still(path, file):
            return file
        os.close(file)


def is_still(path: Path, file: int) -> bool:
    """Whether an open file is the one by that name. Raises OSError where nobody can tell."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except (FileNotFoundError, NotADirectoryError):
        return False


@contextmanager
def taken(lock_file: Path) -> Iterator[bool]:
    """Hold the lock of a journal; false when a live process holds it, or another process has just
    removed it."""
    try:
        file = os.open(lock_file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield is_still(lock_file, file)
    finally:
        os.close(file)


def remove(lock_file: Path) -> None:
    """The lock last: a lock without files is an empty journal."""
    for path in (*(lock_file.with_suffix(suffix) for suffix in SUFFIXES), lock_file):
        with suppress(FileNotFoundError):
            path.unlink()


def keep_only(lock_file: Path, records: bytes) -> None:
    """Put these records in the place of all that a journal holds. Killed in between, more of it is
    left. Raises OSError."""
    first, *others = (lock_file.with_suffix(suffix) for suffix in SUFFIXES)
    private_files.replace(first, records)
    for path in others:
        path.unlink(missing_ok=True)
