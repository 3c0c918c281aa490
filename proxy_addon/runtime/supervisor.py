"""Several proxy processes on one port: `allowance run --workers N`.

The supervisor serves no proxy traffic. It watches the workers, replaces one that died, restarts them one after the
other on SIGHUP, passes SIGTERM on, and serves the web port: its pages come from the ledger like any other proxy's,
its metrics are the sum of all workers'. Workers are made by a fork server that has everything imported, so that a
new one accepts connections within a fraction of a second.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import structlog

from proxy_addon.config.settings import Settings
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.observability.exposition import Counted, forget_worker, workers
from proxy_addon.runtime.application import Application
from proxy_addon.system import logging_setup as logs
from proxy_addon.system import reuseport
from proxy_addon.system.health import FINE, PartHealth, down
from proxy_addon.system.systemd import Systemd

log = structlog.get_logger("allowance.run")

LOOK = 0.1  # seconds between two looks at the workers
QUICK_DEATH = 2.0  # seconds; a worker that lives shorter is made again only after a pause
PAUSE = 1.0
READY = 10.0  # seconds that a new worker may take
ANSWERS = 5.0  # seconds; a worker whose loop turns says something once a second
STUCK = (
    10.0  # seconds of silence after which a worker is killed, so that a new one can take its place
)
_READY, _STATE = "ready", "state"


class Worker:
    """One proxy process, its age, and what it last said of itself."""

    def __init__(
        self, index: int, process: ForkServerProcess, pipe: Connection, started: float
    ) -> None:
        self.index = index
        self.process = process
        self.pipe = pipe
        self.started = started
        self.ready = False
        self.heard = started
        self.checks: dict[str, PartHealth] = {}

    def listen(self, now: float) -> None:
        """Take in what the worker has said."""
        with suppress(EOFError, OSError):
            while self.pipe.poll():
                kind, content = self.pipe.recv()
                self.heard = now
                self.ready = self.ready or kind == _READY
                if kind == _STATE:
                    self.checks = content

    def stop(self) -> None:
        """Ask it to drain."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, signal.SIGTERM)


