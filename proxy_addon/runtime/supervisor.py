"""Several proxy processes on one port: `allowance run --workers N`.

The supervisor serves no proxy traffic. It watches the workers, replaces one that died, restarts
them one after the other on SIGHUP, passes SIGTERM on, and serves the web port: its pages come from
the ledger like any other proxy's, its metrics are the sum of all workers'. Workers are made by a
fork server that has everything imported, so that a new one accepts connections within a fraction of
a second.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from proxy_addon.config.settings import Settings
from proxy_addon.identity.passwords import PasswordFileError
from proxy_addon.observability.exposition import forget_worker
from proxy_addon.presentation.durations import count
from proxy_addon.proxy import ca_copy
from proxy_addon.proxy.ca import CaError
from proxy_addon.runtime import worker_maker
from proxy_addon.runtime.application import Application
from proxy_addon.runtime.handoff_sockets import handoff_sockets
from proxy_addon.runtime.proxy_port import END_SECONDS, FLAG
from proxy_addon.runtime.worker_group import SupervisedWorkers
from proxy_addon.runtime.worker_handle import Worker
from proxy_addon.runtime.worker_process import work
from proxy_addon.runtime.workers_folder import PASSWORDS, WorkersFolder
from proxy_addon.system.clock import timer
from proxy_addon.system.port_claims import SUPERVISOR, claim
from proxy_addon.system.systemd import Systemd
from proxy_addon.web.server import PortTaken

log = structlog.get_logger("allowance.run")

# Read by prometheus_client when it is imported: by the fork server, not by this process.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
POLL_SECONDS = 0.1  # seconds between two checks of the workers
MIN_LIFETIME = 2.0  # seconds; a worker that ended sooner is restarted only after a delay
RESTART_DELAY = 1.0
READY_TIMEOUT = 10.0  # seconds that a new worker usually takes at most; after it a line says so
SUCCESSOR_TIMEOUT = 60.0  # seconds that a successor may take; its predecessor serves meanwhile
STUCK_TIMEOUT = 10.0  # seconds without a message after which a worker is killed and replaced
LISTENERS_TIMEOUT = 2.0  # seconds in which a worker hands over its listening sockets
FILES_SECONDS = 1.0  # seconds between two checks of the folder and the fork server
RENEWAL_DELAY = 30.0  # seconds between two folders; somebody may remove each


class Supervisor:
    """Keeps `settings.workers` workers running."""

    def __init__(self, settings: Settings, on_running: Callable[[Application], None]) -> None:
        """Raises what `Application` raises, and PortTaken: rules, ledger and CA are checked before
        any worker is started."""
        self._settings = settings
        self._on_running = on_running
        self._workers: dict[int, Worker] = {}
        self._starting: list[Worker] = []  # successors
        self._stopping: list[Worker] = []
        self._handoff: Sequence[socket.socket] = ()
        self._stop = asyncio.Event()
        self._claim = _claim(settings)
        self._folder = WorkersFolder()
        self._group = SupervisedWorkers(
            self._workers, self._starting, self._stopping, self._stop.is_set, str(self._folder.path)
        )
        os.environ[METRICS_FOLDER] = str(self._folder.path)
        try:
            self._context = worker_maker.start([work.__module__], self._folder.path)
            self._handoff = handoff_sockets(settings, self._folder.path)
            self._application = Application(settings, worker_group=self._group)
            self._application.load()
            self._keep_copies()
        except BaseException:
            self._leave_nothing()
            raise
        self._restart = asyncio.Event()
        self._look_at_files = timer() + FILES_SECONDS
        self._systemd = Systemd()

    async def run(self) -> int:
        """Serve until a signal comes; the exit code. Raises PortTaken."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        loop.add_signal_handler(signal.SIGHUP, self._restart.set)
        try:
            self._application.web.start()
            self._application.start(loop)
            try:
                await self._start_workers(loop)
                while not self._stop.is_set():
                    await self._supervise()
            finally:
                self._systemd.stopping()
                code = await self._end()
                self._application.web.stop()
                await loop.run_in_executor(None, self._application.stop)
        finally:
            self._leave_nothing()
        return code

    def _leave_nothing(self) -> None:
        """No process, no file, no name of ours stays."""
        worker_maker.end()
        for each in (*self._handoff, self._claim):
            if each is not None:
                each.close()
        self._folder.close()

    def _signalled(self) -> None:
        """The first signal drains the workers, the second one ends that."""
        if self._stop.is_set():
            for worker in (*self._workers.values(), *self._starting, *self._stopping):
                worker.end_now()
        self._stop.set()

    async def _start_workers(self, loop: asyncio.AbstractEventLoop) -> None:
        """Returns when all serve, however long that takes, or a signal has come."""
        for index in range(self._settings.workers):
            self._workers[index] = self._make(index)
        while not await self._until(self._all_ready, READY_TIMEOUT) and not self._stop.is_set():
            log.warning(
                "workers are not ready yet",
                ready=sum(worker.ready for worker in self._workers.values()),
                workers=len(self._workers),
            )
        if not self._stop.is_set():
            self._on_running(self._application)
            self._systemd.watch(loop, self._is_alive)
            self._ready()

    def _all_ready(self) -> bool:
        return all(worker.ready for worker in self._workers.values())

    def _make(self, index: int, listeners: Sequence[socket.socket] = ()) -> Worker:
        own_end, worker_end = self._context.Pipe()
        handoff = self._folder.path, self._handoff[index] if self._handoff else None
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
        await self._look()
        if timer() >= self._look_at_files:
            self._look_at_files = timer() + FILES_SECONDS
            self._check_files()
        if self._restart.is_set():
            self._restart.clear()
            self._systemd.reloading()
            await self._rolling_restart()
            self._ready()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), POLL_SECONDS)

    async def _look(self) -> None:
        """Read what the workers say, and replace those that died or are stuck."""
        self._group.listen()
        self._remove([w for w in self._stopping if not w.is_alive()])
        self._end_stuck()
        for worker in [w for w in self._workers.values() if not w.is_alive()]:
            await self._replace(worker)

    def _check_files(self) -> None:
        """Without its fork server or its folder there would be no new worker."""
        try:
            if self._folder.is_whole():
                worker_maker.ensure_running()
            else:
                self._renew_folder()
        except OSError as problem:
            log.warning("the workers have no folder", because=str(problem))
            self._look_at_files = timer() + RENEWAL_DELAY

    def _renew_folder(self) -> None:
        """The workers get a folder that is whole, and successors that use it. Raises OSError."""
        log.warning(
            "the folder of the workers is damaged; they get another", folder=str(self._folder.path)
        )
        before, new = self._folder, WorkersFolder()
        try:
            handoff = handoff_sockets(self._settings, new.path)
            os.environ[METRICS_FOLDER] = self._group.folder = str(new.path)
            worker_maker.move(new.path)
        except OSError:
            os.environ[METRICS_FOLDER] = self._group.folder = str(before.path)
            new.close()
            raise
        for each in self._handoff:
            each.close()
        self._folder, self._handoff = new, handoff
        before.close()
        self._look_at_files = timer() + RENEWAL_DELAY
        self._restart.set()

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
            if worker.ready and worker.is_alive() and silent > STUCK_TIMEOUT:
                log.error("worker is stuck", worker=worker.index, seconds=round(silent, 1))
                worker.kill()
                worker.wait(1.0)

    async def _replace(self, ended: Worker) -> None:
        if not ended.is_removed:
            log.error(
                "worker died",
                worker=ended.index,
                process=ended.process.pid,
                code=ended.exit_code(),
            )
            self._remove([ended])
            await asyncio.to_thread(self._keep_copies)
            if timer() - ended.started < MIN_LIFETIME:
                await asyncio.sleep(RESTART_DELAY)
        try:
            self._workers[ended.index] = self._make(ended.index)
        except OSError as problem:  # no memory, no process, no file: the others serve meanwhile
            log.warning("a worker cannot be made", worker=ended.index, because=str(problem))
            await asyncio.sleep(RESTART_DELAY)

    def _keep_copies(self) -> None:
        """For workers that start when a file cannot be read. Without a copy they wait until it
        can."""
        try:
            ca_copy.keep(self._settings, self._folder.path)
        except (CaError, OSError) as problem:
            log.warning("there is no new copy of the CA", because=str(problem))
        try:
            self._application.passwords.keep(self._folder.path / PASSWORDS)
        except (PasswordFileError, OSError) as problem:
            log.warning("there is no new copy of the passwords", because=str(problem))

    async def _rolling_restart(self) -> None:
        """Start each new worker before stopping the old one, so that one always answers."""
        log.info("restarting workers one after the other")
        await asyncio.to_thread(self._keep_copies)
        for index in list(self._workers):
            if self._stop.is_set() or not await self._succeed(index):
                return

    async def _succeed(self, index: int) -> bool:
        """A new worker takes the place of one that serves; False: it did not come up."""
        listeners = await self._listeners(self._workers[index])
        try:
            new = self._make(index, listeners)
        except OSError as problem:
            log.warning("a worker cannot be made", worker=index, because=str(problem))
            for each in listeners:
                each.close()
            return False
        self._starting.append(new)
        decided = await self._until(lambda: new.ready or not new.is_alive(), SUCCESSOR_TIMEOUT)
        self._starting.remove(new)
        if not decided or not new.ready:
            if not self._stop.is_set():
                log.error("a new worker did not come up; the old ones go on", worker=index)
            new.kill()
            self._stopping.append(new)
            return False
        # Not necessarily the one whose sockets it has: that one may have died and been replaced.
        old, self._workers[index] = self._workers[index], new
        self._stopping.append(old)
        old.retire()
        return True

    async def _listeners(self, worker: Worker) -> list[socket.socket]:
        """Copies of its listening sockets; none when it does not answer."""
        worker.ask_for_listeners()
        await self._until(lambda: bool(worker.listeners), LISTENERS_TIMEOUT)
        return worker.take_listeners()

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Look after the workers until the condition holds; False: too late, or a signal came."""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline and not self._stop.is_set():
            await self._look()
            if condition():
                return True
            await asyncio.sleep(POLL_SECONDS / 4)
        return False

    async def _end(self) -> int:
        all_workers = [*self._workers.values(), *self._stopping]
        for worker in all_workers:
            worker.stop()
        allowed = self._settings.drain_notice + self._settings.drain + END_SECONDS
        deadline = asyncio.get_running_loop().time() + allowed
        while any(w.is_alive() for w in all_workers):
            if asyncio.get_running_loop().time() > deadline:
                for worker in all_workers:
                    worker.kill()
            self._group.listen()
            await asyncio.sleep(POLL_SECONDS)
        codes = [w.exit_code() for w in self._workers.values()]
        self._remove(all_workers)
        return 0 if not any(codes) else 1

    def _remove(self, ended: list[Worker]) -> None:
        for worker in ended:
            worker.close()
            if worker.process.pid is not None:
                forget_worker(worker.process.pid, str(self._folder.path))
            if worker in self._stopping:
                self._stopping.remove(worker)


def _claim(settings: Settings) -> socket.socket | None:
    """Say that this process has workers at the port. Raises PortTaken: another one has."""
    try:
        return claim(settings.listen.host, settings.listen.port, SUPERVISOR)
    except OSError as error:
        raise PortTaken(settings.listen, FLAG, error.strerror) from None
