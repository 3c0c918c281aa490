"""Starting, draining and stopping one proxy process whose parts are wired."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from db.ledger import SqlLedger
from proxy_addon.config.settings import Settings
from proxy_addon.ledger.writer import Writer
from proxy_addon.observability.decision_log import DecisionLog
from proxy_addon.observability.loop_lag import LoopLag
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.proxy import ca
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.budgets.loop_turns import turns_of_loop
from proxy_addon.proxy.master import Runner, RunnerOptions
from proxy_addon.relay.workers import Workers
from proxy_addon.rules.reloader import Reloading
from proxy_addon.runtime.housekeeping import Heartbeat
from proxy_addon.runtime.loop_handle import LoopHandle
from proxy_addon.runtime.notices import NoticesInLedger
from proxy_addon.runtime.reader_counts import ReaderCounts
from proxy_addon.system.descriptors import raise_limit
from proxy_addon.web.server import WebServer


def runner_options(settings: Settings, workers: Workers | None) -> RunnerOptions:
    """What `Runner` has to know, from the settings. Makes room for the files that it will open.

    `workers`: the others of several, which this one passes connections on to.
    """
    return RunnerOptions(
        settings.listen,
        settings.confdir,
        ca.trusted(settings.confdir, settings.upstream_ca),
        settings.upstream_proxy,
        settings.drain,
        settings.light_path,
        raise_limit(),
        settings.drain_notice,
        workers,
    )


@dataclass(kw_only=True)
class Lifecycle:
    """Starts and stops everything that has threads, files or connections, in the right order."""

    loop: LoopHandle
    options: RunnerOptions
    addon: AllowanceAddon
    ledger: SqlLedger
    writer: Writer
    decisions: DecisionLog | None
    reloading: Reloading
    web: WebServer
    heartbeat: Heartbeat
    metrics: PrometheusMetrics
    notices: NoticesInLedger
    reader_counts: ReaderCounts | None = None
    loop_lag: LoopLag = field(init=False)
    _runner: Runner | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.loop_lag = LoopLag(self.metrics, lambda: turns_of_loop().longest())

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start writing, and listening for what others write."""
        self.loop.attach(loop)
        self.loop_lag.start(loop)
        self.writer.start()
        self.notices.start()
        if self.reader_counts is not None:
            self.reader_counts.start()
        if self.decisions is not None:
            self.decisions.start()
        self.ledger.listen(self.writer.wake)
        self.reloading.start(loop)
        self.heartbeat.tick()

    def runner(
        self, on_running: Callable[[], None], on_stopping: Callable[[], None] = lambda: None
    ) -> Runner:
        """The proxy itself; it drains on a signal."""
        self._runner = Runner(self.options, self.addon, on_running, on_stopping)
        return self._runner

    def draining(self) -> bool:
        """Whether a stop has been requested."""
        return self._runner is not None and self._runner.draining

    def connections(self) -> int:
        """How many client connections are open."""
        return 0 if self._runner is None else self._runner.connections()

    def stop(self) -> int:
        """Write what is left; returns how many visits could not be written."""
        self.loop.detach()
        self.reloading.stop()
        if self.reader_counts is not None:
            self.reader_counts.stop()
        lost = self.writer.stop(self.options.drain)
        self.notices.stop()
        self.web.stop()
        self.ledger.close()
        self.addon.services.identifier.close()
        self.addon.services.resolver.close()
        if self.decisions is not None:
            self.decisions.stop()
        return lost
