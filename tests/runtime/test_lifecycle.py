"""`proxy_addon/runtime/lifecycle.py`: a proxy that is wired begins and ends in order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import Mock, call

from proxy_addon.config.parsers import HostPort
from proxy_addon.observability.metrics import PrometheusMetrics
from proxy_addon.proxy.master import RunnerOptions
from proxy_addon.runtime.lifecycle import Lifecycle
from proxy_addon.runtime.loop_handle import LoopHandle


def wired(parts: Mock) -> Lifecycle:
    """A life of parts that note what is asked of them."""
    parts.writer.stop.return_value = 3
    return Lifecycle(
        loop=LoopHandle(),
        options=RunnerOptions(HostPort("", 0), Path(), None, None, 4.0),
        addon=parts.addon,
        ledger=parts.ledger,
        writer=parts.writer,
        decisions=parts.decisions,
        reloading=parts.reloading,
        web=parts.web,
        heartbeat=parts.heartbeat,
        metrics=PrometheusMetrics(),
        notices=parts.notices,
        reader_counts=parts.reader_counts,
    )


async def test_it_starts_and_stops_in_order() -> None:
    """The ledger is closed only after the last visit is written, and how many were lost is told."""
    parts, loop = Mock(), asyncio.get_running_loop()
    life = wired(parts)
    life.start(loop)
    assert parts.mock_calls == [
        call.writer.start(),
        call.notices.start(),
        call.reader_counts.start(),
        call.decisions.start(),
        call.ledger.listen(parts.writer.wake),
        call.reloading.start(loop),
        call.heartbeat.tick(),
    ]
    parts.reset_mock()
    assert life.stop() == 3
    assert parts.mock_calls == [
        call.reloading.stop(),
        call.reader_counts.stop(),
        call.writer.stop(4.0),
        call.notices.stop(),
        call.web.stop(),
        call.ledger.close(),
        call.addon.services.identifier.close(),
        call.addon.services.resolver.close(),
        call.decisions.stop(),
    ]


async def test_it_drains_once_its_runner_was_stopped() -> None:
    """Nothing drains before there is a runner, nor while it runs."""
    life = wired(Mock())
    assert not life.draining()
    runner = life.runner(lambda: None)
    assert not life.draining()
    runner.stop()
    assert life.draining()
