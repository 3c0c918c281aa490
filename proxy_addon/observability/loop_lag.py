"""How late the event loop is: a timer that measures itself."""

from __future__ import annotations

import asyncio

from proxy_addon.observability.metrics import PrometheusMetrics


class LoopLag:
    """Measures on the event loop how late a timer is, ten times a second."""

    EVERY = 0.1  # seconds

    def __init__(self, metrics: PrometheusMetrics) -> None:
        self._metrics = metrics
        self.last = 0.0  # seconds by which the timer was late when it ran last

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; it ends with the loop. Event loop only."""
        due = loop.time() + self.EVERY

        def tick() -> None:
            self.last = max(0.0, loop.time() - due)
            self._metrics.lag(self.last)
            self.start(loop)

        loop.call_at(due, tick)
