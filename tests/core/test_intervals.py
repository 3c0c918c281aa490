"""Sets of instants: the algebra holds, and every result is in the one normal form."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import (
    Intervals,
    add,
    clip,
    difference,
    first_after,
    intersection,
    measure,
    measure_between,
    normalise,
    union,
    unions,
)
from proxy_addon.core.types import Interval

# Whole numbers of a small range: touching and equal ends come up often, and sums are exact.
points = st.integers(0, 60).map(float)
raw = st.lists(st.builds(Interval, points, points), max_size=12)
sets = raw.map(normalise)

quick = settings(max_examples=80, deadline=None)


def is_normal(a: Intervals) -> bool:
    """Sorted, disjoint, none empty, none touching its neighbour."""
    return all(start < end for start, end in a) and all(
        a[i].end < a[i + 1].start for i in range(len(a) - 1)
    )


def instants(a: Intervals) -> set[int]:
    """The whole seconds in the set: an oracle that knows nothing of intervals."""
    return {second for start, end in a for second in range(int(start), int(end))}


def test_normalise_sorts_merges_and_drops_empty_ones():
    """Overlapping and touching intervals become one, empty and backward ones nothing."""
    messy = [
        Interval(5, 7),
        Interval(1, 2),
        Interval(2, 3),
        Interval(6, 9),
        Interval(4, 4),
        Interval(8, 2),
    ]
    assert normalise(messy) == (Interval(1, 3), Interval(5, 9))


@quick
@given(raw)
def test_normalise_keeps_the_instants(intervals):
    """The normal form has the same instants as the heap it was made from, and is its own normal
    form."""
    normal = normalise(intervals)
    assert is_normal(normal)
    assert instants(normal) == instants(tuple(intervals))
    assert normalise(normal) == normal


@quick
@given(sets, sets, sets)
def test_union_is_an_algebra(a, b, c):
    """Union is commutative, associative, idempotent and has the empty set as its neutral
    element."""
    assert union(a, b) == union(b, a)
    assert union(union(a, b), c) == union(a, union(b, c)) == union(a, b, c)
    assert union(a, a) == a == union(a, ()) == union(a)
    assert union() == ()


@quick
@given(sets, sets)
def test_every_operation_agrees_with_sets_of_seconds(a, b):
    """Union, intersection and difference give the instants that plain sets give, in normal form."""
    for result, expected in (
        (union(a, b), instants(a) | instants(b)),
        (intersection(a, b), instants(a) & instants(b)),
        (difference(a, b), instants(a) - instants(b)),
    ):
        assert is_normal(result)
        assert instants(result) == expected
        assert measure(result) == len(expected)


@quick
@given(sets, sets)
def test_overlap_is_never_counted_twice(a, b):
    """The measure of a union is the sum of the measures less the shared part."""
    assert measure(union(a, b)) <= measure(a) + measure(b)
    assert measure(union(a, b)) == measure(a) + measure(b) - measure(intersection(a, b))


@quick
@given(sets, sets)
def test_difference_and_intersection_make_the_whole(a, b):
    """What is cut off and what is left are disjoint and put together again give the set."""
    inside, outside = intersection(a, b), difference(a, b)
    assert union(inside, outside) == a
    assert intersection(inside, outside) == ()


@quick
@given(sets, points, points)
def test_clip_is_the_intersection_with_one_stretch(a, start, end):
    """Clipping and measuring between two instants are short ways to an intersection."""
    expected = intersection(a, normalise([Interval(start, end)]))
    assert clip(a, start, end) == expected
    assert measure_between(a, start, end) == measure(expected)


@quick
@given(sets, points, points, points)
def test_a_measure_splits_anywhere(a, one, two, three):
    """Measures of neighbouring stretches add up to the measure of both together."""
    low, middle, high = sorted((one, two, three))
    assert measure_between(a, low, middle) + measure_between(a, middle, high) == measure_between(
        a, low, high
    )


@quick
@given(sets, points, points)
def test_add_is_union_with_one(a, start, end):
    """Adding one interval, wherever it lies, is the union with it."""
    assert add(a, Interval(start, end)) == union(a, normalise([Interval(start, end)]))


def test_add_at_the_end_extends_or_appends():
    """The common cases: a visit that goes on, one that touches, a new one, one that changes
    nothing."""
    a = (Interval(0, 10), Interval(20, 30))
    assert add(a, Interval(25, 40)) == (Interval(0, 10), Interval(20, 40))
    assert add(a, Interval(30, 35)) == (Interval(0, 10), Interval(20, 35))
    assert add(a, Interval(50, 60)) == (*a, Interval(50, 60))
    assert add(a, Interval(22, 25)) == a
    assert add(a, Interval(5, 5)) is a


def test_add_bridges_what_it_overlaps():
    """An interval that comes late may join several into one."""
    a = (Interval(0, 10), Interval(20, 30), Interval(40, 50))
    assert add(a, Interval(10, 40)) == (Interval(0, 50),)
    assert add(a, Interval(-5, -1)) == (Interval(-5, -1), *a)


@quick
@given(sets, points)
def test_first_after_is_the_first_that_still_goes_on(a, instant):
    """It is the interval a walk from the start would find first with an end after the instant."""
    assert first_after(a, instant) == next((one for one in a if one.end > instant), None)


def test_measuring_outside_or_backwards_is_nothing():
    """Stretches before, after and between the intervals, and backward ones, have no measure."""
    a = (Interval(10, 20), Interval(30, 40))
    assert [
        measure_between(a, *pair) for pair in ((0, 10), (20, 30), (40, 99), (35, 15), (12, 12))
    ] == [0.0] * 5
    assert measure_between((), 0, 99) == 0.0
    assert clip(a, 35, 15) == ()


def test_unions_are_made_by_key() -> None:
    """Each key has the union of its own intervals; the keys stay in order."""
    pairs = [("b", Interval(5, 9)), ("a", Interval(1, 2)), ("b", Interval(1, 6))]
    assert list(unions(pairs).items()) == [("b", (Interval(1, 9),)), ("a", (Interval(1, 2),))]
    assert unions([]) == {}
