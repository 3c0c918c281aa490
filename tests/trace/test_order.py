"""Events in order."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.trace.event import TraceEvent, TraceFault
from proxy_addon.trace.order import nearly_sorted, sorted_on_disk
from proxy_addon.trace.report import ReadReport


def _event(at: float, user: str = "ana") -> TraceEvent:
    return TraceEvent(at, user, "request", "GET", "https", "x.com", "/")


TIMES = st.lists(st.floats(1, 1e9), max_size=60)


@settings(max_examples=100)
@given(TIMES, st.integers(1, 20))
def test_sorting_on_disk_is_sorting(times: list[float], run: int) -> None:
    """Whatever the order and however small the runs, the result is what sorting in memory gives."""
    events = [_event(at, str(number)) for number, at in enumerate(times)]
    assert list(sorted_on_disk(events, run)) == sorted(events, key=lambda e: e.at)


def test_runs_longer_than_a_batch() -> None:
    """Runs are written and read back in batches."""
    rng = random.Random(1)
    events = [_event(rng.uniform(1, 1e6)) for _ in range(3000)]
    assert list(sorted_on_disk(events, 1000)) == sorted(events, key=lambda e: e.at)


@settings(max_examples=100)
@given(TIMES, st.integers(1, 20))
def test_nearly_sorted_never_goes_back(times: list[float], window: int) -> None:
    """What comes out is sorted; what is left out is counted."""
    report = ReadReport()
    found = [e.at for e in nearly_sorted(map(_event, times), "f", report, window)]
    assert found == sorted(found)
    assert len(found) + report.problems[TraceFault.LATE] == len(times)


def test_small_disorder_is_put_right() -> None:
    """Neighbours that changed places are not a problem."""
    report = ReadReport()
    times = [t + (3 if t % 5 == 0 else 0) for t in range(1, 200)]
    assert [e.at for e in nearly_sorted(map(_event, times), "f", report, 10)] == sorted(times)
    assert not report.unreadable
