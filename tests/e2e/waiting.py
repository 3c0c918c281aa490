"""Bounded waits: poll a condition, never sleep and hope."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress


def until[T](
    condition: Callable[[], T], what: str, timeout: float = 10.0, every: float = 0.05
) -> T:
    """The first true value of `condition`; AssertionError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for: {what}")
        time.sleep(every)


def free_port() -> int:
    """A loopback port that nobody listens on, for the caller alone.

    It lies below those that the system gives to connections, and in a part of its own for each
    process of a test run: nobody takes it before it is used, or once its server has ended.
    """
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _own_ports() -> Iterator[int]:
    """The ports of this process, again and again, from a place that its number gives."""
    worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or 0)
    first = _FIRST_PORT + worker % _WORKERS * _PORTS_EACH
    start = os.getpid() % _PORTS_EACH
    for number in range(start, start + 100 * _PORTS_EACH):
        yield first + number % _PORTS_EACH


_FIRST_PORT, _PORTS_EACH, _WORKERS = 12_000, 2_000, 10
_PORTS = _own_ports()


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    """True when something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
