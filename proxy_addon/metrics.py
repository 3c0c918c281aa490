"""Metrics for Prometheus. Labels are platforms, roles, allowances and codes: never a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Activity, Decision, Person, Reason

disable_created_metrics()

DECISION_BUCKETS = (5e-6, 1e-5, 2e-5, 4e-5, 6e-5, 1e-4, 2.5e-4, 1e-3, 1e-2)
CUT_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
FLUSH_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)


class PrometheusMetrics:
    """Implements `ports.Metrics` and `proxy.desk.Traffic`. Each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"allowance_{name}", text, labels, registry=registry)

        def gauge(
            name: str, text: str, *labels: str, workers: Literal["livesum", "livemin", "livemax"]
        ) -> Gauge:
            return Gauge(f"allowance_{name}", text, labels, registry=registry, multiprocess_mode=workers)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"allowance_{name}", text, registry=registry, buckets=buckets)

        self._requests = counter(
            "requests_total",
            "Requests to limited platforms by verdict.",
            "platform",
            "role",
            "verdict",
            "reason",
        )
        self._attention = counter(
            "attention_seconds_total", "Seconds of attention; allowance 'free' is not charged.",
            "platform", "role", "allowance",
        )  # fmt: skip
        self._given_back = counter(
            "given_back_seconds_total",
            "Seconds given back because a machine had extended a visit.",
            "platform",
        )
        self._ignored = counter(
            "ignored_total", "Requests that cost nothing, by what they were.", "platform", "activity"
        )
        self._exhausted = counter("exhausted_total", "Times an allowance ran out.", "allowance", "role")
        self._cut = counter("cut_total", "Running things ended because time was up.", "kind")
        self._cut_delay = histogram("cut_delay_seconds", "From time up to cut.", CUT_BUCKETS)
        self._decision = histogram("decision_seconds", "Time taken by a decision.", DECISION_BUCKETS)
        self._errors = counter("errors_total", "Failures of our own code, by hook.", "where")
        self._connections = gauge("connections", "Client connections that are open.", workers="livesum")
        self._tunnels = counter("tunnels_total", "Tunnels by what was done with them.", "how")
        self._tls_failed = counter(
            "tls_failed_total", "Clients that did not accept our certificate.", "platform"
        )
        self._notices = counter("notices_total", "Heads-up pages shown.", "allowance")
        self.active_people = gauge(
            "active_people", "People with an activity in the last five minutes.", workers="livemax"
        )
        self.ledger_flush = histogram(
            "ledger_flush_seconds", "Time taken to write to the ledger.", FLUSH_BUCKETS
        )
        self.ledger_pending = gauge("ledger_pending", "Visits waiting to be written.", workers="livesum")
        self._digest = ""
        self._ledger_failures: dict[str, int] = {}
        self._ledger_errors = counter("ledger_errors_total", "Failed writes and reads by kind.", "kind")
        self.ledger_up = gauge("ledger_up", "1 while the ledger can be written to.", workers="livemin")
        self._rules_loaded = gauge(
            "rules_loaded_timestamp_seconds", "When the rules in force were loaded.", workers="livemin"
        )
        self.rules_ok = gauge(
            "rules_last_reload_ok", "1 when the last reading of the rules succeeded.", workers="livemin"
        )
        self._rules_info = gauge("rules_info", "The rules in force.", "digest", workers="livemax")

    def rules(self, rules: RuleSet, at: float) -> None:
        """Rules came into force at the instant `at`."""
        if self._digest:  # set to 0 and not removed: several workers write into one file
            self._rules_info.labels(self._digest).set(0)
        self._digest = rules.digest[:12]
        self._rules_info.labels(self._digest).set(1)
        self._rules_loaded.set(at)
        self.rules_ok.set(1)

    def ledger_failed(self, kind: str, since_start: int) -> None:
        """`since_start` reads or writes have failed for the reason `kind`."""
        new = since_start - self._ledger_failures.get(kind, 0)
        if new > 0:
            self._ledger_failures[kind] = since_start
            self._ledger_errors.labels(kind).inc(new)

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """See `ports.Metrics`."""
        self._decision.observe(seconds)
        if decision.reason is not Reason.NOT_LIMITED:
            self._requests.labels(
                decision.platform or "", person.roles[0], decision.verdict.value, decision.reason.value
            ).inc()

    def attention(self, person: Person, platform: str, allowance: str | None, seconds: float) -> None:
        """See `ports.Metrics`."""
        self._attention.labels(platform, person.roles[0], allowance or "free").inc(seconds)

    def given_back(self, person: Person, platform: str, seconds: float) -> None:
        """See `ports.Metrics`."""
        self._given_back.labels(platform).inc(seconds)

    def ignored(self, person: Person, platform: str, activity: Activity) -> None:
        """See `ports.Metrics`."""
        self._ignored.labels(platform, activity.value).inc()

    def exhausted(self, person: Person, allowance: str, at: float) -> None:
        """See `ports.Metrics`."""
        self._exhausted.labels(allowance, person.roles[0]).inc()

    def cut(self, kind: str, delay: float) -> None:
        """See `ports.Metrics`."""
        self._cut.labels(kind).inc()
        self._cut_delay.observe(delay)

    def failed(self, where: str) -> None:
        """See `ports.Metrics`."""
        self._errors.labels(where).inc()

    def connections(self, open_now: int) -> None:
        """How many client connections are open."""
        self._connections.set(open_now)

    def tunnel(self, how: str) -> None:
        """A tunnel was passed, decrypted, metered or refused."""
        self._tunnels.labels(how).inc()

    def tls_failed(self, platform: str) -> None:
        """A client did not accept our certificate."""
        self._tls_failed.labels(platform).inc()

    def notice(self, allowance: str) -> None:
        """A heads-up page was shown."""
        self._notices.labels(allowance).inc()

    def expose(self, refresh: Callable[[], None] | None = None) -> tuple[bytes, str]:
        """All metrics as text, and the content type. `refresh` sets gauges that are read on demand."""
        if refresh is not None:
            refresh()
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


def sum_of_workers(folder: str) -> tuple[bytes, str]:
    """The metrics of all workers that write into `folder`, as one text, and its content type."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)
    return generate_latest(registry), CONTENT_TYPE_LATEST


def forget_worker(pid: int, folder: str) -> None:
    """A worker has ended: its gauges are gone, what it counted stays."""
    mark_process_dead(pid, folder)


class NoMetrics:
    """Counts nothing: for simulations and tests that look at visits."""

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """Nothing."""

    def attention(self, person: Person, platform: str, allowance: str | None, seconds: float) -> None:
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
