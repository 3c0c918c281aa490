"""Sets of instants as sorted tuples of intervals: union, intersection, difference, measure.

All sets have one form: sorted, disjoint, none empty, touching ones merged. Every function here
takes and returns that form (`normalise` makes it from anything), so equal sets are equal values and
a measure is a plain sum. Ends are instants, measures are seconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import chain
from operator import itemgetter

from proxy_addon.core.types import Interval

type Intervals = tuple[Interval, ...]

_START = itemgetter(0)
_END = itemgetter(1)


def normalise(intervals: Iterable[Interval]) -> Intervals:
    """The instants in any of `intervals`, which may overlap, be empty, and come in any order."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if merged and start <= merged[-1].end:
            if end > merged[-1].end:
                merged[-1] = Interval(merged[-1].start, end)
        else:
            merged.append(Interval(start, end))
    return tuple(merged)


def union(*many: Intervals) -> Intervals:
    """The instants that lie in any of the sets."""
    return normalise(chain.from_iterable(many))


def unions[K](pairs: Iterable[tuple[K, Interval]]) -> dict[K, Intervals]:
    """The union of the intervals of each key, in the order in which the keys come first."""
    found: dict[K, list[Interval]] = {}
    for key, interval in pairs:
        found.setdefault(key, []).append(interval)
    return {key: normalise(intervals) for key, intervals in found.items()}


def intersection(a: Intervals, b: Intervals) -> Intervals:
    """The instants that lie in both sets."""
    shared: list[Interval] = []
    i = j = 0
    while i < len(a) and j < len(b):
        start, end = max(a[i].start, b[j].start), min(a[i].end, b[j].end)
        if start < end:
            shared.append(Interval(start, end))
        if a[i].end < b[j].end:
            i += 1
        else:
            j += 1
    return tuple(shared)


def difference(a: Intervals, b: Intervals) -> Intervals:
    """The instants of `a` that do not lie in `b`."""
    kept: list[Interval] = []
    j = 0
    for start, end in a:
        while j < len(b) and b[j].end <= start:
            j += 1
        k = j
        while k < len(b) and b[k].start < end:
            if b[k].start > start:
                kept.append(Interval(start, b[k].start))
            start = b[k].end
            k += 1
        if start < end:
            kept.append(Interval(start, end))
    return tuple(kept)


def measure(a: Intervals) -> float:
    """The length of the set, seconds."""
    return sum(end - start for start, end in a)


def clip(a: Intervals, start: float, end: float) -> Intervals:
    """The part of the set within `[start, end)`."""
    first, last = _reach(a, start, end)
    return tuple(Interval(max(s, start), min(e, end)) for s, e in a[first:last])


def measure_between(a: Intervals, start: float, end: float) -> float:
    """The length of the part of the set within `[start, end)`, seconds; reads only that part."""
    if not a or end <= start or a[-1].end <= start:
        return 0.0
    total = 0.0
    for i in range(bisect_right(a, start, key=_END), len(a)):
        s, e = a[i]
        if s >= end:
            break
        total += (e if e < end else end) - (s if s > start else start)
    return total


def first_after(a: Intervals, instant: float) -> Interval | None:
    """The first interval that ends after `instant`; it may have begun before."""
    i = bisect_right(a, instant, key=_END)
    return a[i] if i < len(a) else None


def add(a: Intervals, interval: Interval) -> Intervals:
    """The set with one more interval. Appending at the end, the common case, reads only the last
    one."""
    start, end = interval
    if end <= start:
        return a
    if not a or start > a[-1].end:
        return (*a, interval)
    first = len(a) - 1 if start > a[-1].start else bisect_left(a, start, key=_END)
    last = len(a) if end >= a[-1].start else bisect_right(a, end, key=_START)
    if first < last:
        interval = Interval(min(start, a[first].start), max(end, a[last - 1].end))
    return (*a[:first], interval, *a[last:])


def _reach(a: Intervals, start: float, end: float) -> tuple[int, int]:
    """The slice of the intervals that share at least one instant with `[start, end)`."""
    if end <= start:
        return 0, 0
    first = bisect_right(a, start, key=_END)
    return first, bisect_left(a, end, lo=first, key=_START)
