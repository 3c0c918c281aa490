"""The composition root: wires everything from the settings. The only module that knows all others.

Parts that need each other are passed as callables (`lambda: …`), which are called only once the
proxy has been started, when everything exists.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from proxy_addon.config.settings import Settings
from proxy_addon.core.notices.gate import in_force_since
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.identity.identification import Identifier
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.identity.pseudonyms import Mask
from proxy_addon.ledger.availability import LedgerAvailability
from proxy_addon.ledger.interface import News
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.ledger.unmasking import known_names
from proxy_addon.ledger.visit_names import VisitNames
from proxy_addon.ledger.writer import Writer
from proxy_addon.ledger.writer_state import WriterState
from proxy_addon.metering.assembly import assemble, numbered
from proxy_addon.network.distrust import DistrustingDevices
from proxy_addon.network.guards import ClientGuard, TargetGuard
from proxy_addon.network.resolver import Resolver
from proxy_addon.observability.exposition import Host, counted, would_have_stopped
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.observability.policy_readers import PolicyReaders
from proxy_addon.presentation import languages
from proxy_addon.proxy import ca, ca_change
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.master import Runner
from proxy_addon.proxy.page_context import App
from proxy_addon.proxy.rule_changes import follow
from proxy_addon.proxy.services import Services
from proxy_addon.relay.workers import WorkerPlace, Workers
from proxy_addon.report.notice_status import NoticeStatus, read_status
from proxy_addon.rules.active import LiveRules, Outcome
from proxy_addon.rules.last_good import LastGood
from proxy_addon.rules.reloader import Reloading
from proxy_addon.runtime import dependency_reports as reports
from proxy_addon.runtime.clock_offset import ClockOffset
from proxy_addon.runtime.first_contact import FirstContact
from proxy_addon.runtime.health import Readiness, WorkerGroup, failing_tests, show_ledger
from proxy_addon.runtime.housekeeping import Heartbeat, RulesAudit, decision_log
from proxy_addon.runtime.ledger_opening import LedgerOpening
from proxy_addon.runtime.lifecycle import Lifecycle, runner_options
from proxy_addon.runtime.loop_handle import LoopHandle
from proxy_addon.runtime.notices import NoticesInLedger
from proxy_addon.runtime.reader_counts import ReaderCounts
from proxy_addon.runtime.updates import LedgerNews, RulesInForce
from proxy_addon.system import logging_setup, memory
from proxy_addon.system.clock import SystemClock, timer
from proxy_addon.system.dependencies import Dependencies
from proxy_addon.system.health import PartHealth, degraded
from proxy_addon.system.sealing import Sealer
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.app import employee_app, web_app
from proxy_addon.web.forms import Tokens
from proxy_addon.web.interface import HealthPages
from proxy_addon.web.ledger_executor import LedgerExecutor
from proxy_addon.web.notice_service import NoticeService
from proxy_addon.web.proxy_state import LiveProxyState
from proxy_addon.web.server import WebServer

log = structlog.get_logger("allowance.run")


class Application:
    """A complete proxy. Construct it, then `load`, `start`, run `runner`, `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        prunes: bool = True,
        worker_group: WorkerGroup | None = None,
        workers: Workers | None = None,
        ca_problem: str = "",
        kept_passwords: Path | None = None,
    ) -> None:
        """Raises RuleErrors, RuleTestsFailed, LedgerUnusable, PseudonymKeyError or CaError: nothing
        has been started then. A worker starts with the rules that were in force before, and without
        its ledger, where those of the settings cannot be used.

        `prunes`: this process deletes what is older than the retention, and takes over the journals
        of processes that died while it runs; one of several workers is enough. `worker_group`: the
        workers that its pages report on. `workers`: those that this one passes connections on to.
        `ca_problem`: why the CA is a copy, where it is one. `kept_passwords`: a copy of that file.
        """
        self.settings = settings
        self.dependencies = Dependencies()
        self._prunes = prunes
        self._workers, self._ca_problem = workers, ca_problem
        memory.limit_allocator()
        self.passwords = PasswordFile(settings.passwords, kept_passwords)
        self._open_rules_and_ca()
        self._open_ledger()
        self._wire_metering(worker_group)
        self._wire_writer()
        self._wire_web(worker_group)
        self.addon = AllowanceAddon(self._services())
        self._lifecycle = Lifecycle(
            loop=self._loop,
            options=self._runner_options,
            addon=self.addon,
            ledger=self.ledger,
            writer=self.writer,
            decisions=self.decisions,
            reloading=self.reloading,
            web=self.web,
            heartbeat=self._heartbeat,
            metrics=self.metrics,
            notices=self.notices,
            reader_counts=self._reader_counts if prunes else None,
        )

    # -- public interface

    def load(self) -> None:
        """Make the first contact with the ledger, and read what it knows of the windows that are
        still open. Where that is not possible now, the proxy starts without it.

        Raises LedgerError for what only other settings can mend; a process that is one of several
        workers starts all the same."""
        self._in_force.begin()
        self._contact.first(is_strict=self._prunes)
        languages.read_all()
        memory.settle()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start writing, and listening for what others write."""
        self._lifecycle.start(loop)
        self._contact.adopt()  # what came after `load`, while no loop could be told

    def runner(
        self, on_running: Callable[[], None], on_stopping: Callable[[], None] = lambda: None
    ) -> Runner:
        """The proxy itself."""
        return self._lifecycle.runner(on_running, on_stopping)

    def stop(self) -> int:
        """Write what is left; returns how many visits could not be written."""
        return self._lifecycle.stop() + self._visits.lost()

    # -- wiring

    def _open_rules_and_ca(self) -> None:
        settings = self.settings
        kept = LastGood(settings.state, settings.rules)
        self.live = LiveRules(
            settings.rules, tests=failing_tests, last_good=kept, keeps=self._prunes
        )
        self.live.load(strict=settings.strict and self._prunes)
        self.new_ca = ca.prepare(settings.confdir, makes=self._prunes)
        self._next_ca = ca_change.find(settings.confdir)
        self._runner_options = runner_options(settings, self._workers)

    def _open_ledger(self) -> None:
        self._loop = LoopHandle()
        self.clock = SystemClock(on_step=self._on_step)
        self._opening = LedgerOpening(
            self.settings, self.live.current, self.clock, is_strict=self._prunes
        )
        self.ledger, self._node = self._opening.ledger, self._opening.node
        self.names = self._opening.names
        self._clock_offset = ClockOffset(self.ledger, self.clock)

    def _wire_metering(self, worker_group: WorkerGroup | None) -> None:
        settings, rules = self.settings, self.live.current
        self.metrics = PrometheusMetrics()
        self._clock_offset.show = self.metrics.clock_offset.set
        pids = None if worker_group is None else worker_group.pids
        self._readers = PolicyReaders()
        self._reader_counts = ReaderCounts(self._who_has_read, self._readers)
        self.host = Host(settings.passwords.parent, ca.expires(settings.confdir), pids)
        self.mask: Mask = self.names.of if self.names else str
        self.decisions = decision_log(settings, self.clock, self.mask, self.metrics)
        # Only the ledger's name of a person is used in the queue, the journal and the database.
        self._visits = VisitNames(self.names, lambda visit: self.writer.put(visit))
        self.metering = assemble(
            rules,
            self._visits.put,
            numbered(f"{secrets.token_hex(8)}-"),  # a random prefix of this process
            self._node,
            metrics=self.metrics,
            timer=timer,
            mask=self.mask,
        )
        self.book, self.tracker, self.enforcer = self.metering
        self._heartbeat = Heartbeat(
            self._loop, self.clock, self.metering, self.metrics, logging_setup.dropped
        )
        self.notices = NoticesInLedger(self.ledger, self.enforcer.gate.book, self.mask)
        self.enforcer.gate.on_meeting = self.notices.met
        self._availability = LedgerAvailability(lambda: self.writer.state())
        self.enforcer.gate.is_closed = lambda: self._availability.is_away
        self._in_force = RulesInForce(
            self._loop,
            self.clock,
            self.metering,
            self.ledger,
            self.metrics,
            lambda: follow(self.addon),
            self.notices,
        )
        self._contact = FirstContact(
            self._opening,
            self._clock_offset,
            self._loop,
            self._in_force,
            self.book,
            lambda: self.writer,
            self._visits.release,
        )

    def _wire_writer(self) -> None:
        self._news = LedgerNews(self._loop, self.metering, self.mask, self.decisions, self.notices)
        self._audit = RulesAudit(
            self.ledger,
            self.clock,
            self.metering,
            self._node,
            pseudonyms=self.names is not None,
        )
        self.writer = Writer(
            self.ledger,
            flush_seconds=self.settings.flush,
            on_news=self._on_news,
            on_state=self._on_state,
            clock=self.clock,
            node=self._node,
            retention=(lambda: self.live.current.retention) if self._prunes else None,
            kept=lambda now: in_force_since(self.live.current.notices, now),
            journal=self._opening.journal,
            contact=self._contact.make,
        )

    def _wire_web(self, worker_group: WorkerGroup | None) -> None:
        settings = self.settings
        self._identifier = Identifier(
            lambda: self.enforcer.rules,
            self.passwords,
            settings,
            self.clock,
            self.metrics.signed_in,
        )
        self.live.subscribe(lambda prepared: self._identifier.prepare(prepared.rules.people))
        self.reloading = Reloading(self.live, self._swap, self._show_outcome)
        self.readiness = Readiness(
            self.clock,
            silent=self._heartbeat.silent,
            loop_lag=lambda: self._lifecycle.loop_lag.last,
            connections=lambda: self._lifecycle.connections(),
            draining=lambda: self._lifecycle.draining(),
            ledger=self.writer.state,
            place=self.ledger.place,
            rules=self._rules_health,
            dependencies=self.dependencies,
            metrics=self.metrics,
            host=self.host,
            versions=self.ledger.versions,
            worker_group=worker_group,
            others=(self._readers,),
        )
        self._depend()
        self._devices = DistrustingDevices(self.clock.now)
        self.proxy_state = LiveProxyState(
            self.enforcer,
            self.book,
            self.clock,
            HealthPages(self.readiness.health, self.readiness.status, self.readiness.expose),
            ca.certificate(settings.confdir),
            settings.listen.port,
            self.reloading,
            self._devices,
            self._next_ca.pem,
        )
        self.web = WebServer(web_app(self.proxy_state), settings.web)

    def _depend(self) -> None:
        """What every process depends on; other parts add theirs."""
        add, expires = self.dependencies.add, ca.expires(self.settings.confdir)
        add("ledger", lambda: reports.ledger_report(self.writer.state(), self.ledger.place))
        add("rules", lambda: reports.rules_report(self.live, self._in_force.since))
        add(
            "ca",
            lambda: reports.ca_report(expires, self._next_ca, self.clock.now(), self._ca_problem),
        )
        add("clock", lambda: reports.clock_report(self.clock, self._clock_offset.seconds))
        add("log", lambda: reports.log_report(logging_setup.dropped(), logging_setup.is_full()))

    def _services(self) -> Services:
        settings = self.settings
        self._way_back = Sealer(ca.key(settings.confdir).read_bytes(), "way back")
        targets = TargetGuard(settings, (settings.listen.port, settings.web.port))
        return Services(
            self.enforcer,
            self._identifier,
            ClientGuard(settings.client_networks),
            targets,
            Resolver(settings, targets),
            self.clock,
            self.metrics,
            self.metrics,
            self._employee_app(),
            settings.front_proxy_header,
            self.decisions,
            ClientGuard(settings.proxy_protocol),
            WorkerPlace() if self._workers is None else self._workers.place,
            self._way_back,
            self._devices,
            settings.client_connections,
        )

    def _employee_app(self) -> App:
        admin = self._admin_service()
        notices = NoticeService(
            admin.ledger,
            admin.engine,
            self.enforcer.gate,
            self.clock,
            self._way_back,
            self.enforcer.limited,
            admin.executor,
            lambda name: self.enforcer.known(name, self.clock.now()),
        )
        return employee_app(self.proxy_state, admin, notices)

    def _admin_service(self) -> AdminService:
        return AdminService(
            ledger=PseudonymLedger(self.ledger, self.names) if self.names else self.ledger,
            engine=lambda: self.enforcer.engine,
            clock=self.clock,
            tokens=Tokens(ca.key(self.settings.confdir).read_bytes()),  # the same in every worker
            counted=self.metrics,
            state=self.writer.state,
            wake=self.writer.wake,
            loaded=lambda: self._in_force.since,
            problems=lambda: self.live.outcome.problems,
            would_block=lambda: would_have_stopped(counted(self.metrics.registry)),
            users=self.passwords.users,
            executor=LedgerExecutor(availability=self._availability),
            names=self.names,
            workers=self.settings.workers,
        )

    # -- callbacks between parts

    def _swap(self, prepared: CompiledPolicy) -> None:
        """On the event loop: put other rules into force."""
        self._in_force.swap(prepared)
        self._reader_counts.wake()

    def _on_news(self, news: News) -> None:
        """On the writer's thread."""
        self._news.arrived(news)
        if news.acknowledgements or news.meetings or news.erasures:
            self._reader_counts.wake()

    def _who_has_read(self) -> Iterable[NoticeStatus]:
        """On a thread of its own."""
        engine = self.enforcer.engine
        known: Iterable[str] = ()
        if self.names is not None:
            known = known_names(engine.rule_set, self.passwords.users())
        return read_status(self.ledger, engine, self.clock.now(), mask=self.mask, known=known)

    def _on_state(self, state: WriterState) -> None:
        """On a thread of the writer."""
        if state.up:
            self._audit.note()
            self._clock_offset.look()
            if self._prunes:
                self._opening.sweeper.sweep()
        self._loop.call(self.book.ledger_away, not state.up)
        show_ledger(self.metrics, state)

    def _on_step(self, before: float, after: float) -> None:
        log.warning("the wall clock was set", seconds=round(after - before, 1), charged=0)
        self._loop.call(lambda: self.enforcer.stepped(before))

    def _rules_health(self) -> PartHealth:
        found, warnings = self.reloading.check(), self.notices.warnings()
        return degraded("; ".join(warnings)) if found.ok and warnings else found

    def _show_outcome(self, outcome: Outcome) -> None:
        self.metrics.rules_ok.set(1 if outcome.ok else 0)
