"""The folder that a supervisor and its workers share: files of metrics, sockets between workers,
the socket of the fork server, copies of what workers need at their start.

Whoever uses it holds a lock on a file in it. The lock ends with the last of these processes,
however they end, so that a later start can remove a folder that nobody has removed. The folder
itself is locked too: programs that remove old files from a system's folders, like systemd-tmpfiles,
leave such folders alone.
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
_RUNTIME: Final = "RUNTIME_DIRECTORY"  # set by systemd; several are separated by colons
_COMES_AND_GOES: Final = "gauge_live"  # files with values of workers, which end with them
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
        self._seen: set[str] = set()

    def is_whole(self) -> bool:
        """Whether all that was ever seen in it is there. Somebody may have removed files, or all
        of it."""
        try:
            found = {each.name for each in self.path.iterdir()}
        except OSError:
            return False
        if not self._seen <= found:
            return False
        self._seen = {name for name in found if not name.startswith((".", _COMES_AND_GOES))}
        return True

    def close(self) -> None:
        """The folder is not used any more."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()
        _remove_abandoned(self.path.parent)


class FolderLock:
    """Says that somebody uses a folder, until it is closed or the process ends."""

    def __init__(self, folder: Path, file: int) -> None:
        self._descriptors = [file]
        with suppress(OSError):  # for others than us; shares may not know it
            self._descriptors.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            fcntl.flock(self._descriptors[-1], fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether nobody else uses the folder. Whoever asks does not use it any more."""
        try:
            fcntl.flock(self._descriptors[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Do not use it any more."""
        for each in self._descriptors:
            os.close(each)
        self._descriptors = []


def _parent() -> Path:
    """The service's own folder below /run, or the system's folder for temporary files, where names
    of sockets below it are not too long."""
    own = os.environ.get(_RUNTIME, "").partition(":")[0]
    folder = Path(own if own and os.access(own, os.W_OK) else tempfile.gettempdir())
    return folder if len(os.fsencode(folder)) <= _LONGEST_PARENT else _SHORT_PARENT


def _free(folder: Path) -> int:
    """Bytes that are free on the disk of a folder."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def hold(folder: Path, name: str = _LOCK) -> FolderLock:
    """Use the folder as long as the returned lock is open. Raises OSError."""
    file = os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(file, fcntl.LOCK_SH)
    return FolderLock(folder, file)


def abandon(folder: Path, lock: FolderLock) -> None:
    """Without its supervisor, the last process that uses the folder removes it."""
    if lock.is_last():
        shutil.rmtree(folder, ignore_errors=True)


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
