"""`proxy_addon/report/segments.py`: no instant is counted twice."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import clip, measure, normalise
from proxy_addon.core.types import Interval
from proxy_addon.ledger.interface import PlainVisit
from proxy_addon.report.segments import UsageSegment, pieces

instants = st.integers(0, 300).map(float)
visits = st.lists(
    st.tuples(
        instants, instants, st.sampled_from("abc"), st.sampled_from([None, "daily", "video"])
    ).map(lambda row: PlainVisit("ana", row[2], row[3], "rule", min(row[:2]), max(row[:2]))),
    max_size=12,
)


def of(*rows: tuple[str, str | None, float, float]) -> list[PlainVisit]:
    """Visits, written short."""
    return [
        PlainVisit("ana", platform, allowance, None, start, end)
        for platform, allowance, start, end in rows
    ]


@settings(max_examples=100, deadline=None)
@given(visits, instants, instants)
def test_laws(found: list[PlainVisit], one: float, other: float) -> None:
    """Pieces never overlap, lie within, add up to the union of all visits, and charged ones to that
    of the charged."""
    start, end = min(one, other), max(one, other)
    made = pieces(found, start, end)

    def union(some: list[PlainVisit]) -> float:
        return measure(
            clip(normalise(Interval(visit.start, visit.end) for visit in some), start, end)
        )

    charged = [visit for visit in found if visit.allowance is not None]
    assert sum(piece.end - piece.start for piece in made) == union(found)
    assert sum(piece.end - piece.start for piece in made if piece.charged) == union(charged)
    ordered = sorted(made)
    assert all(a.end <= b.start for a, b in pairwise(ordered))
    assert all(start <= piece.start < piece.end <= end for piece in made)


def test_who_was_first() -> None:
    """Two tabs: what they share belongs to the platform that was opened first."""
    assert pieces(of(("a", "d", 0, 10), ("b", "d", 5, 15)), 0, 100) == [
        UsageSegment(0, 10, "a", True),
        UsageSegment(10, 15, "b", True),
    ]


def test_charged_before_free() -> None:
    """A free course beside a charged feed is free only while the feed does not run."""
    assert pieces(of(("a", None, 0, 30), ("b", "d", 10, 20)), 0, 100) == [
        UsageSegment(10, 20, "b", True),
        UsageSegment(0, 10, "a", False),
        UsageSegment(20, 30, "a", False),
    ]


def test_given_back_and_elsewhere() -> None:
    """A visit without length, and what lies outside, is nothing."""
    assert pieces(of(("a", "d", 5, 5), ("a", "d", 0, 2), ("a", None, 90, 99)), 3, 90) == []
