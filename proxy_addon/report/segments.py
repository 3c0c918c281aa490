"""A person's visits as pieces that follow each other: no instant is counted twice, whatever ran
side by side.

What is charged comes before what is free, and of two platforms the one that was used first. So the
pieces of a person add up to the time that this person spent on platforms, and those of a platform,
a role or a day add up to the same sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from proxy_addon.core.intervals import clip, difference, normalise
from proxy_addon.core.types import Interval
from proxy_addon.ledger.interface import PlainVisit


class UsageSegment(NamedTuple):
    """A stretch of one person on one platform; instants. `estimated`: free, by bytes."""

    start: float
    end: float
    platform: str
    charged: bool
    estimated: bool = False


def pieces(visits: Iterable[PlainVisit], start: float, end: float) -> list[UsageSegment]:
    """The pieces within `[start, end)`, charged ones first, each kind in the order of its
    starts."""
    charged: list[PlainVisit] = []
    free: list[PlainVisit] = []
    for visit in visits:
        if visit.end > start and visit.start < end and visit.end > visit.start:
            (free if visit.allowance is None else charged).append(visit)
    found = [
        UsageSegment(*cut, visit.platform, True) for cut, visit in _in_turn(charged, start, end)
    ]
    covered = normalise(Interval(piece.start, piece.end) for piece in found)
    for cut, visit in _in_turn(free, start, end):
        rest = difference((cut,), clip(covered, *cut)) if covered else (cut,)
        found += [UsageSegment(*part, visit.platform, False, visit.estimated) for part in rest]
    return found


def _in_turn(
    visits: list[PlainVisit], start: float, end: float
) -> Iterator[tuple[Interval, PlainVisit]]:
    """What each visit adds to those before it."""
    reached = start
    for visit in sorted(visits, key=lambda each: (each.start, each.end)):
        cut = Interval(max(visit.start, reached), min(visit.end, end))
        if cut.end > cut.start:
            yield cut, visit
            reached = cut.end
