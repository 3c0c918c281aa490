"""Two threads beside a Postgres ledger: one hears at once what others wrote, one ends calls that never return."""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine

CHANNEL: Final = "allowance"
AGAIN_SECONDS: Final = 2.0  # until the next try to listen
BREAK_SECONDS: Final = 20.0  # longer than a statement may take at all (db/postgres.py)
LOOK_SECONDS: Final = 1.0
_NOTIFY: Final = text("SELECT pg_notify(:channel, :payload)")


type Connect = Callable[[], psycopg.Connection[Any]]


class Calls:
    """Which calls are under way, and the connections of an engine, so that a call which hangs can be ended.

    The server ends a statement that is slow. But a server that is frozen, or a network that swallows what we
    send while it confirms it, would leave us waiting for ever: the driver has no clock for that.
    """

    def __init__(self, engine: Engine) -> None:
        self._connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self._began: dict[object, float] = {}
        self._lock = threading.Lock()
        event.listen(engine, "connect", lambda connection, _: self._connections.add(connection))

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
        """End every connection when a call has been under way for longer than `after` seconds: the call fails,
        idle ones are replaced at their next use. Whether there was such a call."""
        with self._lock:
            hangs = any(time.monotonic() - began > after for began in self._began.values())
        for connection in list(self._connections) if hangs else ():
            with suppress(OSError, psycopg.Error):
                _shut(connection.fileno())
        return hangs


class Attendant:
    """The two threads. `on_call` is called on one of them whenever another node has written something."""

    def __init__(self, connect: Connect, calls: Calls, node: str, on_call: Callable[[], None]) -> None:
        self._connect, self._calls, self._node, self._on_call = connect, calls, node, on_call
        self._stopping = threading.Event()
        # Daemons: neither holds anything that has to be finished.
        for name, work in (("ledger-listener", self._listen), ("ledger-watch", self._watch)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def stop(self) -> None:
        """End both, within a second."""
        self._stopping.set()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            self._calls.break_off()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            # Whatever is wrong, the writer meets it too and tells. News are read once a second all the same.
            with suppress(psycopg.Error, OSError):
                self._listen_once()
            self._stopping.wait(AGAIN_SECONDS)

    def _listen_once(self) -> None:
        with self._connect() as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._on_call()  # what was said while nobody listened
            while not self._stopping.is_set():
                for note in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                    if note.payload != self._node:
                        self._on_call()


def call(connection: Connection, node: str) -> None:
    """Tell all who listen, when this transaction commits, that `node` has written something."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": node})


def _shut(file: int) -> None:
    """End a connection under the hands of the thread that waits for it, which then sees its end."""
    with socket.socket(fileno=os.dup(file)) as copy:
        copy.shutdown(socket.SHUT_RDWR)
