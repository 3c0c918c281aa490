"""`allowance` without its second of imports: a process that has them forks for each command.

Documentation has a hundred commands. Here they run through the same function as the installed
command, in a process of their own, with the arguments, folder, environment and streams of whoever
typed them. `python -m tests.docs.command_server SOCKET` is that process; `client` is the text of
the program that stands for `allowance`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from proxy_addon.cli.main import app
from tests.docs.pages import ROOT
from tests.e2e.client import clean_environment
from tests.e2e.waiting import until
from tests.tools.cli_reference import commands

_LENGTH = 8  # bytes in front of a request
_CLIENT = """#!{python} -IS
import json, os, signal, socket, sys

arguments = sys.argv[1:]
if "--workers" in arguments:
    os.execv({real!r}, [{real!r}, *arguments])
with socket.socket(socket.AF_UNIX) as line:
    line.connect({path!r})
    signal.signal(signal.SIGTERM, lambda *_: line.shutdown(socket.SHUT_WR))
    request = json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(line, [len(request).to_bytes({length}, "big")], [0, 1, 2])
    line.sendall(request)
    code = line.recv(1)
sys.exit(code[0] if code else 70)
"""


def client(path: Path) -> str:
    """A program that hands its command line to the process at `path`."""
    real = str(Path(sys.prefix) / "bin" / "allowance")
    return _CLIENT.format(python=sys.executable, real=real, path=str(path), length=_LENGTH)


class CommandServer:
    """A context manager: the process, listening at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> CommandServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.docs.command_server", str(self.path)],
            cwd=ROOT,
            env=clean_environment() | {"PYTHONPATH": str(ROOT)},
        )

        def listens() -> bool:
            assert self._process.poll() is None, "it ended; its standard error says why"
            return self.path.exists()

        until(listens, "the process that has everything imported", 60)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def main(path: str) -> None:
    """Serve until killed, or until whoever started this is gone."""
    for name in ("db.migrate", "db.listener"):
        importlib.import_module(name)
    commands()  # imports each
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{path}.new")
        listener.listen(8)
        listener.settimeout(2.0)
        Path(f"{path}.new").rename(path)
        while os.getppid() == parent:
            with suppress(TimeoutError):
                line, _ = listener.accept()
                with line:
                    if os.fork() == 0:
                        _command(line)


def _command(line: socket.socket) -> None:
    """In the child: become that command; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line.settimeout(None)
    length, streams, _, _ = socket.recv_fds(line, _LENGTH, 3)
    with line.makefile("rb") as source:
        arguments, folder, environment = json.loads(source.read(int.from_bytes(length, "big")))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=_until_left, args=(line,), daemon=True).start()
    code = _run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    line.sendall(bytes([code & 0xFF]))
    os._exit(0)


def _run(arguments: list[str]) -> int:
    try:
        app(arguments, prog_name="allowance")
    except SystemExit as end:
        return _code(end.code)
    return 0


def _code(code: Any) -> int:
    return code if isinstance(code, int) else int(code is not None)


def _until_left(line: socket.socket) -> None:
    """Whoever typed the command was asked to end, or is gone."""
    line.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1])
