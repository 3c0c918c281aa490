"""An enforcer with its clocks and balances, as the proxy wires it, for tests on a virtual clock."""

from __future__ import annotations

from proxy_addon.core.metering.activity import Exchange
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Decision, Person, Visit
from proxy_addon.metering.assembly import assemble, numbered
from proxy_addon.metering.flight import Asked
from proxy_addon.observability.metrics import NoMetrics


class Counted(NoMetrics):
    """Keeps each decision, and sums up attention."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.attended = 0.0  # seconds

    def attention(
        self, person: Person, platform: str, allowance: str | None, seconds: float
    ) -> None:
        """See `observability.interface.Metrics`."""
        self.attended += seconds

    def decided(self, person: Person, decision: Decision, seconds: float) -> None:
        """See `observability.interface.Metrics`."""
        self.decisions.append(decision)


class Shell:
    """Opens pages for people at instants; `visits` has the last revision of each."""

    def __init__(self, rules: RuleSet) -> None:
        self.visits: dict[str, Visit] = {}
        self.metrics = Counted()
        self.book, self.attention, self.enforcer = assemble(
            rules, self._keep, numbered(""), "test", metrics=self.metrics
        )

    def _keep(self, visit: Visit) -> None:
        self.visits[visit.id] = visit

    def open(self, name: str, host: str, now: float, path: str = "/") -> Asked:
        """Somebody opens a page; when it is let through, its answer comes at once and ends."""
        enforcer = self.enforcer
        hit = enforcer.catalogue.lookup(host, path)
        assert hit is not None
        x = Exchange("GET", host, path, "document", "navigate", "none", gesture=True)
        asked = enforcer.ask(enforcer.person(name, None, now), x, hit, now)
        if asked.notice is not None:
            asked = enforcer.ask(enforcer.person(name, None, now), x, hit, now)
        if asked.flight is not None:
            enforcer.answered(asked.flight, 200, "text/html", 50_000, now)
            enforcer.closed(asked.flight)
        return asked

    def swap(self, rules: RuleSet, now: float) -> None:
        """Other rules are in force from `now` on, and what ran over is followed up."""
        self.enforcer.swap(CompiledPolicy.of(rules), now)
        list(self.enforcer.due(now))

    def spent(self, name: str, allowance: str) -> float:
        """Seconds spent so far, whenever."""
        return self.book.of(name).spent(allowance, 0.0, float("inf"))

    def rows(self) -> list[tuple[float, float, str | None, str | None]]:
        """Start, end, allowance and rule of each visit that is not empty, by start."""
        found = [
            (v.start, v.end, v.allowance, v.rule) for v in self.visits.values() if v.end > v.start
        ]
        return sorted(found, key=lambda row: row[:2])
