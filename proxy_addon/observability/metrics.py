"""Metrics for Prometheus. Labels are platforms, roles, allowances and codes: never a person, never
a host.

What there is to count is in `metric_families.py`. What is counted here is the worker's own;
`exposition.py` adds what belongs to the host and sums up several workers.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Activity, Decision, Person, Reason, Verdict
from proxy_addon.observability.decision_log import DROP_REASONS
from proxy_addon.observability.metric_families import (
    BUDGETS,
    CUTS,
    DIRECTIONS,
    FREE,
    HOOKS,
    LEDGER_ERRORS,
    NOBODY,
    OTHER,
    OTHERWISE,
    OUTCOMES,
    PAGE,
    SIGN_INS,
    TUNNELS,
    UPSTREAM_ERRORS,
    CachedSeries,
    LabelValues,
    MetricFamilies,
)

MAX_HOOKS = 64  # different hooks of our own code, and different ledger errors, that have a series


class PrometheusMetrics:
    """Implements the protocols of `observability.interface`. Each has its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._families = families = MetricFamilies(self.registry)
        self.active_people = families.usage.active_people
        self.ledger_flush = families.storage.ledger_flush
        self.ledger_pending = families.storage.ledger_pending
        self.ledger_up = families.storage.ledger_up
        self.clock_offset = families.storage.clock_offset
        self.journal_bytes = families.storage.journal_bytes
        self.journal_visits = families.storage.journal_visits
        self.visits_refused = families.storage.visits_refused
        self.rules_ok = families.rules.rules_ok

        self._digest = ""
        self._seen: dict[
            tuple[str, str], int
        ] = {}  # what has been counted of a number since the start
        self._hooks_seen: set[str] = set()
        self._out: set[int] = (
            set()
        )  # who has run out of which allowance, as hashes: no name is kept here
        self._platform = self._role = self._allowance = self._observed = LabelValues()
        self._requests = CachedSeries(families.usage.requests, self._request_labels)
        self._attention = CachedSeries(families.usage.attention, self._attention_labels)
        self._ignored = CachedSeries(families.usage.ignored, self._ignored_labels)
        self._tunnels = CachedSeries(families.operation.tunnels, _tunnel_labels)
        self._bytes = CachedSeries(families.operation.bytes, _direction_labels)
        self._start()

    def _start(self) -> None:
        """Series that exist from the start, so that a rate sees the first event, too."""
        self.ledger_up.set(1)  # it was checked before anything is counted
        for counter, words in (
            (self._families.operation.tunnels, TUNNELS),
            (self._families.usage.cut, CUTS),
            (self._families.operation.bytes, DIRECTIONS),
            (self._families.operation.upstream_errors, UPSTREAM_ERRORS),
            (self._families.operation.sign_ins, SIGN_INS),
            (self._families.operation.tls_failed, (PAGE,)),
            (self._families.storage.lost, ("no-room",)),
            (self._families.storage.decisions_dropped, DROP_REASONS),
            (self._families.storage.ledger_errors, LEDGER_ERRORS),
            (self._families.operation.errors, HOOKS),
            (self._families.operation.refused, BUDGETS),
        ):
            for word in words:
                counter.labels(word)

    def rules(self, rules: RuleSet, at: float) -> None:
        """Rules came into force at the instant `at`."""
        if self._digest and self._digest != rules.digest[:12]:
            self._families.rules.rules_info.labels(self._digest).set(
                0
            )  # `exposition` leaves it out; a shared file cannot
        self._digest = rules.digest[:12]
        self._families.rules.rules_info.labels(self._digest).set(1)
        self._families.rules.rules_loaded.set(at)
        self.rules_ok.set(1)
        roles = rules.roles | {"admin", NOBODY}
        self._platform = LabelValues({*rules.platforms, PAGE})
        self._role = LabelValues(roles)
        self._allowance = LabelValues({*rules.allowances, FREE})
        # The name of a rule about people may identify them.
        self._observed = LabelValues(
            {OTHERWISE, *(rule.name for rule in rules.rules if rule.observes and not rule.users)}
        )
        for series in (self._requests, self._attention, self._ignored):
            series.clear()
        # Series that begin at zero: what happens for the first time would not be seen as an
        # increase.
        for platform in rules.limited:
            self._families.usage.given_back.labels(platform)
        for allowance in rules.allowances:
            self._families.usage.notices.labels(allowance)
            for outcome in OUTCOMES:
                self._families.usage.time_requests.labels(allowance, outcome)
            for role in roles:
                self._families.usage.exhausted.labels(allowance, role)

    # -- the engine (observability.interface.Metrics)

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """See `observability.interface.Metrics`."""
        self._families.operation.decision.observe(seconds)
        if decision.reason is not Reason.NOT_LIMITED:
            self._requests(
                decision.platform,
                person.roles[0],
                decision.verdict,
                decision.reason,
                decision.would_block,
            ).inc()
            if decision.would_block:
                self._tried_out(person, decision)
            if decision.allowance is not None and decision.would is None:
                self._balance(person, decision)

    def _request_labels(
        self, platform: str | None, role: str, verdict: Verdict, reason: Reason, would_block: bool
    ) -> tuple[str, ...]:
        shown = "would_block" if would_block else verdict.value
        return self._platform(platform), self._role(role), shown, reason.value

    def _attention_labels(self, platform: str, role: str, allowance: str | None) -> tuple[str, ...]:
        charged = self._allowance(FREE if allowance is None else allowance)
        return self._platform(platform), self._role(role), charged

    def _ignored_labels(self, platform: str, activity: Activity) -> tuple[str, ...]:
        return self._platform(platform), activity.value

    def _tried_out(self, person: Person, decision: Decision) -> None:
        rule = self._observed(OTHERWISE if decision.rule is None else decision.rule)
        self._families.usage.would_block.labels(
            rule, self._platform(decision.platform), self._role(person.roles[0])
        ).inc()

    def _balance(self, person: Person, decision: Decision) -> None:
        """Somebody is out of time from the first refusal or cut until a request is allowed
        again."""
        if decision.reason is Reason.EXHAUSTED:
            self.exhausted(person, decision.allowance or "", 0.0)
        elif self._out and decision.reason is Reason.WITHIN:
            self._out.discard(hash((person.name, decision.allowance)))

    def attention(
        self, person: Person, platform: str, allowance: str | None, seconds: float
    ) -> None:
        """See `observability.interface.Metrics`."""
        self._attention(platform, person.roles[0], allowance).inc(seconds)

    def given_back(self, person: Person, platform: str, seconds: float) -> None:
        """See `observability.interface.Metrics`."""
        self._families.usage.given_back.labels(self._platform(platform)).inc(seconds)

    def ignored(self, person: Person, platform: str, activity: Activity) -> None:
        """See `observability.interface.Metrics`."""
        self._ignored(platform, activity).inc()

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """See `observability.interface.Metrics`. Once for each time that it runs out, however often
        that is noticed."""
        key = hash((person.name, allowance))
        if key in self._out:
            return
        self._out.add(key)
        self._families.usage.exhausted.labels(
            self._allowance(allowance), self._role(person.roles[0])
        ).inc()

    def cut(self, kind: str, delay: float) -> None:
        """See `observability.interface.Metrics`."""
        self._families.usage.cut.labels(kind if kind in CUTS else OTHER).inc()
        self._families.usage.cut_delay.observe(delay)

    def failed(self, where: str) -> None:
        """See `observability.interface.Metrics`."""
        if where not in self._hooks_seen and len(self._hooks_seen) >= MAX_HOOKS:
            where = OTHER
        self._hooks_seen.add(where)
        self._families.operation.errors.labels(where).inc()

    # -- connections (observability.interface.Traffic)

    def connections(self, open_now: int) -> None:
        """How many client connections are open."""
        self._families.operation.connections.set(open_now)

    def accepted(self) -> None:
        """A client connection was accepted."""
        self._families.operation.accepted.inc()

    def tunnel(self, how: str) -> None:
        """A tunnel was passed, decrypted, metered or refused."""
        self._tunnels(how).inc()

    def refused(self, budget: str) -> None:
        """Something was refused because a budget was used up."""
        self._families.operation.refused.labels(budget if budget in BUDGETS else OTHER).inc()

    def volume(self, to_site: int, from_site: int) -> None:
        """So many more bytes went to a site, and came from it."""
        self._bytes(DIRECTIONS[0]).inc(to_site)
        self._bytes(DIRECTIONS[1]).inc(from_site)

    def upstream_failed(self, kind: str) -> None:
        """A connection to a site could not be opened, or not be trusted: one of UPSTREAM_ERRORS."""
        self._families.operation.upstream_errors.labels(
            kind if kind in UPSTREAM_ERRORS else OTHER
        ).inc()

    def tls_failed(self, platform: str) -> None:
        """A client did not accept our certificate."""
        self._families.operation.tls_failed.labels(self._platform(platform)).inc()

    def signed_in(self, result: str) -> None:
        """A password was checked: one of SIGN_INS."""
        self._families.operation.sign_ins.labels(result if result in SIGN_INS else OTHER).inc()

    def notice(self, allowance: str) -> None:
        """A heads-up page was shown."""
        self._families.usage.notices.labels(self._allowance(allowance)).inc()

    def time_requested(self, allowance: str, outcome: str) -> None:
        """More time was asked for, granted or refused: one of OUTCOMES."""
        self._families.usage.time_requests.labels(
            self._allowance(allowance), outcome if outcome in OUTCOMES else OTHER
        ).inc()

    def lag(self, seconds: float, turn: float) -> None:
        """A timer on the event loop was late by so much, and something that is decrypted waited so
        long for its turn."""
        self._families.operation.loop_lag.observe(seconds)
        self._families.operation.turn_wait.observe(turn)

    # -- the ledger

    def ledger_failed(self, kind: str, since_start: int) -> None:
        """`since_start` reads or writes have failed for the reason `kind`."""
        kind = kind if kind in LEDGER_ERRORS else OTHER
        self._families.storage.ledger_errors.labels(kind).inc(
            self._new("ledger", kind, since_start)
        )

    def lost(self, since_start: Mapping[str, int]) -> None:
        """Visits given up since the start, by why: no-room."""
        for why, count in since_start.items():
            self._families.storage.lost.labels(why).inc(self._new("lost", why, count))

    def journal_dropped(self, since_start: int) -> None:
        """So many times a visit could not be put into the journal."""
        self._families.storage.journal_dropped.inc(self._new("journal", "dropped", since_start))

    def log_dropped(self, since_start: int) -> None:
        """So many lines of this process's log were dropped."""
        self._families.operation.log_dropped.inc(self._new("log", "dropped", since_start))

    def decisions_dropped(self, why: str, lines: int) -> None:
        """So many lines of the decision log were given up. Any thread."""
        self._families.storage.decisions_dropped.labels(why if why in DROP_REASONS else OTHER).inc(
            lines
        )

    def _new(self, of: str, kind: str, since_start: int) -> int:
        new = max(0, since_start - self._seen.get((of, kind), 0))
        self._seen[of, kind] = since_start
        return new


class NoMetrics:
    """Counts nothing: for simulations and tests that look at visits."""

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """Does nothing."""

    def attention(
        self, person: Person, platform: str, allowance: str | None, seconds: float
    ) -> None:
        """Does nothing."""

    def given_back(self, person: Person, platform: str, seconds: float) -> None:
        """Does nothing."""

    def ignored(self, person: Person, platform: str, activity: Activity) -> None:
        """Does nothing."""

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """Does nothing."""

    def cut(self, kind: str, delay: float) -> None:
        """Does nothing."""

    def failed(self, where: str) -> None:
        """Does nothing."""


def _tunnel_labels(how: str) -> tuple[str, ...]:
    return (how if how in TUNNELS else OTHER,)


def _direction_labels(direction: str) -> tuple[str, ...]:
    return (direction,)
