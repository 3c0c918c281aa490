"""Threads for calls that may wait for minutes, such as the system's resolver.

They are daemons: a name server that does not answer must not hold up the end of the process, as the
threads of `concurrent.futures` would.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

type Call = Callable[[], None]


class LookupThreads:
    """Runs calls side by side, each on a thread of its own; idle threads are used again.

    How many run at once is the business of the caller. A call must not raise.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._threads = 0

    def run(self, call: Call) -> None:
        """Have a thread call `call` now. Never waits."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            else:
                self._threads += 1
                number = self._threads
                threading.Thread(
                    target=self._work, name=f"{self._name}-{number}", daemon=True
                ).start()
        self._calls.put(call)

    def close(self) -> None:
        """End the threads: each when its call returns."""
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            with self._lock:
                self._idle += 1
