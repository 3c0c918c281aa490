"""What is done again and again: the heartbeat of the loop, memory given back, journals of the dead swept up."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import structlog

from proxy_addon.ledger.interface import Ledger, LedgerError
from proxy_addon.ledger.journal import replay
from proxy_addon.metering.assembly import Metering
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.runtime.loop_handle import LoopHandle
from proxy_addon.system.clock import Clock, timer
from proxy_addon.web.proxy_state import ACTIVE

log = structlog.get_logger("allowance.run")

TURN = 1.0  # seconds between two signs of life of the event loop
COUNT_PEOPLE = 5  # turns between two counts of active people
FORGET = 3600  # turns between two times that memory is freed of what no window reaches any more
SWEEP = 1.0  # seconds between two looks for journals that processes of this host have left


class Heartbeat:
    """Turns with the event loop, once in `TURN`, and looks after what lives in its memory."""

    def __init__(
        self, loop: LoopHandle, clock: Clock, metering: Metering, metrics: PrometheusMetrics
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._metering = metering
        self._metrics = metrics
        self._turns = 0
        self.turned = clock.now()  # the instant of the last turn

    def turn(self) -> None:
        """Do what is due, and come again. On the loop."""
        self.turned = self._clock.now()
        if self._turns % COUNT_PEOPLE == 0:
            # here, because other threads must not walk through the clocks
            self._metrics.active_people.set(self._metering.tracker.active(self.turned - ACTIVE))
        self._turns += 1
        if self._turns % FORGET == 0:
            since = self._metering.enforcer.engine.needed_since(self.turned)
            self._metering.book.forget(since)
        self._loop.later(TURN, self.turn)


class JournalSweeper:
    """Writes to the ledger what processes of this host had no time to write themselves."""

    def __init__(self, folder: Path, database: str, ledger: Ledger) -> None:
        self._folder = folder
        self._database = database  # which one it is: `Address.identity`
        self._ledger = ledger
        self._next = 0.0

    def take_over(self, *, warns: bool = False) -> None:
        """All that lies there. Raises LedgerError, OSError."""
        replay(self._folder, self._database, self._ledger, warns=warns)

    def sweep(self) -> None:
        """On the writer's thread, while the ledger is up: a worker, or another proxy of this host, may have died in
        an outage. It has no need to wait for the next start of the service."""
        if timer() >= self._next:
            self._next = timer() + SWEEP
            with suppress(LedgerError, OSError):  # another time
                self.take_over()


class RulesAudit:
    """Tells the ledger once which rules are in force here."""

    def __init__(
        self, ledger: Ledger, clock: Clock, metering: Metering, node: str, *, pseudonyms: bool
    ) -> None:
        """`pseudonyms`: whether this process began with them; it cannot change that while it runs."""
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
