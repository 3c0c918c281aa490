"""The workers of a supervisor together: what its health pages and metrics say about all of them.

Read on the thread of the web port, while the supervisor's event loop starts, hears and ends
workers. That loop may be late itself: whether a worker is stuck is judged by when it was last
listened to, so that a supervisor that was stopped for a while declares nobody stuck.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from proxy_addon.observability.exposition import Counted, workers
from proxy_addon.observability.metric_families import LOG_DROPPED
from proxy_addon.presentation.durations import count
from proxy_addon.runtime.health import NO_NEW_CONNECTIONS
from proxy_addon.runtime.worker_handle import Worker
from proxy_addon.runtime.worker_status import DRAINING, SERVING, STARTING, STUCK, WorkerStatus
from proxy_addon.system import logging_setup
from proxy_addon.system.clock import timer
from proxy_addon.system.dependencies import DependencyReport, combined
from proxy_addon.system.health import FINE, PartHealth, degraded, down

MISSING_AFTER = 5.0  # seconds without a worker after which the others alone are not well
MISSING_AT_START = 60.0  # the same until all of them have served
HEARTBEAT_TIMEOUT = 5.0  # seconds; a worker whose loop turns sends a message once a second


class SupervisedWorkers:
    """Implements `health.WorkerGroup`."""

    def __init__(
        self,
        current: Mapping[int, Worker],
        starting: Sequence[Worker],
        stopping: Sequence[Worker],
        draining: Callable[[], bool],
        folder: str,
    ) -> None:
        """`current`, `starting` (their successors) and `stopping` belong to the supervisor, which
        changes them. `folder`: where workers count, changed when they have another one."""
        self._current = current
        self._starting = starting
        self._stopping = stopping
        self.folder = folder
        self._listened = self._whole_at = timer()
        self._was_whole = False
        self.draining = draining

    def listen(self) -> None:
        """Read what the workers have sent. On the supervisor's event loop."""
        self._listened = now = timer()
        for worker in self._all():
            worker.listen(now)
        if self._running() == len(self._current):
            self._whole_at, self._was_whole = now, bool(self._current)

    def silent(self, worker: Worker) -> float:
        """Seconds between a worker's last message and when it was last listened to."""
        return max(0.0, self._listened - worker.last_message)

    def counted(self) -> Counted:
        """What all workers have counted together."""
        return workers(self.folder, {LOG_DROPPED: logging_setup.dropped})

    def pids(self) -> list[int]:
        """The processes that run, this one first."""
        running = [worker.process.pid for worker in self._all() if worker.is_alive()]
        return [os.getpid(), *(pid for pid in running if pid is not None)]

    def statuses(self) -> list[WorkerStatus]:
        """Each worker, and after them those that drain because a successor serves."""
        return [self._status(worker) for worker in self._all()]

    def _status(self, worker: Worker) -> WorkerStatus:
        silent = self.silent(worker)
        state = SERVING
        if not worker.ready or not worker.is_alive():
            state = STARTING
        elif silent >= HEARTBEAT_TIMEOUT:
            state = STUCK
        elif self.draining() or worker in self._stopping:
            state = DRAINING
        return WorkerStatus(
            worker.index, worker.process.pid, state, worker.since, silent, worker.report
        )

    def dependencies(self, own: Mapping[str, DependencyReport]) -> dict[str, DependencyReport]:
        """What is wrong for any worker replaces what this process says; counts are summed up."""
        heard = [(w.index, w.report.dependencies) for w in self._all() if w.report is not None]
        return combined(own, heard)

    def checks(self, own: dict[str, PartHealth]) -> dict[str, PartHealth]:
        """A problem of any worker replaces the result of this process."""
        checks = dict(own)
        current = list(self._current.values())
        checks["workers"] = self._completeness()
        for worker in current:
            said = {} if worker.report is None else worker.report.checks
            for name, part in said.items():
                if not part.ok:
                    checks[name] = part._replace(worker=worker.index)
        if self.draining():
            checks["proxy"] = NO_NEW_CONNECTIONS
        return checks

    def _running(self) -> int:
        return sum(worker.ready and worker.is_alive() for worker in self._current.values())

    def _completeness(self) -> PartHealth:
        """A worker that died is replaced in a second or two; one that is missing for longer cannot
        be made, or does not come up."""
        running, wanted = self._running(), len(self._current)
        if not running:
            return down("no worker is running")
        patience = MISSING_AFTER if self._was_whole else MISSING_AT_START
        if running == wanted or timer() - self._whole_at < patience:
            return FINE
        verb = "runs" if running == 1 else "run"
        return degraded(f"{running} of {count(wanted, 'worker')} {verb}")

    def _all(self) -> list[Worker]:
        return [*self._current.values(), *self._starting, *self._stopping]
