"""Metrics for Prometheus. Labels are platforms, roles, allowances and codes: never a person, never a host.

A label takes only words of the rules in force and of the lists below; whatever else comes is counted as `other`.
So the number of series is bounded by the rules, whatever clients send. What is counted here is the worker's own;
`scrape.py` adds what belongs to the host and sums up several workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Activity, Decision, Person, Reason
from proxy_addon.observability.decision_log import WHYS

disable_created_metrics()

DECISION_BUCKETS = (5e-6, 1e-5, 2e-5, 4e-5, 6e-5, 1e-4, 2.5e-4, 1e-3, 1e-2)
CUT_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
FLUSH_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

OTHER = "other"
FREE = "free"  # the allowance of attention that is not charged
PAGE = "allowance"  # the platform of the employee's own page
NOBODY = "nobody"  # the role of somebody who is refused for want of a name
TUNNELS = ("passed", "decrypted", "metered", "refused")
CUTS = ("http", "websocket", "tunnel")
DIRECTIONS = ("to_sites", "from_sites")
UPSTREAM_ERRORS = (
    "dns",
    "refused",
    "timeout",
    "unreachable",
    "certificate",
    "tls",
    "not_allowed",
    "cancelled",
    OTHER,
)
SIGN_INS = ("right", "wrong", "throttled", "failed")
LEDGER_ERRORS = (
    "locked",
    "full",
    "unreachable",
    "slow",
    "schema",
    "stopped",
    "sign-in",
    "refused",
    "internal",
    "newer",
    "foreign",
    "readonly",
    "journal",
    OTHER,
)
HOOKS = (
    "requestheaders",
    "http_connect",
    "next_layer",
    "client_connected",
    "server_connect",
    "look",
    "over",
)
OUTCOMES = ("asked", "granted", "refused")  # of requests for more time
WOULD_BLOCK = "allowance_would_block"
OTHERWISE = "otherwise"  # the rule of what no rule names
MOST_PLACES = 64  # different hooks of our own code, and different ledger errors, that have a series


class Words:
    """The values that a label takes; any other becomes `other`."""

    def __init__(self, words: Collection[str] = ()) -> None:
        self._words = frozenset(words)

    def __call__(self, word: str | None) -> str:
        return word if word is not None and word in self._words else OTHER


class PrometheusMetrics:
    """Implements the protocols of `observability.interface`. Each has its own registry."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"allowance_{name}", text, labels, registry=registry)

        def gauge(
            name: str, text: str, *labels: str, workers: Literal["livesum", "livemin", "livemax"]
        ) -> Gauge:
            return Gauge(
                f"allowance_{name}", text, labels, registry=registry, multiprocess_mode=workers
            )

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"allowance_{name}", text, registry=registry, buckets=buckets)

        # What people get
        self._requests = counter(
            "requests_total",
            "Requests to limited platforms by verdict; would_block: a rule that is only observed.",
            "platform",
            "role",
            "verdict",
            "reason",
        )
        self._attention = counter(
            "attention_seconds_total",
            "Seconds of attention; allowance 'free' is not charged.",
            "platform",
            "role",
            "allowance",
        )
        self._given_back = counter(
            "given_back_seconds_total",
            "Seconds given back because a machine had extended a visit.",
            "platform",
        )
        self._ignored = counter(
            "ignored_total",
            "Requests that cost nothing, by what they were.",
            "platform",
            "activity",
        )
        self._exhausted = counter(
            "exhausted_total", "Times an allowance ran out.", "allowance", "role"
        )
        self._cut = counter("cut_total", "Running things ended because time was up.", "kind")
        self._cut_delay = histogram("cut_delay_seconds", "From time up to cut.", CUT_BUCKETS)
        self._notices = counter("notices_total", "Heads-up pages shown.", "allowance")
        self._would_block = counter(
            WOULD_BLOCK.removeprefix("allowance_") + "_total",
            "Requests that a rule with mode: observe would have stopped, by rule.",
            "rule",
            "platform",
            "role",
        )
        self._time_requests = counter(
            "time_requests_total",
            "Requests for more minutes: asked on the employee's page; granted or refused on the admin page (not "
            "on the command line).",
            "allowance",
            "outcome",
        )
        self.active_people = gauge(
            "active_people",
            "People with an activity in the last five minutes (somebody at two workers counts twice).",
            workers="livesum",
        )

        # How the proxy does
        self._decision = histogram(
            "decision_seconds", "Time taken by a decision.", DECISION_BUCKETS
        )
        self._errors = counter("errors_total", "Failures of our own code, by hook.", "where")
        self._loop_lag = histogram(
            "loop_lag_seconds", "How late a timer of 100 ms on the event loop was.", LAG_BUCKETS
        )
        self._connections = gauge(
            "connections_open", "Client connections that are open.", workers="livesum"
        )
        self._accepted = counter(
            "connections_accepted_total", "Client connections accepted since the start."
        )
        self._tunnels = counter(
            "tunnels_total",
            "Tunnels by what was done with them: passed, decrypted, metered or refused.",
            "how",
        )
        self._bytes = counter(
            "upstream_bytes_total",
            "Bytes exchanged with sites, as the kernel counted them.",
            "direction",
        )
        self._upstream_errors = counter(
            "upstream_errors_total",
            "Connections to sites that could not be opened or not be trusted.",
            "kind",
        )
        self._tls_failed = counter(
            "tls_failed_total", "Clients that did not accept our certificate.", "platform"
        )
        self._sign_ins = counter("sign_in_total", "Passwords checked, by result.", "result")

        # The ledger, its journal and the rules
        self.ledger_flush = histogram(
            "ledger_flush_seconds", "Time taken to write to the ledger.", FLUSH_BUCKETS
        )
        self.ledger_pending = gauge(
            "ledger_pending", "Visits waiting to be written.", workers="livesum"
        )
        self._ledger_errors = counter(
            "ledger_errors_total", "Failed writes and reads by kind.", "kind"
        )
        self.ledger_up = gauge(
            "ledger_up", "1 while the ledger can be written to.", workers="livemin"
        )
        self.journal_bytes = gauge(
            "journal_bytes",
            "Size of the journal that keeps visits while the ledger is away.",
            workers="livesum",
        )
        self.journal_visits = gauge(
            "journal_visits", "Visits held by the journal.", workers="livesum"
        )
        self._journal_dropped = counter(
            "journal_dropped_total",
            "Times a visit found no room in the journal, or its disk failed.",
        )
        self._lost = counter(
            "visits_lost_total",
            "Visits given up: no room in memory, or refused by the ledger.",
            "why",
        )
        self._decisions_dropped = counter(
            "decision_log_dropped_total",
            "Lines of the decision log given up: too many at once, or no disk.",
            "why",
        )
        self._rules_loaded = gauge(
            "rules_loaded_timestamp_seconds",
            "When the rules in force were loaded.",
            workers="livemin",
        )
        self.rules_ok = gauge(
            "rules_last_reload_ok",
            "1 when the last reading of the rules succeeded.",
            workers="livemin",
        )
        self._rules_info = gauge(
            "rules_info", "The rules in force, by digest.", "digest", workers="livemax"
        )

        self._digest = ""
        self._seen: dict[
            tuple[str, str], int
        ] = {}  # what has been counted of a number since the start
        self._places: set[str] = set()
        self._out: set[int] = (
            set()
        )  # who has run out of which allowance, as hashes: no name is kept here
        self._platform = self._role = self._allowance = self._observed = Words()
        self._start()

    def _start(self) -> None:
        """Series that exist from the start, so that a rate sees the first event, too."""
        self.ledger_up.set(1)  # it has been proved before anything is counted
        for counter, words in (
            (self._tunnels, TUNNELS),
            (self._cut, CUTS),
            (self._bytes, DIRECTIONS),
            (self._upstream_errors, UPSTREAM_ERRORS),
            (self._sign_ins, SIGN_INS),
            (self._tls_failed, (PAGE,)),
            (self._lost, ("no-room", "refused")),
            (self._decisions_dropped, WHYS),
            (self._ledger_errors, LEDGER_ERRORS),
            (self._errors, HOOKS),
        ):
            for word in words:
                counter.labels(word)

    def rules(self, rules: RuleSet, at: float) -> None:
        """Rules came into force at the instant `at`."""
        if self._digest and self._digest != rules.digest[:12]:
            self._rules_info.labels(self._digest).set(
                0
            )  # `scrape` leaves it out; a shared file cannot
        self._digest = rules.digest[:12]
        self._rules_info.labels(self._digest).set(1)
        self._rules_loaded.set(at)
        self.rules_ok.set(1)
        people = rules.people
        roles = {
            people.default_role,
            *people.roles,
            *people.duties,
            rules.unidentified_role,
            NOBODY,
        }
        roles |= {"admin", *(role for _, _, role in people.devices)}
        self._platform = Words({*rules.platforms, PAGE})
        self._role = Words({role for role in roles if role})
        self._allowance = Words({*rules.allowances, FREE})
        # A rule about people may have a name that says whom.
        self._observed = Words(
            {OTHERWISE, *(rule.name for rule in rules.rules if rule.observes and not rule.users)}
        )
        # Series that begin at zero: what happens for the first time would not be seen as an increase.
        for platform in rules.limited:
            self._given_back.labels(platform)
        for allowance in rules.allowances:
            self._notices.labels(allowance)
            for outcome in OUTCOMES:
                self._time_requests.labels(allowance, outcome)
            for role in filter(None, roles):
                self._exhausted.labels(allowance, role)

    # -- the engine (ports.Metrics)

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """See `observability.interface.Metrics`."""
        self._decision.observe(seconds)
        if decision.reason is not Reason.NOT_LIMITED:
            self._requests.labels(
                self._platform(decision.platform),
                self._role(person.roles[0]),
                "would_block" if decision.would_block else decision.verdict.value,
                decision.reason.value,
            ).inc()
            if decision.would_block:
                self._tried_out(person, decision)
            if decision.allowance is not None and decision.would is None:
                self._balance(person, decision)

    def _tried_out(self, person: Person, decision: Decision) -> None:
        rule = self._observed(OTHERWISE if decision.rule is None else decision.rule)
        self._would_block.labels(
            rule, self._platform(decision.platform), self._role(person.roles[0])
        ).inc()

    def _balance(self, person: Person, decision: Decision) -> None:
        """Somebody is out of time from the first refusal, or from being cut, until they are let in again."""
        if decision.reason is Reason.EXHAUSTED:
            self.exhausted(person, decision.allowance or "", 0.0)
        elif self._out and decision.reason is Reason.WITHIN:
            self._out.discard(hash((person.name, decision.allowance)))

    def attention(
        self, person: Person, platform: str, allowance: str | None, seconds: float
    ) -> None:
        """See `observability.interface.Metrics`."""
        charged = self._allowance(FREE if allowance is None else allowance)
        self._attention.labels(self._platform(platform), self._role(person.roles[0]), charged).inc(
            seconds
        )

    def given_back(self, person: Person, platform: str, seconds: float) -> None:
        """See `observability.interface.Metrics`."""
        self._given_back.labels(self._platform(platform)).inc(seconds)

    def ignored(self, person: Person, platform: str, activity: Activity) -> None:
        """See `observability.interface.Metrics`."""
        self._ignored.labels(self._platform(platform), activity.value).inc()

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """See `observability.interface.Metrics`. Once for each time that it runs out, however often that is noticed."""
        key = hash((person.name, allowance))
        if key in self._out:
            return
        self._out.add(key)
        self._exhausted.labels(self._allowance(allowance), self._role(person.roles[0])).inc()

    def cut(self, kind: str, delay: float) -> None:
        """See `observability.interface.Metrics`."""
        self._cut.labels(kind if kind in CUTS else OTHER).inc()
        self._cut_delay.observe(delay)

    def failed(self, where: str) -> None:
        """See `observability.interface.Metrics`."""
        if where not in self._places and len(self._places) >= MOST_PLACES:
            where = OTHER
        self._places.add(where)
        self._errors.labels(where).inc()

    # -- connections (observability.interface.Traffic)

    def connections(self, open_now: int) -> None:
        """How many client connections are open."""
        self._connections.set(open_now)

    def accepted(self) -> None:
        """A client connection was accepted."""
        self._accepted.inc()

    def tunnel(self, how: str) -> None:
        """A tunnel was passed, decrypted, metered or refused."""
        self._tunnels.labels(how if how in TUNNELS else OTHER).inc()

    def volume(self, to_site: int, from_site: int) -> None:
        """So many more bytes went to a site, and came from it."""
        self._bytes.labels(DIRECTIONS[0]).inc(to_site)
        self._bytes.labels(DIRECTIONS[1]).inc(from_site)

    def upstream_failed(self, kind: str) -> None:
        """A connection to a site could not be opened, or not be trusted: one of UPSTREAM_ERRORS."""
        self._upstream_errors.labels(kind if kind in UPSTREAM_ERRORS else OTHER).inc()

    def tls_failed(self, platform: str) -> None:
        """A client did not accept our certificate."""
        self._tls_failed.labels(self._platform(platform)).inc()

    def signed_in(self, result: str) -> None:
        """A password was checked: one of SIGN_INS."""
        self._sign_ins.labels(result if result in SIGN_INS else OTHER).inc()

    def notice(self, allowance: str) -> None:
        """A heads-up page was shown."""
        self._notices.labels(self._allowance(allowance)).inc()

    def time_requested(self, allowance: str, outcome: str) -> None:
        """More time was asked for, granted or refused: one of OUTCOMES."""
        self._time_requests.labels(
            self._allowance(allowance), outcome if outcome in OUTCOMES else OTHER
        ).inc()

    def lag(self, seconds: float) -> None:
        """A timer on the event loop was late by so much."""
        self._loop_lag.observe(seconds)

    # -- the ledger

    def ledger_failed(self, kind: str, since_start: int) -> None:
        """`since_start` reads or writes have failed for the reason `kind`."""
        kind = kind if kind in LEDGER_ERRORS else OTHER
        self._ledger_errors.labels(kind).inc(self._new("ledger", kind, since_start))

    def lost(self, since_start: Mapping[str, int]) -> None:
        """Visits given up since the start, by why: no-room or refused."""
        for why, count in since_start.items():
            self._lost.labels(why).inc(self._new("lost", why, count))

    def journal_dropped(self, since_start: int) -> None:
        """So many times a visit could not be put into the journal."""
        self._journal_dropped.inc(self._new("journal", "dropped", since_start))

    def decisions_dropped(self, why: str, lines: int) -> None:
        """So many lines of the decision log were given up. Any thread."""
        self._decisions_dropped.labels(why if why in WHYS else OTHER).inc(lines)

    def _new(self, of: str, kind: str, since_start: int) -> int:
        new = max(0, since_start - self._seen.get((of, kind), 0))
        self._seen[of, kind] = since_start
        return new


class LoopLag:
    """Measures on the event loop how late a timer is, ten times a second."""

    EVERY = 0.1  # seconds

    def __init__(self, metrics: PrometheusMetrics) -> None:
        self._metrics = metrics

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; it ends with the loop. Event loop only."""
        due = loop.time() + self.EVERY

        def tick() -> None:
            self._metrics.lag(max(0.0, loop.time() - due))
            self.start(loop)

        loop.call_at(due, tick)


class NoMetrics:
    """Counts nothing: for simulations and tests that look at visits."""

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """Nothing."""

    def attention(
        self, person: Person, platform: str, allowance: str | None, seconds: float
    ) -> None:
        """Nothing."""

    def given_back(self, person: Person, platform: str, seconds: float) -> None:
        """Nothing."""

    def ignored(self, person: Person, platform: str, activity: Activity) -> None:
        """Nothing."""

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """Nothing."""

    def cut(self, kind: str, delay: float) -> None:
        """Nothing."""

    def failed(self, where: str) -> None:
        """Nothing."""
