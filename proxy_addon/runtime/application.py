"""The composition root: settings in, everything wired out. The only module that knows all others."""

from __future__ import annotations

import asyncio
import itertools
import math
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from db.address import parse
from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.config.settings import Settings
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Visit
from proxy_addon.identity.identification import Identifier
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.identity.pseudonyms import Mask, Pseudonyms
from proxy_addon.ledger.interface import Erasure, LedgerError, News
from proxy_addon.ledger.journal import Journal, replay
from proxy_addon.ledger.pseudonymous import PseudonymLedger, masked, settled
from proxy_addon.ledger.writer import Writer, WriterState
from proxy_addon.metering.enforcer import Enforcer
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.metering.visit_tracker import VisitTracker
from proxy_addon.network.guards import ClientGuard, Resolver, TargetGuard
from proxy_addon.observability.decision_log import DecisionLog
from proxy_addon.observability.exposition import Host, counted, exposed, would_have_stopped
from proxy_addon.observability.metrics import LoopLag, PrometheusMetrics
from proxy_addon.proxy import ca
from proxy_addon.proxy.addon import AllowanceAddon
from proxy_addon.proxy.master import Runner, RunnerOptions
from proxy_addon.proxy.rule_changes import follow
from proxy_addon.proxy.services import Services
from proxy_addon.rule_tests.runner import run_folder
from proxy_addon.rules.active import LiveRules, Outcome
from proxy_addon.rules.last_good import LastGood
from proxy_addon.rules.reloader import Reloading
from proxy_addon.system.clock import SystemClock, timer
from proxy_addon.system.health import FINE, PartHealth, down
from proxy_addon.web.admin_service import AdminService
from proxy_addon.web.app import employee_app, web_app
from proxy_addon.web.forms import Tokens
from proxy_addon.web.ledger_executor import LedgerExecutor
from proxy_addon.web.proxy_state import ACTIVE, LiveProxyState
from proxy_addon.web.server import WebServer

log = structlog.get_logger("allowance.run")

TURN = 1.0  # seconds between two signs of life of the event loop
COUNT_PEOPLE = 5  # turns between two counts of active people
FORGET = 3600  # turns between two times that memory is freed of what no window reaches any more
SWEEP = 1.0  # seconds between two looks for journals that processes of this host have left
LOOP_STALE = 5.0  # seconds without a turn after which the loop counts as stuck


