"""Events in the order of time, in bounded memory.

Two ways, because files are unsorted in two ways. Our JSON lines are sorted or nearly so: a small
heap is enough, and what comes later than that is a problem of its line. Squid and mitmproxy write
when a transfer *ends*, so an eight-hour tunnel stands eight hours behind its start: those are
sorted in runs that are kept in a temporary file without a name and merged again.
"""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter
from typing import IO

from proxy_addon.trace.event import TraceEvent, TraceFault
from proxy_addon.trace.report import ReadReport

_at = itemgetter(0)
_BATCH = 256


def nearly_sorted(
    events: Iterable[TraceEvent], name: str, report: ReadReport, window: int = 2_000
) -> Iterator[TraceEvent]:
    """Put right what is out of place by less than `window` events; anything later is counted and
    left out."""
    buffer: list[tuple[float, int, TraceEvent]] = []
    emitted = float("-inf")
    for number, event in enumerate(events, 1):
        at = event[0]
        if at < emitted:
            report.problem(name, 0, TraceFault.LATE, f"event {number} is far behind its place")
        elif len(buffer) < window:
            heapq.heappush(buffer, (at, number, event))
        else:
            emitted, _, first = heapq.heappushpop(buffer, (at, number, event))
            yield first
    for _, _, event in sorted(buffer, key=lambda entry: entry[:2]):
        yield event


def sorted_on_disk(events: Iterable[TraceEvent], run: int = 100_000) -> Iterator[TraceEvent]:
    """Sort any number of events by time, about `run` of them in memory at once."""
    source = iter(events)
    first = sorted(islice(source, run), key=_at)
    if len(first) < run:
        yield from first
        return
    with tempfile.TemporaryFile(prefix="allowance-") as spill:
        places = []
        while first:
            places.append(_write(spill, first))
            first = sorted(islice(source, run), key=_at)
        yield from heapq.merge(*(_read(spill, batches) for batches in places), key=_at)


def _write(spill: IO[bytes], events: list[TraceEvent]) -> list[int]:
    """Append a sorted run in batches; the offset of each."""
    offsets = []
    for start in range(0, len(events), _BATCH):
        offsets.append(spill.seek(0, 2))
        pickle.dump(
            [tuple(event) for event in events[start : start + _BATCH]],
            spill,
            pickle.HIGHEST_PROTOCOL,
        )
    return offsets


def _read(spill: IO[bytes], offsets: list[int]) -> Iterator[TraceEvent]:
    for offset in offsets:
        spill.seek(offset)
        for fields in pickle.load(spill):  # noqa: S301 - our own unnamed temporary file
            yield TraceEvent._make(fields)
