"""The event loop, for threads that do not know whether it runs: calls are handed over, or
dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LoopHandle:
    """Nothing is called before `attach` and after `detach`. `call` is for any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on calls reach `loop`."""
        self._loop = loop

    def detach(self) -> None:
        """From now on calls reach nobody."""
        self._loop = None

    def call[*Args](self, what: Callable[[*Args], object], *args: *Args) -> None:
        """Have the loop call something soon, where there is one."""
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(what, *args)

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """The same after some seconds. On the loop only."""
        if (loop := self._loop) is not None:
            loop.call_later(seconds, what)
