"""`proxy_addon/proxy/services.py`: the parts of the add-on."""

from __future__ import annotations

from proxy_addon.observability.interface import Traffic
from tests.proxy.harness import ProxyHarness


def test_metrics_count_traffic(harness: ProxyHarness) -> None:
    """The metrics that the office is wired with have every method of `Traffic`."""
    names = {name for name in vars(Traffic) if not name.startswith("_")}
    assert names
    for name in names:
        assert callable(getattr(harness.services.traffic, name)), name
