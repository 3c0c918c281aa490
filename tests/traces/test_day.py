"""Spans and their measures."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.day import Spans, common, length, union

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def _seconds(spans: Spans) -> set[int]:
    return {second for start, end in spans for second in range(int(start), int(end))}


@settings(max_examples=100)
@given(SPANS, SPANS)
def test_measures_agree_with_counting_seconds(left: Spans, right: Spans) -> None:
    """Union, length and common part, against sets of whole seconds."""
    one, two = union(left), union(right)
    assert _seconds(one) == _seconds(left)
    assert length(one) == len(_seconds(left))
    assert common(one, two) == len(_seconds(left) & _seconds(right))
    assert all(a[1] < b[0] for a, b in pairwise(one))
