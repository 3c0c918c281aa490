"""The metric families of Prometheus: names, texts, labels, and the words that labels take.

A label takes only words of the rules in force and of the lists below; whatever else comes is
counted as `other`. So the number of series is bounded by the rules, whatever clients send.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from proxy_addon.core.audience import keep
from proxy_addon.observability import metric_files

disable_created_metrics()
metric_files.install()

DECISION_BUCKETS = (5e-6, 1e-5, 2e-5, 4e-5, 6e-5, 1e-4, 2.5e-4, 1e-3, 1e-2)
CUT_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
FLUSH_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

_SERIES_KEPT = 1000  # series found again without their labels; beyond that all are looked up again

OTHER = "other"
FREE = "free"  # the allowance of attention that is not charged
PAGE = "allowance"  # the platform of the employee's own page
NOBODY = "nobody"  # the role of somebody who is refused for want of a name
TUNNELS = ("passed", "decrypted", "metered", "refused")
BUDGETS = ("resets", "frames", "flooded", "websocket", "memory", "pages", "connections", "idle")
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
LEDGER_ERRORS = (  # every kind of LedgerError
    "unreachable",
    "stopped",
    "slow",
    "locked",
    "busy",
    "conflict",
    "full",
    "io",
    "read-only",
    "gone",
    "pooler",
    "sign-in",
    "forbidden",
    "missing",
    "schema",
    "newer",
    "foreign",
    "identity",
    "damaged",
    "url",
    "not-joined",
    "pseudonym-key",
    "journal",
    "refused",
    "internal",
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
OUTCOMES = ("asked", "granted", "refused", "urgent")  # of requests for more time
WOULD_BLOCK = "allowance_would_block"
LOG_DROPPED = "allowance_log_dropped_total"
OTHERWISE = "otherwise"  # the rule of what no rule names


class LabelValues:
    """The values that a label takes; any other becomes `other`."""

    def __init__(self, words: Collection[str] = ()) -> None:
        self._words = frozenset(words)

    def __call__(self, word: str | None) -> str:
        return word if word is not None and word in self._words else OTHER


class CachedSeries[**K]:
    """The series of a family, by what they are asked for with: `labels` makes the labels of that
    once. Whatever is asked, memory is bounded."""

    def __init__(self, family: Counter, labels: Callable[K, tuple[str, ...]]) -> None:
        self._family = family
        self._labels = labels
        self._found: dict[tuple[object, ...], Counter] = {}

    def __call__(self, *key: K.args, **_: K.kwargs) -> Counter:
        """The series with the labels of this key."""
        found = self._found.get(key)
        if found is None:
            found = self._family.labels(*self._labels(*key, **_))
            keep(self._found, tuple(key), found, _SERIES_KEPT)
        return found

    def clear(self) -> None:
        """Labels are made anew: other words are known now."""
        self._found.clear()


class FamilyFactory:
    """Makes families in one registry, in the order of the calls."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """A number that only grows."""
        return Counter(f"allowance_{name}", text, labels, registry=self._registry)

    def gauge(
        self, name: str, text: str, *labels: str, workers: Literal["livesum", "livemin", "livemax"]
    ) -> Gauge:
        """A number that goes up and down. `workers`: how the numbers of several workers become
        one."""
        return Gauge(
            f"allowance_{name}", text, labels, registry=self._registry, multiprocess_mode=workers
        )

    def histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        """A distribution of durations, in seconds."""
        return Histogram(f"allowance_{name}", text, registry=self._registry, buckets=buckets)


class UsageFamilies:
    """Requests, attention and allowances."""

    def __init__(self, make: FamilyFactory) -> None:
        self.requests = make.counter(
            "requests_total",
            "Requests to limited platforms by verdict; would_block: a rule that is only observed.",
            "platform",
            "role",
            "verdict",
            "reason",
        )
        self.attention = make.counter(
            "attention_seconds_total",
            "Seconds of attention; allowance 'free' is not charged.",
            "platform",
            "role",
            "allowance",
        )
        self.given_back = make.counter(
            "given_back_seconds_total",
            "Seconds given back because a machine had extended a visit.",
            "platform",
        )
        self.ignored = make.counter(
            "ignored_total",
            "Requests that cost nothing, by what they were.",
            "platform",
            "activity",
        )
        self.exhausted = make.counter(
            "exhausted_total", "Times an allowance ran out.", "allowance", "role"
        )
        self.cut = make.counter("cut_total", "Running things ended because time was up.", "kind")
        self.cut_delay = make.histogram("cut_delay_seconds", "From time up to cut.", CUT_BUCKETS)
        self.notices = make.counter("notices_total", "Heads-up pages shown.", "allowance")
        self.would_block = make.counter(
            WOULD_BLOCK.removeprefix("allowance_") + "_total",
            "Requests that a rule with mode: observe would have stopped, by rule.",
            "rule",
            "platform",
            "role",
        )
        self.time_requests = make.counter(
            "time_requests_total",
            "Requests for more minutes: asked on the employee's page; granted or refused on the admin page (not "
            "on the command line).",
            "allowance",
            "outcome",
        )
        self.active_people = make.gauge(
            "active_people",
            "People with an activity in the last five minutes (somebody at two workers counts twice).",
            workers="livesum",
        )


class OperationFamilies:
    """Decisions, connections and sign-ins of the proxy."""

    def __init__(self, make: FamilyFactory) -> None:
        self.decision = make.histogram(
            "decision_seconds", "Time taken by a decision.", DECISION_BUCKETS
        )
        self.errors = make.counter(
            "errors_total",
            "Failures of our own code, by hook; `layer`: a bug in a layer of the engine, which ended "
            "the connections of one client.",
            "where",
        )
        self.loop_lag = make.histogram(
            "loop_lag_seconds", "How late a timer of 100 ms on the event loop was.", LAG_BUCKETS
        )
        self.turn_wait = make.histogram(
            "turn_wait_seconds",
            "How long what is decrypted waited for its turn: the longest in each 100 ms.",
            LAG_BUCKETS,
        )
        self.log_dropped = make.counter(
            LOG_DROPPED.removeprefix("allowance_"),
            "Lines of the log that were dropped: nobody reads it, or its disk is full.",
        )
        self.connections = make.gauge(
            "connections_open",
            "Client connections that are open, counted four times a second.",
            workers="livesum",
        )
        self.accepted = make.counter(
            "connections_accepted_total", "Client connections accepted since the start."
        )
        self.tunnels = make.counter(
            "tunnels_total",
            "Tunnels by what was done with them: passed, decrypted, metered or refused.",
            "how",
        )
        self.refused = make.counter(
            "refused_total",
            "What was refused to a connection or a person because a budget was used up.",
            "budget",
        )
        self.bytes = make.counter(
            "upstream_bytes_total",
            "Bytes exchanged with sites, as the kernel counted them.",
            "direction",
        )
        self.upstream_errors = make.counter(
            "upstream_errors_total",
            "Connections to sites that could not be opened or not be trusted.",
            "kind",
        )
        self.tls_failed = make.counter(
            "tls_failed_total", "Clients that did not accept our certificate.", "platform"
        )
        self.sign_ins = make.counter("sign_in_total", "Passwords checked, by result.", "result")


class StorageFamilies:
    """The ledger, its journal and the decision log."""

    def __init__(self, make: FamilyFactory) -> None:
        self.ledger_flush = make.histogram(
            "ledger_flush_seconds", "Time taken to write to the ledger.", FLUSH_BUCKETS
        )
        self.ledger_pending = make.gauge(
            "ledger_pending", "Visits waiting to be written.", workers="livesum"
        )
        self.ledger_errors = make.counter(
            "ledger_errors_total", "Failed writes and reads by kind.", "kind"
        )
        self.ledger_up = make.gauge(
            "ledger_up", "1 while the ledger can be written to.", workers="livemin"
        )
        self.clock_offset = make.gauge(
            "clock_offset_seconds",
            "How far the clock of the ledger's server is ahead of this host's. It is made up for.",
            workers="livemax",
        )
        self.journal_bytes = make.gauge(
            "journal_bytes",
            "Size of the journal that keeps visits while the ledger is away.",
            workers="livesum",
        )
        self.journal_visits = make.gauge(
            "journal_visits", "Visits held by the journal.", workers="livesum"
        )
        self.journal_dropped = make.counter(
            "journal_dropped_total",
            "Times a visit found no room in the journal, or its disk failed.",
        )
        self.visits_refused = make.gauge(
            "visits_refused",
            "Visits that the database refuses while it takes others: kept in the journal, tried again.",
            workers="livesum",
        )
        self.lost = make.counter(
            "visits_lost_total",
            "Visits given up: no room in memory.",
            "why",
        )
        self.decisions_dropped = make.counter(
            "decision_log_dropped_total",
            "Lines of the decision log given up: too many at once, or no disk.",
            "why",
        )


class RuleFamilies:
    """The rules in force."""

    def __init__(self, make: FamilyFactory) -> None:
        self.rules_loaded = make.gauge(
            "rules_loaded_timestamp_seconds",
            "When the rules in force were loaded.",
            workers="livemin",
        )
        self.rules_ok = make.gauge(
            "rules_last_reload_ok",
            "1 when the last reading of the rules succeeded.",
            workers="livemin",
        )
        self.rules_info = make.gauge(
            "rules_info", "The rules in force, by digest.", "digest", workers="livemax"
        )


class MetricFamilies:
    """All families in one registry, by subject. `PrometheusMetrics` counts with them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        make = FamilyFactory(registry)
        self.usage = UsageFamilies(make)
        self.operation = OperationFamilies(make)
        self.storage = StorageFamilies(make)
        self.rules = RuleFamilies(make)
