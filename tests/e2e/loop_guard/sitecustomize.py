"""Notes every call by which the main thread of a Python process, where its event loop runs, could
wait for a disk, a pipe, a name or another process.

In PYTHONPATH of a child it is read before anything else, so `allowance run` is the one that users
start. From SIGUSR1 on each such call is a line in the file `LOOP_GUARD`: what was called, and from
where. SIGUSR2 ends it. A profile function sees calls of C functions, which all of these are in the
end, whatever library makes them.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
import threading
from types import FrameType

_FILE = os.environ["LOOP_GUARD"]
_SYSTEM = frozenset(
    {
        "open",
        "read",
        "write",
        "pread",
        "pwrite",
        "readv",
        "writev",
        "fsync",
        "fdatasync",
        "stat",
        "lstat",
        "access",
        "listdir",
        "scandir",
        "rename",
        "replace",
        "unlink",
        "remove",
        "mkdir",
        "rmdir",
        "link",
        "symlink",
        "readlink",
        "truncate",
        "ftruncate",
        "chmod",
        "posix_fallocate",
        "sendfile",
        "system",
        "waitpid",
    }
)
_FILES = frozenset(
    ["read", "readline", "readlines", "readinto", "write", "writelines", "flush", "truncate"]
)
_SOCKETS = frozenset(
    [
        "accept",
        "connect",
        "recv",
        "recv_into",
        "recvfrom",
        "recvmsg",
        "send",
        "sendall",
        "sendto",
        "sendmsg",
    ]
)
_MODULES = {
    "posix": _SYSTEM,
    "io": frozenset({"open", "open_code"}),
    "_io": frozenset({"open", "open_code"}),
    "time": frozenset({"sleep"}),
    "_socket": frozenset({"getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo"}),
    "fcntl": frozenset({"flock", "lockf"}),
    "_posixsubprocess": frozenset({"fork_exec"}),
    "_sqlite3": frozenset({"connect"}),
    "select": frozenset({"select"}),
}
_FILE_TYPES = (
    io.FileIO,
    io.BufferedReader,
    io.BufferedWriter,
    io.BufferedRandom,
    io.TextIOWrapper,
)
_MOST_FRAMES = 12


def _waits(function: object) -> str:
    """What a C function is called by which somebody could wait; "" for all others."""
    name = getattr(function, "__name__", "")
    owner = getattr(function, "__self__", None)
    if isinstance(owner, socket.SocketType):
        blocks = name in _SOCKETS and owner.gettimeout() != 0.0
        return f"socket.{name}" if blocks else ""
    if isinstance(owner, _FILE_TYPES):
        return f"{type(owner).__name__}.{name}" if name in _FILES else ""
    module = getattr(function, "__module__", None) or ""
    return f"{module}.{name}" if name in _MODULES.get(module, ()) else ""


def _stack(frame: FrameType | None) -> str:
    found = []
    while frame is not None and len(found) < _MOST_FRAMES:
        code = frame.f_code
        found.append(f"{code.co_filename}:{frame.f_lineno}:{code.co_name}")
        frame = frame.f_back
    return " < ".join(found)


def _profile(frame: FrameType, event: str, argument: object) -> None:
    if event == "c_call" and (what := _waits(argument)):
        os.write(_OUT, f"{what} < {_stack(frame)}\n".encode())


def _begin(number: int, frame: FrameType | None) -> None:
    os.write(_OUT, b"begin\n")
    sys.setprofile(_profile)


def _end(number: int, frame: FrameType | None) -> None:
    sys.setprofile(None)
    os.write(_OUT, b"end\n")


if threading.current_thread() is threading.main_thread():
    _OUT = os.open(_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    signal.signal(signal.SIGUSR1, _begin)
    signal.signal(signal.SIGUSR2, _end)
