"""A writer under test: its visits, a ledger that goes away, and waiting without guessing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.interface import Ledger, LedgerUnavailable, News
from proxy_addon.ledger.writer import Writer
from proxy_addon.system.clock import SystemClock
from tests.ledger.memory_ledger import MemoryLedger

START = 1_793_610_000.0
FLUSH = 0.02


def visit(number: int, rev: int = 1, node: str = "a") -> Visit:
    """A visit that grows by a second with each rev."""
    return Visit(f"{node}{number}", "ana", "x", None, "daily", "r", START, START + rev, node, rev)


class NewsCollector:
    """Collects news, as the event loop would."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []
        self.grants: list[Grant] = []

    def __call__(self, news: News) -> None:
        self.visits += news.visits
        self.grants += news.grants


class Stopwatch:
    """Seconds that go by when the test says so, for `proxy_addon.system.clock.timer` and
    `time.sleep`."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        """Stands for `time.sleep`."""
        self.slept.append(seconds)
        self.at += seconds


class AwayLedger(MemoryLedger):
    """A ledger that is away as long as `away` is set; `hang` makes writing wait until it is
    released."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.hang: threading.Event | None = None
        self.entered = threading.Event()
        self.tries = 0

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """See Ledger."""
        self.tries += 1
        self.entered.set()
        if self.hang is not None:
            self.hang.wait(30)
        if self.away:
            raise LedgerUnavailable("the ledger is gone", kind="unreachable")
        super().write_visits(visits)


def make(ledger: Ledger, **more: object) -> Writer:
    """A writer of node a that flushes quickly; started by the test."""
    settings = {
        "node": "a",
        "on_news": NewsCollector(),
        "clock": SystemClock(),
        "flush_seconds": FLUSH,
        **more,
    }
    return Writer(ledger, **settings)


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it is true; fail when that takes too long."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.01)
