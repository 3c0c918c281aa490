"""Twin of proxy_addon/ledger/interface.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.ledger.interface import PlainVisit, whole_milliseconds


@pytest.mark.parametrize(
    ("instant", "whole"),
    [(1.0, 1.0), (1_793_610_000.1239, 1_793_610_000.123), (0.0019, 0.001), (-0.0001, -0.001)],
)
def test_whole_milliseconds(instant: float, whole: float) -> None:
    """What is finer than a millisecond is cut off, towards the past."""
    assert whole_milliseconds(instant) == whole


@given(st.floats(0, 4e9))
def test_a_grant_of_now_is_in_force_now(now: float) -> None:
    """The rounded instant is never later than the original, and less than 1.1 ms earlier."""
    assert now - 0.0011 < whole_milliseconds(now) <= now


def test_a_visit_of_a_report_is_measured() -> None:
    """Unless it says that it was estimated."""
    assert not PlainVisit("dora", "x", None, None, 0.0, 1.0).estimated
