"""How late the event loop is, by a timer that measures itself, and how long what is decrypted waits
for its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy_addon.observability.metrics import PrometheusMetrics


class LoopLag:
    """Measures on the event loop how late a timer is, ten times a second."""

    EVERY = 0.1  # seconds

    def __init__(self, metrics: PrometheusMetrics, longest_wait: Callable[[], float]) -> None:
        """`longest_wait`: seconds that somebody waited for a turn since it was asked last."""
        self._metrics = metrics
        self._longest_wait = longest_wait
        self.last = 0.0  # seconds by which the timer was late when it ran last

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; it ends with the loop. Event loop only."""
        due = loop.time() + self.EVERY

        def tick() -> None:
            self.last = max(0.0, loop.time() - due)
            self._metrics.lag(self.last, self._longest_wait())
            self.start(loop)

        loop.call_at(due, tick)
