"""How long a scrape takes with the whole catalogue and eight roles counted. Prints figures, judges
nothing.

Run: PYTHONPATH=. python tests/benchmarks/bench_scrape.py
Budget (docs): 50 ms.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median
from time import process_time

from proxy_addon.core.ruleset import People
from proxy_addon.core.types import Activity, Decision, Person, Reason, Verdict
from proxy_addon.observability.exposition import Host, exposed
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.rules.active import LiveRules

ROLES = [f"role{number}" for number in range(8)]
ROUNDS = 30
SEEN = (
    (Verdict.SPEND, Reason.WITHIN),
    (Verdict.BLOCK, Reason.EXHAUSTED),
    (Verdict.ALLOW, Reason.ALLOWED),
)


def main() -> None:
    """Fill every series that can be there, then scrape."""
    loaded = LiveRules(Path("rules")).load()
    rules = replace(loaded, people=People("staff", dict.fromkeys(ROLES, ())))
    metrics = PrometheusMetrics()
    metrics.rules(rules, 1.0)
    for role in ROLES:
        person = Person("somebody", (role,))
        for platform in rules.platforms:
            for allowance in (None, *rules.allowances):
                metrics.attention(person, platform, allowance, 1.0)
            for verdict, reason in SEEN:
                metrics.decided(person, Decision(verdict, reason, platform), 1e-5)
            for activity in Activity:
                metrics.ignored(person, platform, activity)
    host = Host(Path(), 0.0)
    took = []
    for _ in range(ROUNDS):
        began = process_time()
        text, _ = exposed(metrics.registry, host)
        took.append(process_time() - began)
    samples = sum(1 for line in text.splitlines() if not line.startswith(b"#"))
    print(
        f"{len(rules.platforms)} platforms, {len(ROLES)} roles: {samples} samples, {len(text) / 1024:.0f} KB"
    )
    print(f"scrape: median {median(took) * 1e3:.1f} ms, longest {max(took) * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