class Application:
    """A whole proxy, wired. Make it, `start` it, run `runner`, `stop` it."""

    def __init__(self, settings: Settings, *, prunes: bool = True) -> None:
        """Raises RuleErrors, RuleTestsFailed, LedgerError or CaError: nothing has been started then.

        `prunes`: this process deletes what is older than the retention, and takes over the journals of processes
        that died while it runs; one of several workers is enough.
        """
        self.settings = settings
        kept = LastGood(settings.state, settings.rules)
        self.live = LiveRules(settings.rules, tests=_failures, last_good=kept, keeps=prunes)
        rules = self.live.load(strict=settings.strict)
        self.new_ca = ca.prepare(settings.confdir)
        trusted = ca.trusted(settings.confdir, settings.upstream_ca)
        upgrade(settings.database)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.clock = SystemClock(on_step=self._on_step)
        node = f"{socket.gethostname()}:{secrets.token_hex(4)}"
        self.ledger = SqlLedger(settings.database, node)
        self.ledger.check()
        self._node, self._audited = node, ""
        self._prunes, self._sweep_at = prunes, 0.0
        self._journals = self._journal_folder()
        self._take_over(warns=True)
        journal = Journal(self._journals, node, parse(settings.database).identity)
        self.metrics = PrometheusMetrics()
        self.host = Host(settings.passwords.parent, ca.expires(settings.confdir))
        self.names = self._pseudonyms(rules)
        self.mask: Mask = self.names.of if self.names else str
        self.book = UsageBook(self.mask)
        self.writer = Writer(
            self.ledger,
            flush_seconds=settings.flush,
            on_news=self._on_news,
            on_state=self._on_state,
            clock=self.clock,
            node=node,
            retention=(lambda: self.live.current.retention) if prunes else None,
            cursor=self.ledger.news(math.inf).cursor,
            journal=journal,
        )
        self.attention = VisitTracker(self.book, self.metrics, self._put, _ids(), node)
        self.enforcer = Enforcer(rules, self.book, self.attention, self.metrics, timer)
        self._turned, self._turns = self.clock.now(), 0
        self._loaded_since = self._rules_at = self._turned
        self._runner: Runner | None = None
        self.decisions = self._decision_log(settings)
        self.addon = self._addon(settings)
        self.web = WebServer(web_app(self.office), settings.web)
        self.options = RunnerOptions(
            settings.listen, settings.confdir, trusted, settings.upstream_proxy, settings.drain
        )
        self.metrics.rules(rules, self.clock.now())
        self.live.subscribe(
            lambda prepared: self.addon.services.identifier.prepare(prepared.rules.people)
        )
        self.reloading = Reloading(self.live, self._swap, self._told)
        self.office.reloading = self.reloading

    def _addon(self, settings: Settings) -> AllowanceAddon:
        targets = TargetGuard(settings, (settings.listen.port, settings.web.port))
        identifier = Identifier(
            lambda: self.enforcer.rules,
            PasswordFile(settings.passwords),
            settings,
            self.clock,
            self.metrics.signed_in,
        )
        self.office = LiveProxyState(
            self.enforcer,
            self.book,
            self.clock,
            self.checks,
            self.expose,
            ca.certificate(settings.confdir),
            settings.listen.port,
        )
        services = Services(
            self.enforcer,
            identifier,
            ClientGuard(settings.client_networks),
            targets,
            Resolver(settings, targets),
            self.clock,
            self.metrics,
            self.metrics,
            employee_app(self.office, self._admin_service(settings)),
            settings.front_proxy_header,
            self.decisions,
        )
        return AllowanceAddon(services)

    def _decision_log(self, settings: Settings) -> DecisionLog | None:
        if settings.decision_log is None:
            return None
        return DecisionLog(
            settings.decision_log,
            self.clock,
            sample=settings.decision_log_sample,
            days=settings.decision_log_days,
            mask=self.mask,
            dropped=self.metrics.decisions_dropped,
        )

    def _admin_service(self, settings: Settings) -> AdminService:
        passwords = PasswordFile(settings.passwords)
        return AdminService(
            ledger=PseudonymLedger(self.ledger, self.names) if self.names else self.ledger,
            engine=lambda: self.enforcer.engine,
            clock=self.clock,
            tokens=Tokens(ca.key(settings.confdir).read_bytes()),  # every worker of a host has it
            counted=self.metrics,
            state=self.writer.state,
            wake=self.writer.wake,
            loaded=lambda: self._rules_at,
            problems=lambda: self.live.outcome.problems,
            would_block=lambda: would_have_stopped(counted(self.metrics.registry)),
            users=passwords.users,
            executor=LedgerExecutor(),
            names=self.names,
            workers=settings.workers,
        )

    def _pseudonyms(self, rules: RuleSet) -> Pseudonyms | None:
        """How the ledger calls people, None: by their names. Names from before are replaced first."""
        if not rules.pseudonyms:
            return None
        names = settled(self.ledger, self.settings.pseudonym_key, self.clock.now())
        if changed := self.ledger.mask_names(names.of, names.actor):
            log.info("names in the ledger became pseudonyms", names=changed)
        return names

    def _journal_folder(self) -> Path:
        address = parse(self.settings.database)
        beside = address.file.parent if address.is_sqlite else Path("var")
        return self.settings.journal or beside / "journal"

    def _take_over(self, *, warns: bool = False) -> None:
        """Write to the ledger what processes of this host had no time to write themselves."""
        replay(self._journals, parse(self.settings.database).identity, self.ledger, warns=warns)

    def _sweep(self) -> None:
        """On the writer's thread, while the ledger is up: a worker, or another proxy of this host, may have died in
        an outage. It has no need to wait for the next start of the service."""
        if self._prunes and timer() >= self._sweep_at:
            self._sweep_at = timer() + SWEEP
            with suppress(LedgerError, OSError):  # another time
                self._take_over()

    def _put(self, visit: Visit) -> None:
        """From here on only the ledger's name of a person is known: in the queue, the journal, the database."""
        self.writer.put(masked(visit, self.mask))

    # -- life

    def load(self) -> None:
        """Read what the ledger knows of the windows that are still open. Raises LedgerError."""
        self._loaded_since = self.enforcer.engine.needed_since(self.clock.now())
        self.book.adopt(self.ledger.histories(self._loaded_since))
        self.book.load((), self.ledger.grants(self._loaded_since))

    def _widen(self) -> None:
        """Rules with a longer window than those of the start: read what lies further back, off the loop."""
        since, until = self.enforcer.engine.needed_since(self.clock.now()), self._loaded_since
        if since >= until:
            return
        self._loaded_since = since
        threading.Thread(
            target=self._read_back, args=(since, until), name="ledger-past", daemon=True
        ).start()

    def _read_back(self, since: float, until: float) -> None:
        try:
            visits, grants = list(self.ledger.visits(since)), self.ledger.grants(since)
        except LedgerError as problem:
            log.warning("the past that the new rules need is not known yet", because=str(problem))
            self._loaded_since = until  # the next change of the rules tries again
            return
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.book.load, visits, grants)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to write, and to listen to what others write."""
        self._loop = loop
        LoopLag(self.metrics).start(loop)
        self.writer.start()
        if self.decisions is not None:
            self.decisions.start()
        self.ledger.attend(self.writer.wake)
        self.reloading.start(loop)
        self._turn()

    def _turn(self) -> None:
        self._turned = self.clock.now()
        if (
            self._turns % COUNT_PEOPLE == 0
        ):  # here, because other threads must not walk through the clocks
            self.metrics.active_people.set(self.attention.active(self._turned - ACTIVE))
        self._turns += 1
        if self._turns % FORGET == 0:
            self.book.forget(self.enforcer.engine.needed_since(self._turned))
        if self._loop is not None:
            self._loop.call_later(TURN, self._turn)

    def runner(
        self, on_running: Callable[[], None], on_stopping: Callable[[], None] = lambda: None
    ) -> Runner:
        """The proxy itself."""
        self._runner = Runner(self.options, self.addon, on_running, on_stopping)
        return self._runner

    def stop(self) -> int:
        """Write what is left; how many visits could not be written."""
        self._loop = None
        self.reloading.stop()
        lost = self.writer.stop(self.settings.drain)
        self.web.stop()
        self.ledger.close()
        self.addon.services.identifier.close()
        self.addon.services.resolver.close()
        if self.decisions is not None:
            self.decisions.stop()
        return lost

    # -- news from other threads

    def _on_news(self, news: News) -> None:
        if self._loop is not None and news.erasures:
            self._loop.call_soon_threadsafe(self._drop_erased, news.erasures)
        if self._loop is not None and (news.visits or news.grants):
            self._loop.call_soon_threadsafe(self.book.load, news.visits, news.grants)

    def _drop_erased(self, erasures: tuple[Erasure, ...]) -> None:
        """Somebody was erased: nothing of them stays in memory."""
        if self.decisions is not None:
            self.decisions.erase(lambda known: any(erasure.names(known) for erasure in erasures))
        names = {*self.book, *(name for name, _ in self.attention.watched())}
        gone = [
            name for name in names if any(erasure.names(self.mask(name)) for erasure in erasures)
        ]
        for name in gone:
            self.book.drop(name)
            self.attention.drop(name)
            self.enforcer.drop(name)
        if gone:
            self.enforcer.use(
                self.enforcer.rules
            )  # an engine keeps names to be quick; a new one has none
            log.info("somebody was erased and is forgotten here", people=len(gone))

    def _audit_rules(self) -> None:
        """On the writer's thread, after a flush: tell the ledger once which rules are in force here."""
        rules = self.enforcer.rules
        digest = rules.digest
        if digest != self._audited:
            if rules.pseudonyms != (self.mask is not str):
                log.warning("privacy: pseudonyms changes at the next start; restart all proxies")
            with suppress(LedgerError):  # the next flush tries again
                self.ledger.rules_in_force(digest, self.clock.now(), self._node)
                self._audited = digest

    def _on_state(self, state: WriterState) -> None:
        if state.up:
            self._audit_rules()
            self._sweep()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.book.ledger_away, not state.up)
        self.metrics.ledger_up.set(1 if state.up else 0)
        self.metrics.ledger_pending.set(state.pending)
        if state.up and state.flush_seconds is not None:
            self.metrics.ledger_flush.observe(state.flush_seconds)
        for kind, count in state.errors.items():
            self.metrics.ledger_failed(kind, count)
        self.metrics.journal_dropped(state.journal_dropped)
        self.metrics.journal_bytes.set(state.journal_bytes)
        self.metrics.journal_visits.set(state.journal_visits)
        self.metrics.lost({"no-room": state.dropped, "refused": state.refused})

    def _on_step(self, before: float, after: float) -> None:
        log.warning("the wall clock was set", seconds=round(after - before, 1), charged=0)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.enforcer.stepped, before)

    def _swap(self, prepared: CompiledPolicy) -> None:
        """On the event loop: other rules are in force."""
        self.enforcer.swap(prepared, self.clock.now())
        follow(self.addon)
        self._widen()
        self._rules_at = self.clock.now()
        self.metrics.rules(prepared.rules, self._rules_at)

    def _told(self, outcome: Outcome) -> None:
        self.metrics.rules_ok.set(1 if outcome.ok else 0)

    # -- state

    def checks(self) -> dict[str, PartHealth]:
        """How each part is."""
        silent = self.clock.now() - self._turned
        stale = f"the event loop has not turned for {silent:.0f} s"
        draining = self._runner is not None and self._runner.draining
        return {
            "proxy": down("draining: no new connections") if draining else FINE,
            "loop": FINE if silent < LOOP_STALE else down(stale),
            "ledger": ledger_health(self.writer.state()),
            "rules": self.reloading.check(),
        }

    def expose(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics, in the format that `accept` prefers, and its content type."""
        return exposed(self.metrics.registry, self.host, accept)


def _failures(folder: Path, rules: RuleSet) -> list[str]:
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


def ledger_health(state: WriterState) -> PartHealth:
    """How the ledger is doing: fine, or what is wrong, since when, and where visits are meanwhile."""
    if state.up:
        return FINE
    words = f"down: {state.message}"
    if state.away_since is not None:
        since = datetime.fromtimestamp(state.away_since, UTC).isoformat(timespec="seconds")
        words = f"down since {since}: {state.message}"
    journal = (
        state.journal_message
        or f"{state.journal_visits} in the journal ({state.journal_bytes} bytes)"
    )
    dropped = f", {state.journal_dropped} found no room there" if state.journal_dropped else ""
    return down(f"{words}; {state.pending} visits wait, {journal}{dropped}")


def _ids() -> Callable[[], str]:
    """Ledger ids: a random prefix of this process and a number."""
    prefix = secrets.token_hex(8)
    numbers = itertools.count(1)
    return lambda: f"{prefix}-{next(numbers)}"
