"""`allowance run` as a service of systemd: what the real process tells a real socket, and when it
stops telling."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

WATCHDOG = 2.0  # seconds; a sign of life comes four times as often


class Manager:
    """The end of systemd: every message, in order. `wait` goes on behind the message that it found
    last."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._heard, self._read = list[str](), 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(file))
        self._socket.setblocking(False)

    @property
    def messages(self) -> list[str]:
        """All until now."""
        with suppress(BlockingIOError):
            while True:
                self._heard.append(self._socket.recv(4096).decode())
        return self._heard

    def wait(self, start: str, timeout: float = 20.0) -> str:
        """The next message that begins so."""

        def found() -> str:
            for place, message in enumerate(self.messages[self._read :], self._read + 1):
                if message.startswith(start):
                    self._read = place
                    return message
            return ""

        return until(found, f"the message {start}", timeout)

    def close(self) -> None:
        """Gone."""
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """A manager that what is started here finds in its environment."""
    made = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(made.file))
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG * 1e6)))
    yield made
    made.close()


def test_a_service(manager: Manager, origins: Origins, tmp_path: Path) -> None:
    """Ready when it serves, alive all the while, a reload with its outcome, and the beginning of
    the end."""
    with office(tmp_path / "office", origins) as proxy:
        assert "rules: ok" in manager.wait("READY=1")
        manager.wait("WATCHDOG=1")
        manager.wait("WATCHDOG=1")
        (proxy.rules / "policy.yaml").write_text("version: 9\n")
        until(lambda: "degraded" in proxy.web("/readyz")[1], "the refusal")
        _hang_up(proxy)
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", manager.wait("RELOADING=1"))
        assert "the old ones are in force" in manager.wait("READY=1")
        code, _ = proxy.stop()
        assert code == 0
        assert manager.wait("STOPPING=1")


@pytest.mark.long
def test_workers(manager: Manager, origins: Origins, tmp_path: Path) -> None:
    """Ready when all workers are; silent while one is stuck, which is then replaced; a roll is a
    reload."""
    settings = {"workers": 2, "front-proxies": [], "drain": "1s"}
    with office(tmp_path / "office", origins, policy(), None, settings) as proxy:
        manager.wait("READY=1\nSTATUS=2 workers")
        first = _workers(proxy)
        assert len(first) == 2
        manager.wait("WATCHDOG=1")
        os.kill(first[1], signal.SIGSTOP)
        stopped, before = time.monotonic(), len(manager.messages)
        # Read meanwhile: the queue of a socket may be short.
        until(
            lambda: manager.messages and "worker is stuck" in proxy.log,
            "the supervisor to notice",
            40,
        )
        lasted = time.monotonic() - stopped
        covered = manager.messages[before:].count("WATCHDOG=1") * WATCHDOG / 4
        assert covered < 0.8 * lasted  # patience for the half of that time, then silence
        until(lambda: _workers(proxy)[1] != first[1], "a new worker")
        manager.wait("WATCHDOG=1")
        _hang_up(proxy)
        manager.wait("RELOADING=1")
        manager.wait("READY=1")
        assert _workers(proxy)[0] != first[0]
        assert proxy.stop()[0] == 0
        assert manager.wait("STOPPING=1")


def _hang_up(proxy: OfficeProxy) -> None:
    assert proxy.process is not None
    os.kill(proxy.process.pid, signal.SIGHUP)


def _workers(proxy: OfficeProxy) -> dict[int, int]:
    """Worker number -> process id, of those that were started last."""
    found = re.findall(r'"worker": (\d+), "process": (\d+), "event": "worker started"', proxy.log)
    return {int(number): int(pid) for number, pid in found}
