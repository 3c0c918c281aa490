"""Connections that wait in the queue of a listening socket.

uvloop accepts one in each round of the event loop, however many wait. A round takes some ten
milliseconds when there is much to do, and in the morning hundreds of people come at once: the last
of them would wait for seconds. So when the loop has accepted one, all others that wait are accepted
with it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

MOST = 64  # connections that one socket gives in one round


class Listening(Protocol):
    """What is used of a server."""

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """Those that listen; none after the server was closed."""


class ListenQueue:
    """The queues of one server. `take` gets each connection that was waiting, which does not
    block."""

    def __init__(self, take: Callable[[socket.socket], None]) -> None:
        self.server: Listening | None = None
        self._take = take
        self._looks = False

    def accepted(self) -> None:
        """The event loop has accepted one."""
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looks = False
        if self.server is None:
            return
        for listening in self.server.sockets:
            if not self._accept(listening.fileno()):
                self.accepted()  # there may be more of them in the next round

    def _accept(self, descriptor: int) -> bool:
        """Take those that wait; False: as many as may come at once."""
        if descriptor < 0:
            return True
        listening = socket.socket(fileno=descriptor)
        try:
            for _ in range(MOST):
                with suppress(ConnectionAbortedError):
                    found, _ = listening.accept()
                    found.setblocking(False)
                    self._take(found)
        except OSError:  # nobody waits, or nobody can be accepted now: the event loop says why
            return True
        finally:
            listening.detach()  # it is the event loop's
        return False
