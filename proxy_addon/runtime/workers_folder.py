"""The folder that a supervisor and its workers share: files of metrics, sockets between workers,
the socket of the fork server, copies of what workers need at their start.

Whoever uses it holds a lock on a file in it. The lock ends with the last of these processes,
however they end, so that a later start can remove a folder that nobody has removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger("allowance.run")

_PREFIX: Final = "allowance-workers-"
_LOCK: Final = "lock"
PASSWORDS: Final = "passwords"  # a copy, for workers that start when the file is damaged
_LONGEST_PARENT: Final = 60  # bytes; names of sockets have 107 at most, 45 of them below it
_SHORT_PARENT: Final = Path("/tmp")  # noqa: S108 - the folder in it is new, and its owner's alone

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - as /tmp, which may be full
_ROOM: Final = 8 << 20  # bytes that must be free on a disk for the folder to be made there


class WorkersFolder:
    """A new folder, locked. `close` removes it."""

    def __init__(self) -> None:
        """Removes the folders of supervisors that were killed. Raises OSError."""
        parents = [_parent(), *(each for each in [_IN_MEMORY] if os.access(each, os.W_OK))]
        for each in parents:
            _remove_abandoned(each)
        parent = next((each for each in parents if _free(each) >= _ROOM), parents[0])
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        hidden = self.path / f".{_LOCK}"
        hidden.touch(0o600)
        self._lock = hold(self.path, hidden.name)
        hidden.rename(self.path / _LOCK)  # nobody finds it before it is locked

    def close(self) -> None:
        """The folder is not used any more."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        _remove_abandoned(self.path.parent)


def _parent() -> Path:
    """The system's folder for temporary files, where names of sockets below it are not too long."""
    folder = Path(tempfile.gettempdir())
    return folder if len(os.fsencode(folder)) <= _LONGEST_PARENT else _SHORT_PARENT


def _free(folder: Path) -> int:
    """Bytes that are free on the disk of a folder."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def hold(folder: Path, name: str = _LOCK) -> int:
    """Use the folder as long as the returned descriptor is open. Raises OSError."""
    lock = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def abandon(folder: Path, lock: int) -> None:
    """Without its supervisor, the last process that uses the folder removes it."""
    with suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever fails has no lock any more
        shutil.rmtree(folder)


def _remove_abandoned(parent: Path) -> None:
    for folder in _folders(parent):
        with suppress(OSError):
            lock = os.open(folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                log.info(
                    "the folder of a supervisor that was killed is removed", folder=str(folder)
                )
            finally:
                os.close(lock)


def _folders(parent: Path) -> Iterator[Path]:
    """The folders of this user's supervisors."""
    for found in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            status = found.lstat()
            if status.st_uid == os.getuid() and found.is_dir() and not found.is_symlink():
                yield found
