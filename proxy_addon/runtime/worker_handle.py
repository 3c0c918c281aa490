"""A worker as its supervisor sees it: the process, the pipe to it, and what it has said last.

Whether it runs is asked of the system. multiprocessing only knows what the fork server tells, and
takes all its processes for dead when the fork server has ended.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import recv_handle

from proxy_addon.runtime.worker_status import ProcessReport
from proxy_addon.system.clock import timer

# The kinds of messages between a worker and its supervisor.
READY, STATE, LISTENERS, RETIRE = "ready", "state", "listeners", "retire"
_TOLD_SECONDS = 1.0  # in which the fork server tells of an end
_UNKNOWN = 255  # what multiprocessing says when the fork server did not tell


class Worker:
    """One proxy process, its start, and its last messages."""

    def __init__(
        self, index: int, process: ForkServerProcess, pipe: Connection, since: float
    ) -> None:
        """`since`: the instant at which the process was started."""
        self.index = index
        self.process = process
        self.pipe = pipe
        self.since = since
        self.started = timer()
        self.ready = False
        self.last_message = self.started  # by the timer
        self.report: ProcessReport | None = None  # the last one
        self.listeners: list[socket.socket] = []  # those that it has sent, when all are here
        self._arrived: list[socket.socket] = []
        self.awaited = False  # whether somebody waits for them
        self._coming = 0  # listening sockets that are on their way
        self._stopped = False
        self.is_removed = False  # its pipe is closed, and its metrics are forgotten
        self._pidfd = _pidfd(process)

    def listen(self, now: float) -> None:
        """Read the messages that the worker has sent. `now`: by the timer."""
        with suppress(EOFError, OSError):
            while self.pipe.poll():
                if self._coming:
                    self._receive()
                    continue
                kind, content = self.pipe.recv()
                self.last_message = now
                self.ready = self.ready or kind == READY
                if kind == STATE:
                    self.report = content
                elif kind == LISTENERS:
                    self._coming = content

    def _receive(self) -> None:
        """A listening socket has arrived: each comes by itself, and a worker that is stopped in
        between holds nobody up. Nobody waits any more: close the copy, or the port would stay open
        with nobody behind it."""
        listener = socket.socket(fileno=recv_handle(self.pipe))
        self._coming -= 1
        if self.awaited:
            self._arrived.append(listener)
        else:
            listener.close()
        if not self._coming:
            self.listeners, self._arrived = self._arrived, []

    def ask_for_listeners(self) -> None:
        """Have it send its listening sockets, which its successor goes on with."""
        self.awaited = True
        with suppress(OSError):
            self.pipe.send(LISTENERS)

    def take_listeners(self) -> list[socket.socket]:
        """Those that it has sent; what comes later is closed."""
        self.awaited = False
        for each in self._arrived:  # not all of them came in time
            each.close()
        self._arrived.clear()
        found, self.listeners = self.listeners, []
        return found

    def retire(self) -> None:
        """Tell it that its successor serves, and ask it to drain."""
        with suppress(OSError):
            self.pipe.send(RETIRE)
        self.stop()

    def stop(self) -> None:
        """Ask it to drain. Once: a second signal would end that."""
        if not self._stopped:
            self._stopped = True
            self.end_now()

    def end_now(self) -> None:
        """The signal that has it drain, and that ends its draining."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def is_alive(self) -> bool:
        """Whether its process runs."""
        if self.is_removed:
            return False
        return not self._ended(0.0) if self._pidfd is not None else self.process.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait for its end, as long as that at most."""
        if self._pidfd is not None:
            self._ended(seconds)
        else:
            self.process.join(seconds)

    def exit_code(self) -> int | None:
        """Of a process that has ended; None when nobody knows it."""
        self.process.join(_TOLD_SECONDS)
        code = self.process.exitcode
        return None if code == _UNKNOWN else code

    def close(self) -> None:
        """It has ended: keep nothing of the system's for it."""
        self.is_removed = True
        self.process.join(_TOLD_SECONDS)
        self.pipe.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def _ended(self, seconds: float) -> bool:
        assert self._pidfd is not None
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000.0))

    def _signal(self, number: signal.Signals) -> None:
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)
        elif self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, number)


def _pidfd(process: ForkServerProcess) -> int | None:
    """None where the system has none, and for a process that has ended or was never started."""
    if process.pid is None or not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(process.pid)
    except OSError:
        return None
