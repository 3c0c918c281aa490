"""Database calls in flight: ends one that hangs. Also notifies other nodes of writes."""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine

CHANNEL: Final = "allowance"
BREAK_SECONDS: Final = 20.0  # longer than a statement may take at all (db/postgres.py)
_NOTIFY: Final = text("SELECT pg_notify(:channel, :payload)")


class CallWatchdog:
    """Which calls are under way, and the connections of an engine, so that a call which hangs can
    be ended.

    The server ends a statement that is slow. But a server that is frozen, or a network that
    swallows what we send while it confirms it, would leave us waiting without end: the driver has
    no timeout for that.
    """

    def __init__(self, engine: Engine) -> None:
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._began: dict[object, float] = {}
        self._lock = threading.Lock()
        # Before anybody asks the first connection something.
        for moment in ("first_connect", "connect"):
            event.listen(engine, moment, lambda connection, _: self.watch(connection), insert=True)

    def watch(self, connection: Any) -> None:
        """End this connection too, when a call hangs."""
        self._connections.add(connection)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """One call, from here to there."""
        token = object()
        with self._lock:
            self._began[token] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._began[token]

    def break_off(self, after: float = BREAK_SECONDS) -> bool:
        """End every connection when a call has been under way for longer than `after` seconds: the
        call fails, idle ones are replaced at their next use. Whether there was such a call."""
        with self._lock:
            hangs = any(time.monotonic() - began > after for began in self._began.values())
        for connection in list(self._connections) if hangs else ():
            _shut(connection)
        return hangs


def notify(connection: Connection, node: str) -> None:
    """Notify all listeners, when this transaction commits, that `node` has written something."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": node})


def _shut(connection: Any) -> None:
    """Shut down the socket of a connection, so that the thread that waits for it gets an error."""
    with (
        suppress(OSError, connection.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as copy,
    ):
        copy.shutdown(socket.SHUT_RDWR)
