"""Sittings."""

from __future__ import annotations

from tests.traces.sittings import Sitting, sittings


def test_stretches_that_are_close_are_one_sitting() -> None:
    """A pause of less than a minute does not end it, and is no part of its true time."""
    found = sittings([(0.0, 100.0), (159.0, 260.0), (400.0, 700.0)], [(50.0, 500.0)])
    assert found == [
        Sitting((0.0, 260.0), 201.0, 210.0),
        Sitting((400.0, 700.0), 300.0, 100.0),
    ]
    assert [one.below_half for one in found] == [False, True]


def test_glances_are_no_sittings() -> None:
    """What is shorter than three minutes is left out; what lasts three is in."""
    assert sittings([(0.0, 179.0)], []) == []
    assert sittings([(0.0, 180.0)], []) == [Sitting((0.0, 180.0), 180.0, 0.0)]


def test_what_is_charged_elsewhere_does_not_help() -> None:
    """Minutes after a sitting do not make up for those that it lacks."""
    (one,) = sittings([(0.0, 200.0)], [(0.0, 50.0), (300.0, 900.0)])
    assert one.charged == 50.0
    assert one.below_half


def test_a_perfect_meter_leaves_none_below_half() -> None:
    """Also where the stretches overlap or are unsorted."""
    truth = [(500.0, 900.0), (0.0, 300.0), (200.0, 450.0)]
    assert not any(one.below_half for one in sittings(truth, truth))
