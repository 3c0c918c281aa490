"""`proxy_addon/observability/policy_readers.py`: the metrics of who has read the policy."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from proxy_addon.observability.exposition import Host, exposed
from proxy_addon.observability.policy_readers import PolicyReaders, ReaderCount


def samples(readers: PolicyReaders) -> dict[tuple[str, str, str], float]:
    """Name, notice and version -> value, from a whole scrape."""
    text, _ = exposed(CollectorRegistry(), Host(Path(), 0.0), "", readers)
    return {
        (sample.name, sample.labels["notice"], sample.labels["version"]): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
        if sample.name.startswith("allowance_policy_")
    }


def test_what_is_shown() -> None:
    """Nothing before the first count; then what was counted last, and no version that has gone."""
    readers = PolicyReaders()
    assert samples(readers) == {}
    readers.show([ReaderCount("social", "3", 48, 41), ReaderCount("guests", "1", 0, 0)])
    assert samples(readers) == {
        ("allowance_policy_acknowledged_people", "social", "3"): 41.0,
        ("allowance_policy_people", "social", "3"): 48.0,
        ("allowance_policy_acknowledged_people", "guests", "1"): 0.0,
        ("allowance_policy_people", "guests", "1"): 0.0,
    }
    readers.show([ReaderCount("social", "4", 48, 0)])
    assert {version for _, _, version in samples(readers)} == {"4"}
