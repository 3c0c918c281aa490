"""Periodic work, and what is kept of it: the heartbeat of the event loop, freeing memory, replaying
journals of ended processes, the log of decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import structlog

from proxy_addon.config.settings import Settings
from proxy_addon.core.types import Visit
from proxy_addon.identity.pseudonyms import Mask
from proxy_addon.ledger.interface import Ledger, LedgerError
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.replay import Postponed, left_in, replay
from proxy_addon.metering.assembly import MeteringComponents
from proxy_addon.observability.decision_log import DecisionLog
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.runtime.loop_handle import LoopHandle
from proxy_addon.system.clock import Clock, timer

log = structlog.get_logger("allowance.run")

TICK_SECONDS = 1.0  # seconds between two heartbeats of the event loop
ACTIVE_SECONDS = 300.0  # who had an activity within this time is counted as active
COUNT_PEOPLE_TICKS = 5  # ticks between two counts of active people
FORGET_SECONDS = 3600.0  # between two removals of usage that no window reaches any more
FORGET_PEOPLE = 100  # whose usage is looked at in one tick
SWEEP_SECONDS = (
    1.0  # seconds between two searches for journals that processes of this host have left
)


class Heartbeat:
    """Runs on the event loop every `TICK_SECONDS`, and cleans up its memory."""

    def __init__(
        self,
        loop: LoopHandle,
        clock: Clock,
        metering: MeteringComponents,
        metrics: PrometheusMetrics,
        log_dropped: Callable[[], int] = lambda: 0,
    ) -> None:
        """`log_dropped`: how many lines of the log were dropped so far."""
        self._loop = loop
        self._log_dropped = log_dropped
        self._clock = clock
        self._metering = metering
        self._metrics = metrics
        self._ticks = 0
        self.last_tick = clock.now()  # the instant of the last tick
        self._forgot = self.last_tick
        self._forgetting: Iterator[None] = iter(())
        self._turned = timer()

    def silent(self) -> float:
        """Seconds since the last tick, whatever was done to the clock. Any thread."""
        return timer() - self._turned

    def tick(self) -> None:
        """Do what is due, and schedule the next tick. On the loop."""
        self.last_tick, self._turned = self._clock.now(), timer()
        if self._ticks % COUNT_PEOPLE_TICKS == 0:
            # here, because other threads must not iterate over the timelines
            since = self.last_tick - ACTIVE_SECONDS
            self._metrics.active_people.set(self._metering.tracker.active(since))
        self._metrics.log_dropped(self._log_dropped())
        self._ticks += 1
        self._forget()
        self._loop.later(TICK_SECONDS, self.tick)

    def _forget(self) -> None:
        """Give memory back, a few people at a time, so that nobody's page waits for it."""
        if abs(self.last_tick - self._forgot) >= FORGET_SECONDS:  # the clock may have been set
            self._forgot = self.last_tick
            since = self._metering.enforcer.engine.needed_since(self.last_tick)
            self._forgetting = self._metering.book.forgetting(since, FORGET_PEOPLE)
        next(self._forgetting, None)


class JournalSweeper:
    """Writes to the ledger what processes of this host had no time to write themselves."""

    def __init__(
        self,
        folder: Path,
        us: JournalOwner,
        ledger: Ledger,
        seen: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`us`: the ledger; `seen` gives the ids of ledgers by address (`LedgersSeen`)."""
        self._folder = folder
        self._us = us
        self._ledger = ledger
        self._seen = seen
        self._next = 0.0
        self._postponed: dict[Path, Postponed] = {}

    def belongs_to(self, ledger: str, key: str | None) -> None:
        """The id of the ledger, and of the key of its pseudonyms, have become known."""
        self._us = replace(self._us, ledger=ledger, key=key)

    def take_over(self, *, warns: bool = False) -> None:
        """Replay all journals in the folder. Raises LedgerError, OSError."""
        replay(
            self._folder,
            self._us,
            self._ledger,
            seen=self._seen(),
            warns=warns,
            postponed=self._postponed,
        )

    def left(self) -> Sequence[Visit]:
        """What the journals in the folder hold for this ledger, those of processes that live
        included. Changes nothing."""
        return left_in(self._folder, self._us, self._seen())

    def sweep(self) -> None:
        """On the writer's thread, while the ledger is up: a worker, or another proxy of this host,
        may have died in an outage. Its journal need not wait for the next start of the service."""
        if timer() >= self._next:
            self._next = timer() + SWEEP_SECONDS
            with suppress(LedgerError, OSError):  # tried again later
                self.take_over()


class RulesAudit:
    """Records in the ledger, once for each change, which rules are in force here."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        metering: MeteringComponents,
        node: str,
        *,
        pseudonyms: bool,
    ) -> None:
        """`pseudonyms`: whether this process started with them; it cannot change that while it
        runs."""
        self._ledger = ledger
        self._clock = clock
        self._metering = metering
        self._node = node
        self._pseudonyms = pseudonyms
        self._audited = ""

    def note(self) -> None:
        """On the writer's thread, after a flush."""
        rules = self._metering.enforcer.rules
        digest = rules.digest
        if digest != self._audited:
            if rules.pseudonyms != self._pseudonyms:
                log.warning("privacy: pseudonyms changes at the next start; restart all proxies")
            with suppress(LedgerError):  # the next flush tries again
                self._ledger.rules_in_force(digest, self._clock.now(), self._node)
                self._audited = digest


def decision_log(
    settings: Settings, clock: Clock, mask: Mask, metrics: PrometheusMetrics
) -> DecisionLog | None:
    """The log of decisions, where the settings ask for one."""
    if settings.decision_log is None:
        return None
    return DecisionLog(
        settings.decision_log,
        clock,
        sample=settings.decision_log_sample,
        days=settings.decision_log_days,
        mask=mask,
        dropped=metrics.decisions_dropped,
    )
