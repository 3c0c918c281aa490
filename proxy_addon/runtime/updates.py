"""Changes while the proxy runs: usage from other proxies, erasures, new rules and the earlier usage
that they need."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.types import Grant
from proxy_addon.identity.pseudonyms import Mask
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import History, Ledger, LedgerError, News
from proxy_addon.metering.assembly import MeteringComponents
from proxy_addon.observability.decision_log import DecisionLog
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.runtime.loop_handle import LoopHandle
from proxy_addon.runtime.notices import KnownNotices, NoticesInLedger
from proxy_addon.system.clock import Clock

log = structlog.get_logger("allowance.run")

MERGED_AT_ONCE = 100  # histories unpacked in one turn of the event loop


class LedgerNews:
    """Applies on the event loop what other processes wrote to the ledger."""

    def __init__(
        self,
        loop: LoopHandle,
        metering: MeteringComponents,
        mask: Mask,
        decisions: DecisionLog | None,
        notices: NoticesInLedger,
    ) -> None:
        self._loop = loop
        self._metering = metering
        self._mask = mask
        self._decisions = decisions
        self._notices = notices

    def arrived(self, news: News) -> None:
        """On the writer's thread."""
        if news.erasures:
            self._loop.call(self._drop_erased, news.erasures)
        if news.visits or news.grants:
            self._loop.call(self._metering.book.load, news.visits, news.grants)
        if news.acknowledgements or news.meetings:
            self._loop.call(self._notices.arrived, news)

    def _drop_erased(self, erasures: tuple[Erasure, ...]) -> None:
        """Somebody was erased: remove them from memory."""
        if self._decisions is not None:
            self._decisions.erase(lambda known: any(erasure.names(known) for erasure in erasures))
        book, tracker, enforcer = self._metering
        gate = enforcer.gate.book
        forgotten = gate.drop_known(lambda known: any(each.names(known) for each in erasures))
        names = {*book, *(name for name, _ in tracker.tracked())}
        gone = [
            name for name in names if any(erasure.names(self._mask(name)) for erasure in erasures)
        ]
        for name in gone:
            book.drop(name)
            tracker.drop(name)
            enforcer.drop(name)
        if gone or forgotten:
            # the engine caches names; a new one has none
            enforcer.use(CompiledPolicy.of(enforcer.rules))
            log.info("somebody was erased and is forgotten here", people=max(len(gone), forgotten))


class Past(NamedTuple):
    """What a ledger knows of the windows that were open; `since` is an instant."""

    since: float
    histories: Sequence[History]
    grants: Sequence[Grant]
    notices: KnownNotices


class RulesInForce:
    """Puts new rules into force, and reads the earlier usage that their windows need."""

    def __init__(
        self,
        loop: LoopHandle,
        clock: Clock,
        metering: MeteringComponents,
        ledger: Ledger,
        metrics: PrometheusMetrics,
        follow: Callable[[], None],
        notices: NoticesInLedger,
    ) -> None:
        """`follow` brings open connections up to date; called on the event loop after each
        change."""
        self._loop = loop
        self._clock = clock
        self._metering = metering
        self._ledger = ledger
        self._metrics = metrics
        self._follow = follow
        self._notices = notices
        self.since = self._loaded_since = clock.now()  # `since`: when they came into force here
        metrics.rules(metering.enforcer.rules, self.since)

    def begin(self) -> None:
        """The rules of the start are in force. Before the event loop runs."""
        self._notices.in_force(self._metering.enforcer.rules.notices, self._clock.now())

    def read(self) -> Past:
        """What the ledger knows of the windows that are still open. Any thread; raises
        LedgerError."""
        since = self._needed_since()
        histories, grants = list(self._ledger.histories(since)), self._ledger.grants(since)
        return Past(since, histories, grants, self._notices.read())

    def adopt(self, past: Past) -> None:
        """Take over what was read. On the event loop, or before it runs."""
        self._loaded_since = past.since
        self._metering.book.adopt(past.histories)
        self._metering.book.load((), past.grants)
        self._notices.adopt(past.notices)
        self._merge()
        self._widen()  # the rules may have changed since it was read

    def _merge(self) -> None:
        """The histories of people who were seen before the ledger was there, some at a time."""
        if self._metering.book.merge(MERGED_AT_ONCE):
            self._loop.later(0.0, self._merge)

    def swap(self, prepared: CompiledPolicy) -> None:
        """On the event loop: put other rules into force."""
        self._metering.enforcer.swap(prepared, self._clock.now())
        self._follow()
        self._widen()
        self._notices.in_force(prepared.rules.notices, self._clock.now())
        self.since = self._clock.now()
        self._metrics.rules(prepared.rules, self.since)

    def _needed_since(self) -> float:
        return self._metering.enforcer.engine.needed_since(self._clock.now())

    def _widen(self) -> None:
        """Rules with a longer window than before: read the earlier usage, off the loop."""
        since, until = self._needed_since(), self._loaded_since
        if since >= until:
            return
        self._loaded_since = since
        threading.Thread(
            target=self._read_back, args=(since, until), name="ledger-past", daemon=True
        ).start()

    def _read_back(self, since: float, until: float) -> None:
        try:
            visits, grants = list(self._ledger.visits(since)), self._ledger.grants(since)
        except LedgerError as problem:
            log.warning("the past that the new rules need is not known yet", because=str(problem))
            self._loaded_since = until  # the next change of the rules tries again
            return
        self._loop.call(self._metering.book.load, visits, grants)
