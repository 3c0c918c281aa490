"""What a worker says to its supervisor, sent on a thread: a supervisor that hangs does not read its
end of the pipe, and a worker that waited for it would serve nobody."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import send_handle
from typing import Any

from proxy_addon.runtime.worker_handle import LISTENERS, READY, STATE


class PipeSender:
    """Sends messages in their order; of states that wait only the newest one is sent. Every method
    returns at once, and may be called from any thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._state: Any = None
        self._guard = threading.Lock()
        threading.Thread(target=self._run, name="supervisor-pipe", daemon=True).start()

    def ready(self) -> None:
        """Connections are accepted."""
        self._waiting.put(lambda: self._pipe.send((READY, None)))

    def state(self, report: object) -> None:
        """How this process is doing, in place of a report that still waits."""
        with self._guard:
            is_waiting, self._state = self._state is not None, report
        if not is_waiting:
            self._waiting.put(self._send_state)

    def listeners(self, descriptors: Sequence[int]) -> None:
        """The listening sockets, for a successor. They must stay open."""
        self._waiting.put(lambda: self._send_listeners(descriptors))

    # -- on the thread

    def _run(self) -> None:
        while True:
            send = self._waiting.get()
            with suppress(OSError):  # the supervisor has ended: whoever reads the pipe notices
                send()

    def _send_state(self) -> None:
        with self._guard:
            report, self._state = self._state, None
        self._pipe.send((STATE, report))

    def _send_listeners(self, descriptors: Sequence[int]) -> None:
        self._pipe.send((LISTENERS, len(descriptors)))
        for number in descriptors:
            send_handle(self._pipe, number, os.getppid())
