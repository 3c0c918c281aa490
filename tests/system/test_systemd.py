"""What systemd is told, at real datagram sockets."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.system.systemd import Systemd


class Manager:
    """The socket of a service manager; `address` is what it puts into NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))
        self._socket.setblocking(False)

    def heard(self) -> list[list[str]]:
        """The lines of each message since the last call."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return found

    def close(self) -> None:
        """Gone."""
        self._socket.close()


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """One manager with a file as its socket, one with a name that no file system knows."""
    name = (
        f"@allowance-{secrets.token_hex(8)}"
        if request.param == "abstract"
        else str(tmp_path / "notify")
    )
    made = Manager(name)
    yield made
    made.close()


def test_the_life_of_a_service(manager: Manager) -> None:
    """Ready, reloading with its instant, ready again, stopping: each is one message that systemd
    understands."""
    systemd = Systemd({"NOTIFY_SOCKET": manager.address})
    before = time.monotonic()
    systemd.ready("12 rules\nin force")
    systemd.reloading()
    systemd.ready("13 rules in force")
    systemd.stopping()
    first, reloading, second, stopping = manager.heard()
    assert first == ["READY=1", "STATUS=12 rules in force"]
    assert second == ["READY=1", "STATUS=13 rules in force"]
    assert stopping[0] == "STOPPING=1"
    assert reloading[0] == "RELOADING=1"
    name, _, microseconds = reloading[1].partition("=")
    assert name == "MONOTONIC_USEC"
    assert before - 0.001 <= int(microseconds) / 1e6 <= time.monotonic()


async def test_signs_of_life(manager: Manager) -> None:
    """They come by themselves while the loop turns, not while it is stuck, and not while something
    is not well."""
    well = True
    systemd = Systemd({"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"})
    assert systemd.watchdog == 0.2
    systemd.watch(asyncio.get_running_loop(), lambda: well)
    came: list[list[str]] = []
    while len(came) < 3:
        await asyncio.sleep(0.02)
        came += manager.heard()
    assert came == [["WATCHDOG=1"]] * len(came)
    manager.heard()
    time.sleep(0.3)  # noqa: ASYNC251 - a stuck loop is what this is about
    assert manager.heard() == []
    well = False
    await asyncio.sleep(0.15)
    assert manager.heard() == []
    well = True
    while not manager.heard():
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_who_is_watched(given: dict[str, str], seconds: float | None) -> None:
    """Signs of life are wanted only of the process that systemd means, and only where it says how
    often."""
    assert Systemd({"NOTIFY_SOCKET": "/run/nobody", **given}).watchdog == seconds


@pytest.mark.parametrize(
    "address", ["", "/nonexistent/notify", "vsock:2:1234", "@nobody-listens-here"]
)
async def test_without_a_manager(address: str) -> None:
    """Started by hand, or with a manager that is gone or out of reach: nothing happens, nothing
    fails."""
    systemd = Systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    systemd.ready("here")
    systemd.reloading()
    systemd.stopping()
    systemd.watch(asyncio.get_running_loop())
    assert (systemd.watchdog is None) == (address[:1] not in ("/", "@"))


def test_a_manager_that_does_not_read(manager: Manager) -> None:
    """A full queue loses a message and does not block who sends it."""
    systemd = Systemd({"NOTIFY_SOCKET": manager.address})
    for _ in range(5000):
        systemd.ready("again")
    assert manager.heard()


def test_the_environment_is_asked(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without arguments it is the environment of the process that counts."""
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    Systemd().ready("here")
    assert manager.heard() == [["READY=1", "STATUS=here"]]
