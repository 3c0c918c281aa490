"""The main function of a worker: one proxy process below a supervisor."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import structlog

from proxy_addon.config.settings import Settings, SettingsError
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.proxy import ca_copy
from proxy_addon.proxy.ca import CaError
from proxy_addon.relay.workers import WorkerPlace, Workers
from proxy_addon.rules.active import RuleTestsFailed
from proxy_addon.runtime.application import Application
from proxy_addon.runtime.handoff_sockets import is_behind_others
from proxy_addon.runtime.pipe_sender import PipeSender
from proxy_addon.runtime.proxy_port import END_SECONDS
from proxy_addon.runtime.worker_handle import RETIRE
from proxy_addon.runtime.workers_folder import PASSWORDS, FolderLock, abandon, hold
from proxy_addon.system import logging_setup as logs
from proxy_addon.system.event_loop import loop_factory
from proxy_addon.system.port_claims import WORKER, claim
from proxy_addon.system.reuseport import SharedPort

log = structlog.get_logger("allowance.run")


def work(
    settings: Settings,
    index: int,
    pipe: Connection,
    listeners: Sequence[socket.socket],
    handoff: tuple[Path, socket.socket | None],
) -> None:
    """The main function of a worker process."""
    with logs.standard_streams():
        structlog.contextvars.bind_contextvars(worker=index)
        logs.configure(settings.log_format, settings.log_level)
        try:
            code = _work(settings, index, pipe, listeners, handoff)
        except Exception:
            log.exception("worker failed")
            code = 1
    raise SystemExit(code)


def _work(
    settings: Settings,
    index: int,
    pipe: Connection,
    listeners: Sequence[socket.socket],
    handoff: tuple[Path, socket.socket | None],
) -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.setpgid(0, 0)  # Ctrl+C in a terminal is for the supervisor, which has the workers drain
    watch = SupervisorWatch(pipe, settings, index)
    lock, _name = _hold(handoff[0]), _claim(settings)  # both until this process ends
    try:
        return _run(settings, index, pipe, listeners, handoff, watch)
    finally:
        if watch.is_alone and lock is not None:
            abandon(handoff[0], lock)


def _run(
    settings: Settings,
    index: int,
    pipe: Connection,
    listeners: Sequence[socket.socket],
    handoff: tuple[Path, socket.socket | None],
    watch: SupervisorWatch,
) -> int:
    folder, own = handoff
    try:
        workers = Workers(WorkerPlace(index, settings.workers), folder, own) if own else None
        application = _application(settings, folder, workers)
        application.load()
    except (LedgerError, CaError, RuleErrors, RuleTestsFailed, SettingsError) as error:
        # the supervisor tries again until it can
        log.warning("worker cannot start", because=str(error))
        return 1
    serving = _serve(application, settings, pipe, listeners, workers, watch)
    return asyncio.run(serving, loop_factory=loop_factory(settings.uvloop))


def _application(settings: Settings, folder: Path, workers: Workers | None) -> Application:
    """With the CA and the passwords of the settings, or with the supervisor's copies of them.
    Raises what `Application` raises."""
    passwords = folder / PASSWORDS
    try:
        return Application(settings, prunes=False, workers=workers, kept_passwords=passwords)
    except CaError as problem:
        copied = ca_copy.with_copy(settings, folder)
        if copied is None:
            raise
        log.warning("the CA cannot be read; a copy of it is used", because=str(problem))
        return Application(
            copied,
            prunes=False,
            workers=workers,
            ca_problem=problem.fact,
            kept_passwords=passwords,
        )


class SupervisorWatch:
    """On a thread of its own: this worker drains when its supervisor has ended, or nobody would
    ever replace or stop it; and it ends for certain, whatever its event loop does."""

    def __init__(self, pipe: Connection, settings: Settings, index: int) -> None:
        self.is_draining: Callable[[], bool] = lambda: False
        self.is_alone = False
        self._index = index
        self._pipe = pipe
        self._allowed = settings.drain_notice + settings.drain + END_SECONDS
        threading.Thread(target=self._run, name="supervisor-watch", daemon=True).start()

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._pipe.fileno(), 0)  # nothing but the end of the other side
        while not poll.poll():
            pass
        self.is_alone = True
        log.warning("the supervisor does not know this worker any more", worker=self._index)
        if not self.is_draining():  # a second signal would end that
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self._allowed)
        log.error("a worker without a supervisor did not end; it is killed", worker=self._index)
        os.kill(os.getpid(), signal.SIGKILL)


def _hold(folder: Path) -> FolderLock | None:
    """Use the folder that all workers share. Somebody may have removed it, or its lock."""
    try:
        return hold(folder)
    except OSError as problem:
        log.warning("the folder of the workers is damaged", because=problem.strerror)
        return None


def _claim(settings: Settings) -> socket.socket | None:
    """Say that a worker of ours has the port."""
    with suppress(OSError):
        return claim(settings.listen.host, settings.listen.port, f"{WORKER}-{os.getpid()}")
    return None


async def _serve(
    application: Application,
    settings: Settings,
    pipe: Connection,
    listeners: Sequence[socket.socket],
    workers: Workers | None,
    watch: SupervisorWatch,
) -> int:
    loop = asyncio.get_running_loop()
    by_device = not is_behind_others(settings)
    port = SharedPort(settings.workers, by_device=by_device, inherited=listeners)
    port.share(loop)
    application.start(loop)

    sender = PipeSender(pipe)

    def report() -> None:
        sender.state(application.readiness.report())
        loop.call_later(1.0, report)

    def hand_over() -> None:
        """The supervisor asks for the listening sockets, has a successor, or has ended."""
        try:
            wanted = pipe.recv()
        except (EOFError, OSError):  # see `SupervisorWatch`
            loop.remove_reader(pipe.fileno())
            return
        if wanted == RETIRE:
            if workers is not None:
                workers.retire()
            return
        sender.listeners(port.listeners)

    loop.add_reader(pipe.fileno(), hand_over)
    report()
    try:
        runner = application.runner(sender.ready)
        watch.is_draining = lambda: runner.draining
        await runner.run()
    finally:
        lost = await loop.run_in_executor(None, application.stop)
    return 1 if lost else 0
