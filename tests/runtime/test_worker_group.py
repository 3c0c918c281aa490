"""`proxy_addon/runtime/worker_group.py`: several workers, seen by their supervisor."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import cast

import pytest

from proxy_addon.runtime import worker_group
from proxy_addon.runtime.worker_group import SupervisedWorkers
from proxy_addon.runtime.worker_handle import Worker
from proxy_addon.runtime.worker_status import ProcessReport
from proxy_addon.system.dependencies import DependencyReport
from proxy_addon.system.health import FINE, degraded, down


@dataclass
class Child:
    """The process of a worker."""

    pid: int = 4711
    alive: bool = True


@dataclass(eq=False)
class Heard:
    """A worker, as far as a group looks at it; it says something whenever it is listened to, unless
    it is `mute`."""

    index: int
    ready: bool = True
    mute: bool = False
    last_message: float = 0.0
    since: float = 0.0
    report: ProcessReport | None = None
    process: Child = field(default_factory=Child)

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self.process.alive

    def listen(self, now: float) -> None:
        """Note the time."""
        if not self.mute:
            self.last_message = now


class Group:
    """Workers whose supervisor has a clock that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *workers: Heard, old: Heard | None = None):
        self.now, self.ends = 0.0, False
        monkeypatch.setattr(worker_group, "timer", lambda: self.now)
        self.group = SupervisedWorkers(
            {each.index: cast(Worker, each) for each in workers},
            [],
            [] if old is None else [cast(Worker, old)],
            lambda: self.ends,
            "/nowhere",
        )

    def states(self) -> list[str]:
        """The state of each."""
        return [each.state for each in self.group.statuses()]


def test_the_state_of_each_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting, serving, stuck when nothing comes any more, draining when a successor serves; all
    drain at the end."""
    mute, starting, dead = Heard(1, mute=True), Heard(2, ready=False), Heard(3)
    dead.process.alive = False
    found = Group(monkeypatch, Heard(0), mute, starting, dead, old=Heard(0))
    found.now = 4.9
    found.group.listen()
    assert found.states() == ["serving", "serving", "starting", "starting", "draining"]
    found.now = 5.0
    found.group.listen()
    assert found.states() == ["serving", "stuck", "starting", "starting", "draining"]
    found.ends = True
    assert found.states() == ["draining", "stuck", "starting", "starting", "draining"]


def test_a_supervisor_that_stood_still_declares_nobody_stuck(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While it does not listen, it knows nothing new about its workers."""
    found = Group(monkeypatch, Heard(0))
    found.group.listen()
    found.now = 60.0
    assert found.states() == ["serving"]


def test_the_checks_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong in one worker is shown with its number; who has said nothing is not wrong; the
    end of all is the end of the proxy."""
    checks = {"ledger": down("locked"), "rules": FINE}
    told = Heard(1, report=ProcessReport(checks, {}, 0, 0.0))
    found = Group(monkeypatch, Heard(0), told)
    seen = found.group.checks({"proxy": FINE, "ledger": FINE, "rules": degraded("old")})
    assert seen["ledger"].text == "worker 1: locked"
    assert (seen["rules"].detail, seen["workers"], seen["proxy"]) == ("old", FINE, FINE)
    found.ends = True
    assert not found.group.checks({})["proxy"].works
    told.process.alive = False
    assert not Group(monkeypatch, told).group.checks({})["workers"].works


def test_a_worker_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is replaced at once is no matter; one that is missing for longer is said,
    after a minute at the start, and the others serve; when it is back all is well."""
    gone = Heard(1)
    gone.ready = False
    found = Group(monkeypatch, Heard(0), gone)
    for found.now, is_fine in ((0.0, True), (59.9, True), (60.0, False)):
        found.group.listen()
        assert found.group.checks({})["workers"].ok == is_fine  # a start takes longer
    gone.ready = True
    found.now = 100.0
    found.group.listen()
    gone.process.alive = False
    seen = []
    for found.now in (100.0, 104.9, 105.0, 160.0):
        found.group.listen()
        seen.append(found.group.checks({})["workers"])
    assert seen == [FINE, FINE, *[degraded("1 of 2 workers runs")] * 2]
    assert seen[-1].works
    gone.process.alive, gone.ready = True, False
    found.group.listen()
    assert not found.group.checks({})["workers"].ok
    gone.ready = True
    found.group.listen()
    assert found.group.checks({})["workers"] == FINE


def test_dependencies_and_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of all workers are summed up; the processes are this one and those that live."""
    report = ProcessReport({}, {"ledger": DependencyReport(counts={"pending": 2})}, 0, 0.0)
    dead = Heard(1)
    dead.process.alive = False
    found = Group(monkeypatch, Heard(0, report=report), dead).group
    own = {"ledger": DependencyReport(counts={"pending": 1})}
    assert found.dependencies(own)["ledger"].counts == {"pending": 3}
    assert found.pids() == [os.getpid(), 4711]