class Supervisor:
    """Keeps `settings.workers` workers running."""

    def __init__(self, settings: Settings, on_running: Callable[[Application], None]) -> None:
        """Raises what `Application` raises: rules, ledger and CA are proved before any worker is made."""
        self._settings = settings
        self._on_running = on_running
        self._folder = tempfile.TemporaryDirectory(prefix="allowance-metrics-")
        # Read by prometheus_client when it is imported: by the fork server, not by this process.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = self._folder.name
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["proxy_addon.runtime.application", "proxy_addon.runtime.supervisor"]
        )
        self._workers: dict[int, Worker] = {}
        self._leaving: list[Worker] = []
        self._application = Application(settings, fleet=self)
        self._application.load()
        self._stop = asyncio.Event()
        self._restart = asyncio.Event()
        self._systemd = Systemd()
        self._told_ready = False

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
            await self._until(lambda: all(w.ready for w in self._workers.values()), READY)
            self._on_running(self._application)
            self._systemd.watch(loop, self._well)
            while not self._stop.is_set():
                await self._watch()
        finally:
            self._systemd.stopping()
            code = await self._end()
            self._application.web.stop()
            await loop.run_in_executor(None, self._application.stop)
            self._folder.cleanup()
        return code

    def _make(self, index: int) -> Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(
            target=work, args=(self._settings, index, there), name=f"worker-{index}", daemon=False
        )
        process.start()
        there.close()
        log.info("worker started", worker=index, process=process.pid)
        return Worker(index, process, here, asyncio.get_running_loop().time())

    async def _watch(self) -> None:
        now = asyncio.get_running_loop().time()
        for worker in (*self._workers.values(), *self._leaving):
            worker.listen(now)
        if not self._told_ready and all(w.ready for w in self._workers.values()):
            self._told_ready = True
            self._ready()
        self._bury([w for w in self._leaving if not w.process.is_alive()])
        self._end_stuck(now)
        for worker in [w for w in self._workers.values() if not w.process.is_alive()]:
            await self._replace(worker)
        if self._restart.is_set():
            self._restart.clear()
            self._systemd.reloading()
            await self._roll()
            self._ready()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), LOOK)

    def _ready(self) -> None:
        """systemd is told: all workers serve."""
        self._systemd.ready(f"{len(self._workers)} workers at {self._settings.listen}")

    def _well(self) -> bool:
        """Some worker serves, and each one that serves is heard of.

        One that died or is coming up is our own business: a restart of everything would help nobody.
        """
        now = asyncio.get_running_loop().time()
        serving = [w for w in self._workers.values() if w.ready and w.process.is_alive()]
        return bool(serving) and all(now - w.heard < ANSWERS for w in serving)

    def _end_stuck(self, now: float) -> None:
        """A worker whose loop does not turn serves nobody: it is killed, and replaced like any that died."""
        for worker in self._workers.values():
            if worker.ready and worker.process.is_alive() and now - worker.heard > STUCK:
                log.error(
                    "worker is stuck", worker=worker.index, seconds=round(now - worker.heard, 1)
                )
                worker.process.kill()
                worker.process.join(1.0)

    async def _replace(self, dead: Worker) -> None:
        log.error(
            "worker died", worker=dead.index, process=dead.process.pid, code=dead.process.exitcode
        )
        self._bury([dead])
        if asyncio.get_running_loop().time() - dead.started < QUICK_DEATH:
            await asyncio.sleep(PAUSE)
        self._workers[dead.index] = self._make(dead.index)

    async def _roll(self) -> None:
        """A new worker first, then the old one may go: there is always one that answers."""
        log.info("restarting workers one after the other")
        for index in list(self._workers):
            old, new = self._workers[index], self._make(index)
            self._workers[index] = new
            if not await self._until(lambda new=new: new.ready, READY):  # type: ignore[misc]
                log.error("a new worker did not come up; the old ones go on", worker=index)
                self._workers[index] = old
                new.process.kill()
                return
            self._leaving.append(old)
            old.stop()

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline and not self._stop.is_set():
            for worker in self._workers.values():
                worker.listen(asyncio.get_running_loop().time())
            if condition():
                return True
            await asyncio.sleep(LOOK / 4)
        return False

    async def _end(self) -> int:
        everybody = [*self._workers.values(), *self._leaving]
        for worker in everybody:
            worker.stop()
        deadline = asyncio.get_running_loop().time() + self._settings.drain + 5.0
        while any(w.process.is_alive() for w in everybody):
            if asyncio.get_running_loop().time() > deadline:
                for worker in everybody:
                    worker.process.kill()
            await asyncio.sleep(LOOK)
        codes = [w.process.exitcode for w in self._workers.values()]
        self._bury(everybody)
        return 0 if not any(codes) else 1

    def _bury(self, dead: list[Worker]) -> None:
        for worker in dead:
            worker.process.join()
            worker.pipe.close()
            if worker.process.pid is not None:
                forget_worker(worker.process.pid, self._folder.name)
            if worker in self._leaving:
                self._leaving.remove(worker)

    # -- the web port (`health.Fleet`)

    def counted(self) -> Counted:
        """What all workers have counted together."""
        return workers(self._folder.name)

    def pids(self) -> list[int]:
        """The processes that run, this one first."""
        processes = [worker.process for worker in (*self._workers.values(), *self._leaving)]
        return [
            os.getpid(),
            *(each.pid for each in processes if each.pid is not None and each.is_alive()),
        ]

    def checks(self, own: dict[str, PartHealth]) -> dict[str, PartHealth]:
        """What is wrong with any worker stands in the place of what this process says of itself."""
        checks = dict(own)
        workers = list(self._workers.values())
        alive = sum(w.ready and w.process.is_alive() for w in workers)
        checks["workers"] = FINE if alive else down("no worker is running")
        for worker in workers:
            for name, part in worker.checks.items():
                if not part.ok:
                    checks[name] = part._replace(worker=worker.index)
        return checks


def work(settings: Settings, index: int, pipe: Connection) -> None:
    """The main function of a worker process."""
    logs.configure(settings.log_format, settings.log_level)
    structlog.contextvars.bind_contextvars(worker=index)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        application = Application(settings, prunes=False)
        application.load()
    except LedgerError as error:  # the supervisor tries again until the database is back
        log.warning("worker cannot start", because=str(error))
        raise SystemExit(1) from None
    raise SystemExit(asyncio.run(_serve(application, settings, pipe)))


async def _serve(application: Application, settings: Settings, pipe: Connection) -> int:
    loop = asyncio.get_running_loop()
    reuseport.share(loop, settings.workers, by_device=not settings.front_proxies)
    application.start(loop)

    def tell(kind: str, content: Any) -> None:
        with suppress(OSError):
            pipe.send((kind, content))

    def report() -> None:
        tell(_STATE, application.checks())
        loop.call_later(1.0, report)

    report()
    try:
        await application.runner(lambda: tell(_READY, None)).run()
    finally:
        lost = await loop.run_in_executor(None, application.stop)
    return 1 if lost else 0
