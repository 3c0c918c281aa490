"""Tunnels of which one total of bytes is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.trace.tunnels import IDLE_RATE, USE_RATE, of_unknown_length, use_of

DAY = 8 * 3600.0


@pytest.mark.parametrize(
    ("size", "used"),
    [
        (int(IDLE_RATE * DAY), 0.0),
        (9_000_000, 203.0),
        (115_200_000, 2858.0),
        (10**10, DAY),
    ],
)
def test_eight_hours_are_neither_all_use_nor_nothing(size: int, used: float) -> None:
    """Bytes beyond those of an idle connection, at the rate of somebody who uses a feed."""
    assert use_of(size, DAY).seconds == pytest.approx(used, abs=1)


def test_a_higher_rate_of_the_policy_counts() -> None:
    """What the policy calls busy is what the estimate is made of."""
    assert use_of(9_000_000, DAY, 80_000.0).seconds == pytest.approx(102, abs=1)


@given(st.integers(0, 2**50), st.floats(0, 7 * 86_400), st.floats(0, 10**7))
def test_never_more_than_the_time_that_passed(size: int, seconds: float, rate: float) -> None:
    """Whatever was carried."""
    use = use_of(size, seconds, rate)
    assert 0.0 <= use.seconds <= seconds
    assert 0 <= use.size <= size


def test_an_unknown_length_is_that_of_its_bytes() -> None:
    """At most a working day."""
    assert of_unknown_length(int(60 * USE_RATE)) == pytest.approx(60)
    assert of_unknown_length(2**50) == DAY
    assert of_unknown_length(0) == 0.0
