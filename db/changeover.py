"""When connections were lost, and when calls work again: both are moments to connect anew.

A server that became read-only does not close the connection on which the listener waits, and would
never say anything again. And when the listener was quicker than the address, so that it found the
old primary once more, the first call that works tells it.
"""

from __future__ import annotations

import threading

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext


class Changeovers:
    """Counts them for an engine; from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._is_lost = False
        event.listen(engine, "handle_error", self._failed)

    @property
    def number(self) -> int:
        """It grows whenever connections were lost, or calls work again after that."""
        return self._number

    def worked(self) -> None:
        """A call that wrote something went well."""
        if self._is_lost:
            self._count(is_lost=False)

    def _failed(self, context: ExceptionContext) -> None:
        if context.is_disconnect:
            self._count(is_lost=True)

    def _count(self, *, is_lost: bool) -> None:
        with self._lock:
            self._number += 1
            self._is_lost = is_lost
