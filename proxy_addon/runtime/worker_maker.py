"""The fork server from which workers are made: started early, ended surely."""

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


def start(modules: Sequence[str], folder: Path) -> ForkServerContext:
    """Start a fork server that imports `modules` while this process goes on; its files are in
    `folder`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*modules])
    # Where multiprocessing would else make a folder that nobody removes after SIGKILL.
    this: Any = process.current_process()
    this._config["tempdir"] = str(folder)
    forkserver.ensure_running()
    return context


def end() -> None:
    """End the fork server before it would notice that nobody needs it: it may be importing."""
    server: Any = forkserver._forkserver
    if server._forkserver_pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)
        with suppress(OSError):
            server._stop()
