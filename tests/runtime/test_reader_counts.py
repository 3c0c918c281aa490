"""`proxy_addon/runtime/reader_counts.py`: counted from the ledger, again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest
from structlog.testing import capture_logs

from proxy_addon.core.policy.engine import Engine
from proxy_addon.ledger.interface import Acknowledgement, LedgerUnavailable
from proxy_addon.observability.policy_readers import PolicyReaders
from proxy_addon.report.notice_status import NoticeStatus, read_status
from proxy_addon.runtime.reader_counts import ReaderCounts
from tests.ledger.memory_ledger import MemoryLedger
from tests.report.test_notice_status import NOW, RULES


def shown(readers: PolicyReaders) -> list[tuple[str, str, float]]:
    """Name, version and value of each sample."""
    return [
        (sample.name.removeprefix("allowance_policy_"), sample.labels["version"], sample.value)
        for family in readers.collect()
        for sample in family.samples
    ]


def test_a_count() -> None:
    """As many as the ledger knows; while it does not answer the last numbers stay."""
    ledger, readers, away = MemoryLedger(), PolicyReaders(), threading.Event()

    def count() -> Iterable[NoticeStatus]:
        if away.is_set():
            raise LedgerUnavailable("away")
        return read_status(ledger, Engine(RULES), NOW)

    counts = ReaderCounts(count, readers)
    away.set()
    counts.count()
    assert shown(readers) == []
    away.clear()
    ledger.acknowledge(Acknowledgement("ada", "social", "3", "d3", NOW - 5, "gate"))
    counts.count()
    assert shown(readers) == [("acknowledged_people", "3", 1.0), ("people", "3", 4.0)]
    away.set()
    counts.count()
    assert len(shown(readers)) == 2


def test_again_and_again() -> None:
    """On a thread of its own until it is stopped; a failure of ours is logged and ends nothing."""
    times, enough = [0], threading.Event()

    def count() -> Iterable[NoticeStatus]:
        times[0] += 1
        if times[0] == 1:
            raise KeyError("a mistake")
        if times[0] == 3:
            enough.set()
        return ()

    counts = ReaderCounts(count, PolicyReaders(), 0.001, 0.001)
    with capture_logs() as logs:
        counts.start()
        assert enough.wait(10.0)
        counts.stop()
    assert [each["event"] for each in logs] == ["who has read the written policy was not counted"]


def test_stopped_before_it_began() -> None:
    """Nothing is counted after the end."""
    counts = ReaderCounts(lambda: pytest.fail("counted"), PolicyReaders())
    counts.stop()
    counts._run()


def test_soon_after_a_change() -> None:
    """Somebody has confirmed: it is counted again long before the next turn."""
    counted = threading.Semaphore(0)

    def count() -> Iterable[NoticeStatus]:
        counted.release()
        return ()

    counts = ReaderCounts(count, PolicyReaders(), 3600.0, 0.001)
    counts.start()
    for _ in range(3):
        assert counted.acquire(timeout=10.0)
        counts.wake()
    assert counted.acquire(timeout=10.0)
    counts.stop()
