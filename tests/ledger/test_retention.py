"""Twin of proxy_addon/ledger/retention.py: old visits go, every day, and a failure is tried
again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from math import inf

import pytest

from proxy_addon.core.notices.gate import ConfirmationInForce, in_force_since
from proxy_addon.core.notices.notice import AskWhen, Notice, Version
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerUnavailable
from proxy_addon.ledger.retention import AGAIN, EVERY, Pruner
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.test_notices_contract import confirmed
from tests.virtual_clock import VirtualClock

NOW = 1_793_610_000.0


def old(seconds: float) -> Visit:
    """A visit that ended so long ago."""
    return Visit(f"v{seconds:g}", "ana", "x", None, "daily", "r", NOW - seconds, NOW - seconds, "a")


class FailingLedger(MemoryLedger):
    """Refuses to delete as often as it was told to."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def prune(self, before: float, **more: object) -> int:
        """See Ledger."""
        self.failures -= 1
        if self.failures >= 0:
            raise LedgerUnavailable("it is locked", kind="locked")
        return super().prune(before, **more)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until it is true; fail when that takes too long."""
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.005)


def ids(ledger: MemoryLedger) -> list[str]:
    """What is left."""
    return [row.id for row in ledger.visits(0.0)]


def test_old_visits_are_deleted_every_day() -> None:
    """Soon after the start and once a day what is older than the retention goes, by the retention
    of that day."""
    ledger, clock, kept = MemoryLedger(), VirtualClock(NOW), [100.0]
    pruner = Pruner(ledger, clock, lambda: kept[0], lambda _: None)
    ledger.write_visits([old(50), old(150)])
    pruner.start_when_due()
    wait_for(lambda: ids(ledger) == ["v50"])
    ledger.write_visits([old(150)])
    pruner.start_when_due()
    assert len(ids(ledger)) == 2
    kept[0] += EVERY
    clock.advance(EVERY)
    ledger.write_visits([old(EVERY + 200)])
    wait_for(lambda: (pruner.start_when_due(), "v86600" not in ids(ledger))[1])
    assert ids(ledger) == ["v50"]


def test_a_failure_is_counted_and_tried_again() -> None:
    """When deleting fails its kind is told, and it is tried again after some minutes."""
    ledger, clock, kinds = FailingLedger(1), VirtualClock(NOW), list[str]()
    pruner = Pruner(ledger, clock, lambda: 100.0, kinds.append)
    ledger.write_visits([old(150)])
    pruner.start_when_due()
    wait_for(lambda: kinds == ["locked"])
    clock.advance(AGAIN)
    wait_for(lambda: (pruner.start_when_due(), not ids(ledger))[1])


def test_what_is_in_force_by_the_rules_stays() -> None:
    """Confirmations of the version that the rules have now, and made within `again_after`, outlive
    the retention; without rules to say so all stay."""
    ledger = MemoryLedger()
    for days, version in ((400, "3"), (300, "3"), (300, "2")):
        at = NOW - days * EVERY
        ledger.acknowledge(confirmed(at, digest=f"{version} {days}", version=version))
    due(Pruner(ledger, VirtualClock(NOW), lambda: EVERY, lambda _: None))
    assert len(ledger.acknowledgements()) == 3
    notice = Notice("social-media", Version(3, 1), {}, "d", again_after=365 * EVERY)
    off = Notice("guests", Version(7), {}, "g", ask=AskWhen.OFF)
    assert in_force_since((notice, off), NOW) == (
        ConfirmationInForce("social-media", 3, NOW - 365 * EVERY),
        ConfirmationInForce("guests", 7, -inf),
    )
    pruner = Pruner(
        ledger,
        VirtualClock(NOW),
        lambda: EVERY,
        lambda _: None,
        lambda now: in_force_since((notice, off), now),
    )
    due(pruner)
    assert [done.digest for done in ledger.acknowledgements()] == ["3 300"]


def test_without_retention_nothing_is_deleted() -> None:
    """Where no retention was given, old rows are left alone."""
    ledger = MemoryLedger()
    ledger.write_visits([old(1e8)])
    Pruner(ledger, VirtualClock(NOW), None, lambda _: None).start_when_due()
    assert ids(ledger) == ["v1e+08"]


class RecordingLedger(MemoryLedger):
    """Keeps what it was told to delete before; each failure that waits is raised first."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__()
        self.failures, self.told = list(failures), list[float]()

    def prune(self, before: float, **more: object) -> int:
        """See Ledger."""
        self.told.append(before)
        if self.failures:
            raise self.failures.pop(0)
        return super().prune(before, **more)


def due(pruner: Pruner) -> None:
    """Ask once whether it is time, and wait until what was begun is done."""
    pruner.start_when_due()
    if pruner._thread is not None:
        pruner._thread.join(20)


def test_a_day_is_a_whole_day() -> None:
    """A second before the day is over nothing is deleted; when it is over, it is."""
    ledger, clock = RecordingLedger(), VirtualClock(NOW)
    pruner = Pruner(ledger, clock, lambda: 100.0, lambda _: None)
    due(pruner)
    clock.advance(EVERY - 1)
    due(pruner)
    assert ledger.told == [NOW - 100.0]
    clock.advance(1)
    due(pruner)
    due(pruner)
    assert ledger.told == [NOW - 100.0, NOW + EVERY - 100.0]


@pytest.mark.parametrize(
    "failure", [LedgerUnavailable("it is locked", kind="locked"), RuntimeError("a mistake")]
)
def test_the_pause_after_a_failure(failure: Exception) -> None:
    """After a failure of the ledger, or a mistake of ours, it is tried again when the pause is
    over, not earlier."""
    ledger, clock = RecordingLedger(failure), VirtualClock(NOW)
    pruner = Pruner(ledger, clock, lambda: 100.0, lambda _: None)
    due(pruner)
    clock.advance(AGAIN - 1)
    due(pruner)
    assert len(ledger.told) == 1
    clock.advance(1)
    due(pruner)
    due(pruner)
    assert len(ledger.told) == 2
    clock.advance(EVERY - 1)
    due(pruner)
    assert len(ledger.told) == 2


def test_deleting_that_hangs() -> None:
    """A deletion that does not come back is not begun a second time, and keeps no process from
    ending."""
    entered, go_on = threading.Event(), threading.Event()

    class HangingLedger(RecordingLedger):
        def prune(self, before: float, **more: object) -> int:
            entered.set()
            go_on.wait(20)
            return super().prune(before, **more)

    ledger, clock = HangingLedger(), VirtualClock(NOW)
    pruner = Pruner(ledger, clock, lambda: 100.0, lambda _: None)
    pruner.start_when_due()
    assert entered.wait(20)
    thread = pruner._thread
    assert thread is not None and thread.daemon
    clock.advance(EVERY)
    pruner.start_when_due()
    assert pruner._thread is thread
    go_on.set()
    thread.join(20)
    due(pruner)
    assert ledger.told == [NOW - 100.0, NOW + EVERY - 100.0]
