"""The event loop of a proxy waits for no disk, pipe, name or process: every call of a real one that
could is seen by a profiler (`loop_guard/`), and there is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.office import office, policy
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy
from tests.e2e.waiting import until

PASSWORD = "a long enough password"
DORA = f"dora:{PASSWORD}"
PEOPLE = "default_role: staff\nroles: {staff: {}}\ndevices: {127.0.3.1: pat, 127.0.3.2: kim}\n"
LIMITED = ("https://www.facebook.com/", "https://x.com/", "https://www.tiktok.com/")
PASSED = ("https://work.example/", "http://news.example/", "https://innocent.example/")
PAGES = ("/", "/me.json", "/opens", "/why", "/device", "/ca.pem", "/proxy.pac", "/nowhere")

# Calls that are not waits, each with its reason: what is called, and a part of where from.
EXEMPT = {
    ("_socket.getaddrinfo", "resolver.py"): "a number is read (AI_NUMERICHOST): nobody is asked",
}


class Guarded:
    """A proxy whose event loop is watched."""

    def __init__(self, proxy: OfficeProxy, seen: Path) -> None:
        self.proxy = proxy
        self._seen = seen

    @property
    def pid(self) -> int:
        """The process that serves."""
        return int(json.loads(self.proxy.web("/statusz")[1])["workers"][0]["pid"])

    def watch(self, what: Callable[[], None]) -> list[str]:
        """The calls that were seen while something was done."""
        begun = self.lines().count("begin")
        os.kill(self.pid, signal.SIGUSR1)
        until(lambda: self.lines().count("begin") > begun, "the profiler")
        what()
        time.sleep(2.5)  # heartbeats, flushes and messages to the supervisor
        os.kill(self.pid, signal.SIGUSR2)
        until(lambda: self.lines().count("end") > begun, "its end")
        return [line for line in self.lines() if line not in ("begin", "end") and not exempt(line)]

    def lines(self) -> list[str]:
        """All that was seen."""
        return self._seen.read_text("utf-8").splitlines()


def told(lines: list[str]) -> str:
    """Each call once, in short."""
    return "\n".join(sorted({line[:700] for line in lines})[:10])


def exempt(line: str) -> bool:
    """Whether a call is on the list."""
    what, _, where = line.partition(" < ")
    return any(what == name and part in where for name, part in EXEMPT)


@pytest.fixture(
    params=[pytest.param(1, marks=pytest.mark.long), 2], ids=["one process", "a worker"]
)
def guarded(
    request: pytest.FixtureRequest,
    origins: Origins,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Guarded]:
    """A proxy with all that writes: a ledger, a journal, a log, a decision log; people who sign in
    and people who are known by their devices."""
    settings = {
        "workers": request.param,
        "front-proxies": [],
        "log-level": "debug",
        "decision-log": str(tmp_path / "decisions"),
    }
    proxy = office(tmp_path, origins, policy("300s"), PEOPLE, settings)
    assert proxy.cli("people", "add", "dora", "--password-stdin", stdin=PASSWORD).returncode == 0
    guarding = guard_environment(proxy.environment(), tmp_path / "seen")
    monkeypatch.setattr(proxy, "environment", lambda: guarding)
    with proxy:
        until(lambda: '"status":"ok"' in proxy.web("/statusz")[1], "all workers", 60)
        yield Guarded(proxy, tmp_path / "seen")


def guard_environment(given: dict[str, str], seen: Path) -> dict[str, str]:
    """The environment of a process that is watched."""
    paths = [str(Path(__file__).with_name("loop_guard")), given.get("PYTHONPATH", "")]
    return given | {"PYTHONPATH": os.pathsep.join(paths), "LOOP_GUARD": str(seen)}


def browse(proxy: OfficeProxy, *, source: str = "127.0.3.1", user: str | None = None) -> None:
    """Passed on, limited, blocked, our own pages, a site that cannot be reached."""
    client, trust = proxy.client, proxy.origins.ca_file
    for url in PASSED:
        assert client.get(url, source=source, user=user, trust=trust).status == 200
    for url in LIMITED:
        assert client.open(url, source=source, user=user).status in (200, 403)
    for page in PAGES:
        client.get(f"http://allowance.internal{page}", source=source, user=user)
    client.get("https://gone.example/", source=source, user=user)
    client.tunnel("echo.example", source="127.0.3.2")[1].close()


@pytest.mark.timeout(400)
def test_the_loop_waits_for_nothing(guarded: Guarded) -> None:
    """Neither when everything is done for the first time nor again, by somebody else who signs in;
    nor when rules change."""
    proxy = guarded.proxy
    first = guarded.watch(lambda: browse(proxy))
    assert first == [], told(first)
    again = guarded.watch(lambda: browse(proxy, source="127.0.8.1", user=DORA))
    assert again == [], told(again)

    def change() -> None:
        rules = proxy.rules / "policy.yaml"
        rules.write_text(rules.read_text() + "\n# changed\n")
        time.sleep(2.0)
        rules.write_text("wrong: {}\n")
        until(lambda: "degraded" in proxy.web("/readyz")[1], "the bad edit", 30)

    changed = guarded.watch(change)
    assert changed == [], told(changed)


def test_the_guard_sees(tmp_path: Path) -> None:
    """What it looks for it finds: files, pipes, names, programs, sleep; and no work in memory."""
    seen = tmp_path / "seen"
    program = """
import io, os, signal, socket, subprocess, time
os.kill(os.getpid(), signal.SIGUSR1)
with open("file", "w") as file:
    file.write("x")
    os.fsync(file.fileno())
os.stat("/")
os.write(1, b"x")
time.sleep(0)
socket.getaddrinfo("127.0.0.1", 80)
one, other = socket.socketpair()
one.send(b"x")
other.setblocking(False)
other.recv(1)
io.BytesIO(b"x").read()
subprocess.run(["true"])
"""
    environment = guard_environment(dict(os.environ), seen)
    subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    found = {line.partition(" < ")[0] for line in seen.read_text().splitlines()} - {"begin"}
    assert {
        "_io.open",
        "TextIOWrapper.write",
        "posix.fsync",
        "posix.stat",
        "posix.write",
        "time.sleep",
        "_socket.getaddrinfo",
        "socket.send",
    } <= found
    assert "_posixsubprocess.fork_exec" in found
    assert "socket.recv" not in found
    assert not any(name.startswith("BytesIO") for name in found)
