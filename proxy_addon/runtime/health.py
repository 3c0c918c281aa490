"""Whether this proxy can do its work: each part, what the health pages say, the ledger's gauges,
and the metrics as text.

Three questions, each for another reader. *Alive* is for whoever would end this process and start it
again: some event loop that serves people turns. *Ready* is for whoever sends people here: new
connections are accepted, and there are rules for them. What else is wrong, a ledger that is away
above all, is a reason for neither, because people are served as well as they can be; *status* is
where a person reads it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.observability.exposition import Counted, Host, exposed
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.presentation.durations import count
from proxy_addon.rule_tests.runner import run_folder
from proxy_addon.runtime.dependency_reports import refusals, without_driver_words
from proxy_addon.runtime.worker_status import (
    DRAINING,
    SERVING,
    STUCK,
    ProcessReport,
    WorkerStatus,
    program_versions,
    status_document,
)
from proxy_addon.system.clock import Clock
from proxy_addon.system.dependencies import Dependencies, DependencyReport, Json
from proxy_addon.system.health import FINE, PartHealth, degraded, down
from proxy_addon.web.interface import Health

NO_NEW_CONNECTIONS = down("draining: no new connections")
LOOP_STALE = 5.0  # seconds without a heartbeat after which the loop counts as stuck


class WorkerGroup(Protocol):
    """The workers of a supervisor, whose health and metrics it reports together."""

    def pids(self) -> Iterable[int]:
        """The processes whose resource use is summed up."""

    def checks(self, own: dict[str, PartHealth]) -> dict[str, PartHealth]:
        """The checks of all, given those of this process."""

    def statuses(self) -> Sequence[WorkerStatus]:
        """Each worker, those that drain as well."""

    def draining(self) -> bool:
        """Whether all of them have been asked to end."""

    def dependencies(self, own: Mapping[str, DependencyReport]) -> dict[str, DependencyReport]:
        """The dependencies of all, given those of this process."""

    def counted(self) -> Counted:
        """The sum of what all of them have counted."""


class Readiness:
    """The data of the health pages and `/metrics`. Any thread."""

    def __init__(
        self,
        clock: Clock,
        *,
        silent: Callable[[], float],
        loop_lag: Callable[[], float],
        connections: Callable[[], int],
        draining: Callable[[], bool],
        ledger: Callable[[], WriterState],
        place: str,
        rules: Callable[[], PartHealth],
        dependencies: Dependencies,
        metrics: PrometheusMetrics,
        host: Host,
        versions: Callable[[], Mapping[str, str]] = dict,
        worker_group: WorkerGroup | None = None,
        others: Sequence[Counted] = (),
    ) -> None:
        """`silent`: seconds since the last heartbeat of the event loop; `loop_lag`: by how many its
        timer was late last; `connections`: how many clients have open. `place`: the ledger's.
        `versions`: of what is not part of the program. `others`: what else is exposed with the
        metrics."""
        self._started = clock.now()
        self._silent = silent
        self._loop_lag = loop_lag
        self._connections = connections
        self._draining = draining
        self._dependencies = dependencies
        self._versions = versions
        self._ledger, self._place = ledger, place
        self._rules = rules
        self._metrics = metrics
        self._host = host
        self._worker_group = worker_group
        self._others = others

    def checks(self) -> dict[str, PartHealth]:
        """The health of each part, including the workers where there are any."""
        own = self._own()
        return own if self._worker_group is None else self._worker_group.checks(own)

    def report(self) -> ProcessReport:
        """This process alone, for its supervisor."""
        reports = self._dependencies.reports()
        return ProcessReport(self._own(), reports, self._connections(), self._loop_lag())

    def health(self) -> Health:
        """Whether some event loop turns, whether new connections are accepted, and each part."""
        statuses = self._statuses()
        accepts = any(each.accepts for each in statuses)
        ready = accepts and not (self._worker_group is not None and self._worker_group.draining())
        return Health(ready, self.checks(), alive=any(each.turns for each in statuses))

    def status(self) -> dict[str, Json]:
        """The processes that serve, what they depend on, and versions."""
        found, group = self._dependencies.reports(), self._worker_group
        if group is not None:
            found = group.dependencies(found)
        versions = program_versions() | dict(self._versions())
        return status_document(self.health().ready, self._statuses(), found, versions)

    def _statuses(self) -> Sequence[WorkerStatus]:
        if self._worker_group is not None:
            return self._worker_group.statuses()
        report, silent = self.report(), self._silent()
        state = DRAINING if self._draining() else SERVING
        if silent >= LOOP_STALE:
            state = STUCK
        return (WorkerStatus(0, os.getpid(), state, self._started, silent, report),)

    def _own(self) -> dict[str, PartHealth]:
        silent = self._silent()
        stale = f"the event loop has not turned for {silent:.0f} s"
        return {
            "proxy": NO_NEW_CONNECTIONS if self._draining() else FINE,
            "loop": FINE if silent < LOOP_STALE else down(stale),
            "ledger": ledger_health(self._ledger(), self._place),
            "rules": self._rules(),
            "ca": part_of(self._dependencies.report("ca")),
        }

    def expose(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics, in the format that `accept` prefers, and its content type."""
        own = self._metrics.registry if self._worker_group is None else self._worker_group.counted()
        return exposed(own, self._host, accept, *self._others)


def part_of(report: DependencyReport) -> PartHealth:
    """A dependency as a part: what is wrong with it keeps nobody from being served."""
    return FINE if report.ok else degraded(report.message)


def show_ledger(metrics: PrometheusMetrics, state: WriterState) -> None:
    """Put the state of the ledger into the metrics."""
    metrics.ledger_up.set(1 if state.up else 0)
    metrics.ledger_pending.set(state.pending)
    if state.up and state.flush_seconds is not None:
        metrics.ledger_flush.observe(state.flush_seconds)
    for kind, number in state.errors.items():
        metrics.ledger_failed(kind, number)
    metrics.journal_dropped(state.journal_dropped)
    metrics.journal_bytes.set(state.journal_bytes)
    metrics.journal_visits.set(state.journal_visits)
    metrics.visits_refused.set(state.refused)
    metrics.lost({"no-room": state.dropped})


def ledger_health(state: WriterState, place: str) -> PartHealth:
    """How the ledger is doing: fine, or what is wrong, since when, and where visits are meanwhile;
    without the words of the driver and `place`, which name the database's user."""
    if state.up:
        return degraded(refusals(state.refused)) if state.refused else FINE
    message = without_driver_words(state.message or "it does not answer", place)
    words = f"down: {message}"
    if state.away_since is not None:
        since = datetime.fromtimestamp(state.away_since, UTC).isoformat(timespec="seconds")
        words = f"down since {since}: {message}"
    journal = (
        state.journal_message
        or f"{state.journal_visits} in the journal ({count(state.journal_bytes, 'byte')})"
    )
    dropped = f", {state.journal_dropped} found no room there" if state.journal_dropped else ""
    return down(f"{words}; {count(state.pending, 'visit')} in memory, {journal}{dropped}")


def failing_tests(folder: Path, rules: RuleSet) -> list[str]:
    """The tests of a rules folder that fail, and what is wrong with the tests themselves."""
    run = run_folder(folder, rules)
    if not run.outcomes and not run.problems:
        return [f"{folder}/tests: the policy requires tests, and there are none"]
    failed = [
        f"{each.plan.place}: the test fails: {each.plan.name}"
        for each in run.outcomes
        if not each.passed
    ]
    return [*map(str, run.problems), *failed]
