"""Processes that the recording starts: each ends with it, by its own number."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.e2e.waiting import accepts
from tests.real_sessions.recording.part_failed import PartFailed

START_SECONDS = 60.0
STOP_SECONDS = 15.0
LAST_LINES = 8  # of a log, in the message of a failure


class ServerProcess:
    """A program in a process group of its own, ready once `port` accepts connections (or `ready`
    says so). An async context manager."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        port: int,
        *,
        environment: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        self.name, self._command, self._folder = name, [str(part) for part in command], folder
        self._environment = os.environ | dict(environment or {})
        self._ready = ready or (lambda: accepts(port))
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [*_ends_with_us(), *self._command],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            await self._until_ready(self._process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        # What a server left behind belongs to its group, whose number is that of the server.
        self.signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """To the whole group."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def check(self) -> None:
        """Raises PartFailed where it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise self._failed(f"ended by itself with {self._process.returncode}")

    async def _until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not await asyncio.to_thread(self._ready):
            if process.poll() is not None:
                raise self._failed(f"ended with {process.returncode} at start")
            if asyncio.get_running_loop().time() > deadline:
                raise self._failed(f"not ready after {START_SECONDS:g} s")
            await asyncio.sleep(0.1)

    def _failed(self, why: str) -> PartFailed:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
        said = "".join(f"\n    {line}" for line in lines)
        return PartFailed(
            self.name, f"{why}; its last lines:{said}", f"read {self._log}, try again"
        )


def run(
    name: str, command: Sequence[str | Path], folder: Path, then: str, **environment: str
) -> str:
    """Run a program to its end: what it printed. Raises PartFailed with its last lines."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stdout.splitlines()[-LAST_LINES:]
        said = "".join(f"\n    {line}" for line in lines)
        raise PartFailed(name, f"ended with {done.returncode}; its last lines:{said}", then)
    return done.stdout


def _ends_with_us() -> list[str]:
    """Linux ends the process when the recording is killed and cannot stop it."""
    program = shutil.which("setpriv")
    return [program, "--pdeathsig", "KILL", "--"] if program else []
