"""Notifies systemd, where it started this process (`Type=notify`): ready, reloading, stopping,
alive.

The protocol is datagrams of `NAME=VALUE` lines to the socket that `NOTIFY_SOCKET` names. Without
that variable nothing is sent, and a message that cannot be sent is no reason to stop serving:
systemd decides what follows.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

_SIGNALS_PER_TIMEOUT = 4  # watchdog signals within the timeout; systemd advises at least two


class Systemd:
    """The service manager of this process. Harmless where there is none."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self.watchdog = _watchdog(environment) if self._address else None
        """The watchdog timeout, seconds; None where systemd expects no signals."""

    def ready(self, status: str) -> None:
        """The process serves, or has finished a reload. `status` is the line that
        `systemctl status` shows."""
        self._send("READY=1", f"STATUS={' '.join(status.split())}")

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}")

    def stopping(self) -> None:
        """The end has begun: no new connections."""
        self._send("STOPPING=1", "STATUS=Running answers may finish")

    def watch(
        self, loop: asyncio.AbstractEventLoop, is_well: Callable[[], bool] = lambda: True
    ) -> None:
        """Send watchdog signals from this event loop from now on, while `is_well()` is true."""
        if self.watchdog is None:
            return
        if is_well():
            self._send("WATCHDOG=1")
        loop.call_later(self.watchdog / _SIGNALS_PER_TIMEOUT, self.watch, loop, is_well)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
        ):
            out.setblocking(False)  # a full queue must not hold up the event loop
            out.sendto("\n".join(lines).encode(), self._address)


def _address(text: str) -> str:
    """A path, or an abstract name, which is written with `@` for its zero byte; "" for what we
    cannot reach."""
    if text.startswith("@"):
        return f"\0{text[1:]}"
    return text if text.startswith("/") else ""


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """The time systemd waits, where it waits for this very process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isascii() and text.isdigit() and int(text) > 0 else None
