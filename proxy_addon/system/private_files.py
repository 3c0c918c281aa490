"""Files for their owner alone, mode 0600: written entirely or not at all, and on disk when a call
returns.

Content is written to a temporary file beside the target, whose name begins with a dot, and then
moved atomically.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FOLDER_MODE = 0o700
_NO_LINKS: Final = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK}


def make_folder(folder: Path) -> None:
    """A folder that nobody else can look into, unless it is there. Raises OSError."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def write_new(path: Path, content: bytes) -> None:
    """A file that is not there yet. Raises OSError, FileExistsError among others; half a file may
    stay then."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def replace(
    path: Path, content: bytes, prepare: Callable[[Path], None] = lambda temporary: None
) -> None:
    """Put a file in the place of the one that may be there, which stays as it is when this fails.
    Raises OSError.

    `prepare` is given the new file before it takes that place.
    """
    with _temporary_file(path, content) as temporary:
        prepare(temporary)
        temporary.replace(path)


def make_once(path: Path, content: bytes) -> None:
    """The same, but never over a file that is there, or that another process has just made. Raises
    OSError."""
    with _temporary_file(path, content) as temporary:
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        except OSError as problem:  # a share that knows no links
            if problem.errno not in _NO_LINKS:
                raise
            with suppress(FileExistsError):
                write_new(path, content)


@contextmanager
def _temporary_file(path: Path, content: bytes) -> Iterator[Path]:
    """A new file beside `path`, gone afterwards unless it was moved."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_new(temporary, content)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
