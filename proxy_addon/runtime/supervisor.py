"""Several proxy processes on one port: `allowance run --workers N`.

The supervisor serves no proxy traffic. It watches the workers, replaces one that died, restarts
them one after the other on SIGHUP, passes SIGTERM on, and serves the web port: its pages come from
the ledger like any other proxy's, its metrics are the sum of all workers'. Workers are made by a
fork server that has everything imported, so that a new one accepts connections within a fraction of
a second.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from proxy_addon.config.settings import Settings
from proxy_addon.observability.exposition import forget_worker
from proxy_addon.presentation.durations import count
from proxy_addon.runtime.application import Application
from proxy_addon.runtime.handoff_sockets import handoff_sockets
from proxy_addon.runtime.worker_group import SupervisedWorkers
from proxy_addon.runtime.worker_handle import Worker
from proxy_addon.runtime.worker_process import work
from proxy_addon.system.clock import timer
from proxy_addon.system.systemd import Systemd

log = structlog.get_logger("allowance.run")

POLL_SECONDS = 0.1  # seconds between two checks of the workers
MIN_LIFETIME = 2.0  # seconds; a worker that ended sooner is restarted only after a delay
RESTART_DELAY = 1.0
READY_TIMEOUT = 10.0  # seconds that a new worker may take
STUCK_TIMEOUT = 10.0  # seconds without a message after which a worker is killed and replaced
LISTENERS_TIMEOUT = 2.0  # seconds in which a worker hands over its listening sockets


class Supervisor:
    """Keeps `settings.workers` workers running."""

    def __init__(self, settings: Settings, on_running: Callable[[Application], None]) -> None:
        """Raises what `Application` raises: rules, ledger and CA are checked before any worker is
        started."""
        self._settings = settings
        self._on_running = on_running
        self._folder = tempfile.TemporaryDirectory(prefix="allowance-metrics-")
        # Read by prometheus_client when it is imported: by the fork server, not by this process.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = self._folder.name
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["proxy_addon.runtime.worker_process"])
        self._handoff = handoff_sockets(settings, Path(self._folder.name))
        self._workers: dict[int, Worker] = {}
        self._stopping: list[Worker] = []
        self._stop = asyncio.Event()
        self._group = SupervisedWorkers(
            self._workers, self._stopping, self._stop.is_set, self._folder.name
        )
        self._application = Application(settings, worker_group=self._group)
        self._application.load()
        self._restart = asyncio.Event()
        self._systemd = Systemd()
        self._reported_ready = False

    async def run(self) -> int:
        """Serve until a signal comes; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._restart.set)
        self._application.web.start()
        self._application.start(loop)
        for index in range(self._settings.workers):
            self._workers[index] = self._make(index)
        try:
            await self._until(lambda: all(w.ready for w in self._workers.values()), READY_TIMEOUT)
            self._on_running(self._application)
            self._systemd.watch(loop, self._is_alive)
            while not self._stop.is_set():
                await self._supervise()
        finally:
            self._systemd.stopping()
            code = await self._end()
            self._application.web.stop()
            await loop.run_in_executor(None, self._application.stop)
            for each in self._handoff:
                each.close()
            self._folder.cleanup()
        return code

    def _make(self, index: int, listeners: Sequence[socket.socket] = ()) -> Worker:
        own_end, worker_end = self._context.Pipe()
        handoff = Path(self._folder.name), self._handoff[index] if self._handoff else None
        process = self._context.Process(
            target=work,
            args=(self._settings, index, worker_end, tuple(listeners), handoff),
            name=f"worker-{index}",
            daemon=False,
        )
        process.start()
        worker_end.close()
        for listener in listeners:
            listener.close()  # the new process has its own copy
        log.info("worker started", worker=index, process=process.pid)
        return Worker(index, process, own_end, self._application.clock.now())

    async def _supervise(self) -> None:
        self._group.listen()
        if not self._reported_ready and all(w.ready for w in self._workers.values()):
            self._reported_ready = True
            self._ready()
        self._remove([w for w in self._stopping if not w.process.is_alive()])
        self._end_stuck()
        for worker in [w for w in self._workers.values() if not w.process.is_alive()]:
            await self._replace(worker)
        if self._restart.is_set():
            self._restart.clear()
            self._systemd.reloading()
            await self._rolling_restart()
            self._ready()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), POLL_SECONDS)

    def _ready(self) -> None:
        """Tell systemd that all workers serve."""
        self._systemd.ready(f"{count(len(self._workers), 'worker')} at {self._settings.listen}")

    def _is_alive(self) -> bool:
        """What `/livez` says: some worker's event loop turns.

        One that died, is stuck or is starting is replaced here: restarting the whole service would
        take the others away too.
        """
        return any(each.turns for each in self._group.statuses())

    def _end_stuck(self) -> None:
        """A worker whose event loop is stuck serves nobody: it is killed, and replaced like any
        that died."""
        for worker in self._workers.values():
            silent = self._group.silent(worker)
            if worker.ready and worker.process.is_alive() and silent > STUCK_TIMEOUT:
                log.error("worker is stuck", worker=worker.index, seconds=round(silent, 1))
                worker.process.kill()
                worker.process.join(1.0)

    async def _replace(self, ended: Worker) -> None:
        log.error(
            "worker died",
            worker=ended.index,
            process=ended.process.pid,
            code=ended.process.exitcode,
        )
        self._remove([ended])
        if timer() - ended.started < MIN_LIFETIME:
            await asyncio.sleep(RESTART_DELAY)
        self._workers[ended.index] = self._make(ended.index)

    async def _rolling_restart(self) -> None:
        """Start each new worker before stopping the old one, so that one always answers."""
        log.info("restarting workers one after the other")
        for index in list(self._workers):
            old = self._workers[index]
            new = self._make(index, await self._listeners(old))
            self._workers[index] = new
            if not await self._until(lambda new=new: new.ready, READY_TIMEOUT):  # type: ignore[misc]
                log.error("a new worker did not come up; the old ones go on", worker=index)
                self._workers[index] = old
                new.process.kill()
                return
            self._stopping.append(old)
            old.retire()

    async def _listeners(self, worker: Worker) -> list[socket.socket]:
        """Copies of its listening sockets; none when it does not answer."""
        worker.ask_for_listeners()
        deadline = asyncio.get_running_loop().time() + LISTENERS_TIMEOUT
        while not worker.listeners and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(POLL_SECONDS / 4)
            worker.listen(timer())
        return worker.take_listeners()

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline and not self._stop.is_set():
            self._group.listen()
            if condition():
                return True
            await asyncio.sleep(POLL_SECONDS / 4)
        return False

    async def _end(self) -> int:
        all_workers = [*self._workers.values(), *self._stopping]
        for worker in all_workers:
            worker.stop()
        allowed = self._settings.drain_notice + self._settings.drain + 5.0
        deadline = asyncio.get_running_loop().time() + allowed
        while any(w.process.is_alive() for w in all_workers):
            if asyncio.get_running_loop().time() > deadline:
                for worker in all_workers:
                    worker.process.kill()
            self._group.listen()
            await asyncio.sleep(POLL_SECONDS)
        codes = [w.process.exitcode for w in self._workers.values()]
        self._remove(all_workers)
        return 0 if not any(codes) else 1

    def _remove(self, ended: list[Worker]) -> None:
        for worker in ended:
            worker.process.join()
            worker.pipe.close()
            if worker.process.pid is not None:
                forget_worker(worker.process.pid, self._folder.name)
            if worker in self._stopping:
                self._stopping.remove(worker)
