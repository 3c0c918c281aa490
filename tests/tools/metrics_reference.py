"""Writes docs/metrics.md from the registry: make docs, or python -m
tests.tools.metrics_reference"""

from __future__ import annotations

from pathlib import Path

from prometheus_client.core import Metric

from proxy_addon.core.types import Activity, Reason
from proxy_addon.observability.decision_log import DROP_REASONS
from proxy_addon.observability.exposition import Host
from proxy_addon.observability.metric_families import (
    CUTS,
    DIRECTIONS,
    LEDGER_ERRORS,
    OUTCOMES,
    SIGN_INS,
    TUNNELS,
    UPSTREAM_ERRORS,
)
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.observability.policy_readers import PolicyReaders, ReaderCount

FILE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
HEAD = """# Metrics

`GET /metrics` on the web port, as Prometheus text or as OpenMetrics, whichever the `Accept` header prefers. With
several workers the answer is the sum of all of them. This page is generated from the program: `make docs`.

No label ever contains a person, a host, an address or a URL. Labels take their values from the rules in force and the
table below; anything else is counted as `other`, so the number of series is bounded by the rules. `dashboards/`
has the scrape configuration, alerts and three Grafana boards for these metrics; [runbook.md](runbook.md) says
what to do about the alerts.

| metric | kind | labels | what |
|---|---|---|---|
"""
WORDS = {
    "verdict": ("allow", "spend", "block", "would_block"),
    "reason": tuple(each.value for each in Reason),
    "activity": tuple(each.value for each in Activity),
    "kind of `cut_total`": CUTS,
    "kind of `upstream_errors_total`": UPSTREAM_ERRORS,
    "kind of `ledger_errors_total`": LEDGER_ERRORS,
    "how": TUNNELS,
    "direction": DIRECTIONS,
    "result": SIGN_INS,
    "why of `visits_lost_total`": ("no-room",),
    "why of `decision_log_dropped_total`": DROP_REASONS,
    "outcome": OUTCOMES,
}
TAIL = """
`platform`, `role` and `allowance` are names of the rules. `allowance` is `free` for attention that is not charged,
`platform` is `allowance` for the employee's own page, `role` is `nobody` for a request that is refused because
the person is unknown. `rule` is the name of a rule with `mode: observe`, `other` for one that names people, and
`otherwise` if no rule of the list decided. `where` is a hook of the program, `digest` the first twelve digits
of the SHA-256 of the rules.

`notice` and `version` are those of the written policies in force. `allowance_policy_acknowledged_people` and
`allowance_policy_people` are counted from the ledger, some seconds after a confirmation and every thirty seconds, by
one process of each host. Proxies that share a ledger all have the same numbers: take the maximum, not the sum. While
the ledger is away the last numbers stay (`allowance_ledger_up` tells); until it has answered once there are none.

| label | values |
|---|---|
"""


def families() -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Every metric: its exposed name -> kind, help and labels."""
    metrics = PrometheusMetrics()
    found: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for collector in metrics.registry._collector_to_names:  # no public way to the labels
        (family,) = collector.describe()  # type: ignore[attr-defined]
        found[_name(family)] = (family.type, family.documentation, collector._labelnames)  # type: ignore[attr-defined]
    readers = PolicyReaders()
    readers.show([ReaderCount("social-media", "1", 0, 0)])
    for family in (*Host(Path(), 0.0).collect(), *readers.collect()):
        labels = tuple(sorted({label for sample in family.samples for label in sample.labels}))
        found[_name(family)] = (family.type, family.documentation, labels)
    return found


def _name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def text() -> str:
    """The page."""
    rows = [
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {what} |\n"
        for name, (kind, what, labels) in sorted(families().items())
    ]
    words = [
        f"| {label} | {', '.join(f'`{word}`' for word in known)} |\n"
        for label, known in WORDS.items()
    ]
    return HEAD + "".join(rows) + TAIL + "".join(words)


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
