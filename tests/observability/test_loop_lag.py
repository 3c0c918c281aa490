"""Twin of proxy_addon/observability/loop_lag.py: a loop that is held shows in the histogram."""

from __future__ import annotations

import asyncio
import time

from proxy_addon.observability.loop_lag import LoopLag
from proxy_addon.observability.metrics import PrometheusMetrics


async def test_loop_lag_sees_a_busy_loop() -> None:
    """When the loop is held for 0.3 s, a timer is seen to be late by about as much; what waited for
    a turn is counted beside it."""
    metrics = PrometheusMetrics()
    LoopLag(metrics, lambda: 0.3).start(asyncio.get_running_loop())
    await asyncio.sleep(0.05)
    time.sleep(0.35)  # noqa: ASYNC251 - that is what is to be seen
    await asyncio.sleep(0.15)
    value = metrics.registry.get_sample_value
    late = value("allowance_loop_lag_seconds_bucket", {"le": "0.25"})
    total = value("allowance_loop_lag_seconds_count")
    assert late is not None and total is not None
    assert total - late >= 1
    assert value("allowance_turn_wait_seconds_sum") == 0.3 * total
