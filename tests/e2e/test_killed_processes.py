"""kill -9 and SIGSTOP of the processes behind `allowance run --workers N`: nothing of them stays,
and a new start needs nobody who tidies up first."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.office import office
from tests.e2e.origins import Origins
from tests.e2e.process import OfficeProxy, family
from tests.e2e.rolling import PAGE, SITE, Load
from tests.e2e.waiting import accepts, until

pytestmark = pytest.mark.timeout(400)  # each starts several processes, some of them twice
SETTINGS = {"workers": 2, "front-proxies": [], "drain": "4s", "drain-notice": "6s"}
SEATS = ("127.0.6.1", "127.0.6.2", "127.0.6.3", "127.0.6.4")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files; names of sockets in it must not be long."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture
def proxy(origins: Origins, tmp_path: Path, temporary: Path) -> Iterator[OfficeProxy]:
    """Two workers, with a folder for temporary files of their own."""
    with office(tmp_path / "office", origins, settings=SETTINGS) as started:
        until(lambda: "Allowance is running" in started.log, "the start notice", 60)
        yield started


def main(proxy: OfficeProxy) -> int:
    """The process id of the supervisor."""
    assert proxy.process is not None
    return proxy.process.pid


def workers(proxy: OfficeProxy) -> list[int]:
    """The process ids of all workers that were ever started."""
    return [
        int(pid) for pid in re.findall(r'"process": (\d+), "event": "worker started"', proxy.log)
    ]


def running(pids: list[int]) -> list[int]:
    """Those of these processes that have not ended."""
    return [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()]


def statuses(proxy: OfficeProxy) -> set[int]:
    """What devices of all workers get from an ordinary site."""
    client, trust = Client(proxy.port, proxy.ca_file), proxy.origins.ca_file
    return {client.get("https://work.example/", trust=trust, source=seat).status for seat in SEATS}


def test_a_new_start_takes_the_port_over(proxy: OfficeProxy, temporary: Path) -> None:
    """kill -9 of the supervisor: its workers serve until they have drained, a start meanwhile does
    not find the port taken, and afterwards no process and no folder of before is there."""
    before = family(main(proxy))
    assert len(before) == 5  # supervisor, resource tracker, fork server, two workers
    os.kill(main(proxy), signal.SIGKILL)
    assert proxy.process is not None
    proxy.process.wait(5)
    assert statuses(proxy) == {200}
    held = workers(proxy)[0]
    os.kill(held, signal.SIGSTOP)  # however long the start takes, the port is still held
    try:
        proxy.start()
    finally:
        os.kill(held, signal.SIGCONT)
    assert "still hold the port" in proxy.log
    assert "already in use" not in proxy.log
    until(lambda: proxy.log.count("Allowance is running") == 2, "the start notice", 60)
    until(lambda: not running(before), "the end of all processes of before", 30)
    assert statuses(proxy) == {200}
    code, _ = proxy.stop(30)
    assert code == 0
    assert list(temporary.iterdir()) == []


def serving(proxy: OfficeProxy) -> int:
    """How many workers serve."""
    answer = json.loads(proxy.web("/statusz")[1])
    return sum(worker["state"] == "serving" for worker in answer["workers"])


def failures_during(proxy: OfficeProxy, step: Callable[[], None]) -> list[str]:
    """What goes wrong for clients with new connections while something happens."""

    async def both() -> list[str]:
        load = Load(proxy.port, b"")
        async with asyncio.TaskGroup() as clients:
            for address in (PAGE, SITE):
                clients.create_task(load.new_connections(address, address, "127.0.6.1"))
            await asyncio.to_thread(step)
            async with asyncio.timeout(60):
                while not load.failures and min(load.answers.values()) < 50:
                    await asyncio.sleep(0.1)
            load.done = True
        return load.failures

    return asyncio.run(both())


@pytest.mark.long
def test_what_workers_are_made_of_is_gone(proxy: OfficeProxy, temporary: Path) -> None:
    """kill -9 of the fork server, then the folder that workers share is removed: no connection
    fails, all workers get another folder, and whoever dies afterwards has a successor."""
    first = workers(proxy)
    forks = next(pid for pid in family(main(proxy)) if set(family(pid)[1:]) == set(first))

    def kill_fork_server() -> None:
        os.kill(forks, signal.SIGKILL)
        until(lambda: not running([forks]), "the end of the fork server")
        until(lambda: len(family(main(proxy))) == 3, "another fork server")

    def remove_folder() -> None:
        shutil.rmtree(next(temporary.iterdir()))
        until(lambda: len(workers(proxy)) == 5 and serving(proxy) == 2, "all successors", 90)
        until(lambda: not running(first), "the end of the first workers", 30)

    assert failures_during(proxy, kill_fork_server) == []
    assert running(first) == first and len(workers(proxy)) == 2
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(workers(proxy)) == 3 and serving(proxy) == 2, "a successor", 60)
    assert failures_during(proxy, remove_folder) == []
    assert proxy.log.count("the folder of the workers is damaged") == 1
    os.kill(workers(proxy)[-1], signal.SIGKILL)
    until(lambda: len(workers(proxy)) == 6 and serving(proxy) == 2, "a successor", 60)
    assert statuses(proxy) == {200}
    assert "allowance_connections" in proxy.web("/metrics")[1]
    code, _ = proxy.stop(30)
    assert code == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.long
def test_all_that_could_tidy_up_is_killed(proxy: OfficeProxy, temporary: Path) -> None:
    """Supervisor, fork server, resource tracker and one worker are killed at once: the other worker
    ends by itself, and removes what they shared."""
    before = family(main(proxy))
    kept = workers(proxy)[0]
    for pid in before:
        if pid != kept:
            os.kill(pid, signal.SIGKILL)
    assert proxy.process is not None
    proxy.process.wait(5)
    until(lambda: not running(before), "the end of the last worker", 30)
    assert not accepts(proxy.port)
    assert list(temporary.iterdir()) == []
    proxy.start()
    assert statuses(proxy) == {200}


@pytest.mark.long
def test_a_stopped_supervisor(proxy: OfficeProxy) -> None:
    """SIGSTOP of the supervisor: its workers serve as before, and when it goes on none of them is
    taken for stuck."""
    before = workers(proxy)
    os.kill(main(proxy), signal.SIGSTOP)
    try:
        assert statuses(proxy) == {200}
        assert statuses(proxy) == {200}
    finally:
        os.kill(main(proxy), signal.SIGCONT)
    until(lambda: proxy.web("/readyz")[0] == 200, "readiness")
    assert "is stuck" not in proxy.log
    assert workers(proxy) == before


def test_a_start_that_fails(proxy: OfficeProxy, temporary: Path) -> None:
    """A second supervisor at a port whose supervisor lives is refused, and so is one with broken
    rules: one line, no folder, and no process that goes on."""
    folders = set(temporary.iterdir())
    second = proxy.attempt(60, web="127.0.0.1:0")
    assert second.returncode == 1
    assert "Address already in use; choose another with --listen" in second.stderr
    broken = proxy.attempt(60, web="127.0.0.1:0", listen="127.0.0.1:0", rules="/nowhere")
    assert broken.returncode == 1
    assert set(temporary.iterdir()) == folders
    assert statuses(proxy) == {200}


def test_a_kill_while_workers_start(origins: Origins, tmp_path: Path) -> None:
    """kill -9 of the supervisor before its workers serve: they end at once."""
    proxy = office(tmp_path / "office", origins, settings=SETTINGS)
    proxy.ready = lambda: "worker started" in proxy.log  # type: ignore[method-assign]
    with proxy:
        before = family(main(proxy))
        os.kill(main(proxy), signal.SIGKILL)
        assert proxy.process is not None
        proxy.process.wait(5)
        until(lambda: not running(before), "the end of all processes", 30)
