"""The fork server from which workers are made: started early, ended surely.

One that was killed or lost its socket is replaced by the next, and what it has made goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import forkserver, process
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

_earlier: list[int] = []  # process ids of fork servers that have lost their files


def start(modules: Sequence[str], folder: Path) -> ForkServerContext:
    """Start a fork server that imports `modules` while this process goes on; its files are in
    `folder`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*modules])
    _use(folder)
    return context


def ensure_running() -> None:
    """Start another fork server when somebody has killed it, before a worker is needed. Raises
    OSError."""
    forkserver.ensure_running()


def move(folder: Path) -> None:
    """Start another fork server whose files are in `folder`. The one before has lost its own: it
    ends with the last process that it has made, whose exit code it may not tell. Raises OSError."""
    server: Any = forkserver._forkserver
    with server._lock:
        if server._forkserver_pid is not None:
            os.close(server._forkserver_alive_fd)
            _earlier.append(server._forkserver_pid)
        server._forkserver_pid = server._forkserver_alive_fd = server._forkserver_address = None
    _use(folder)


def _use(folder: Path) -> None:
    # Where multiprocessing would else make a folder that nobody removes after SIGKILL.
    this: Any = process.current_process()
    this._config["tempdir"] = str(folder)
    forkserver.ensure_running()


def end() -> None:
    """End the fork server before it would notice that nobody needs it: it may be importing."""
    for earlier in _earlier:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(earlier, signal.SIGKILL)
            os.waitpid(earlier, 0)
    _earlier.clear()
    server: Any = forkserver._forkserver
    if server._forkserver_pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)
        with suppress(OSError):
            server._stop()
