"""Twin of proxy_addon/observability/metric_families.py: the contract's names, in the reference,
alerts and boards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from proxy_addon.observability import metric_families
from proxy_addon.observability.metric_families import (
    OTHER,
    CachedSeries,
    LabelValues,
    MetricFamilies,
)
from tests.tools import metrics_reference

CONTRACT = {
    "requests_total": ("platform", "role", "verdict", "reason"),
    "attention_seconds_total": ("platform", "role", "allowance"),
    "ignored_total": ("platform", "activity"),
    "exhausted_total": ("allowance", "role"),
    "given_back_seconds_total": ("platform",),
    "cut_total": ("kind",),
    "cut_delay_seconds": (),
    "decision_seconds": (),
    "active_people": (),
    "ledger_flush_seconds": (),
    "ledger_pending": (),
    "ledger_errors_total": ("kind",),
    "ledger_up": (),
    "rules_loaded_timestamp_seconds": (),
    "rules_last_reload_ok": (),
    "rules_info": ("digest",),
}


def test_the_contract_is_kept() -> None:
    """Every metric of the outside contract is there with exactly its labels."""
    families = metrics_reference.families()
    for name, labels in CONTRACT.items():
        assert set(families[f"allowance_{name}"][2]) == set(labels), name


def test_a_label_takes_known_words_only() -> None:
    """Any other word, and none, is counted as another."""
    values = LabelValues({"facebook"})
    assert [values(word) for word in ("facebook", "x", None)] == ["facebook", OTHER, OTHER]


def test_a_series_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its labels are made the first time, again after new words, and again when there were too many
    in between; it counts on all the same."""
    monkeypatch.setattr(metric_families, "_SERIES_KEPT", 2)
    registry, made = CollectorRegistry(), []

    def labels(word: str) -> tuple[str, ...]:
        made.append(word)
        return (word,)

    series = CachedSeries(MetricFamilies(registry).usage.cut, labels)
    for word in ("a", "a", "b", "a", "c", "a"):
        series(word).inc()
    assert made == ["a", "b", "c", "a"]
    series.clear()
    series("a").inc()
    assert made[4:] == ["a"]
    assert registry.get_sample_value("allowance_cut_total", {"kind": "a"}) == 5


def test_each_registry_has_families_of_its_own() -> None:
    """Two sets do not count together."""
    one, two = CollectorRegistry(), CollectorRegistry()
    MetricFamilies(one).operation.accepted.inc()
    MetricFamilies(two)
    name = "allowance_connections_accepted_total"
    assert (one.get_sample_value(name), two.get_sample_value(name)) == (1, 0)


def test_the_reference_is_fresh() -> None:
    """docs/metrics.md is what the registry says; else run python -m
    tests.tools.metrics_reference."""
    assert metrics_reference.FILE.read_text("utf-8") == metrics_reference.text()


def test_every_metric_in_alerts_and_boards_exists() -> None:
    """Alerts and boards ask for metrics that are there."""
    folder = Path(metrics_reference.FILE).parents[1] / "dashboards"
    files = [*folder.glob("grafana/boards/*.json"), folder / "prometheus" / "alerts.yml"]
    asked = {
        name for file in files for name in re.findall(r"\ballowance_\w+", file.read_text("utf-8"))
    }
    bare = {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked}
    assert bare <= set(metrics_reference.families())
