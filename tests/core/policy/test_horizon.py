"""`proxy_addon/core/policy/horizon.py`: as much of the ledger is read, and as long is reset, as a
balance can need."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.policy.horizon import needed_since, needed_until
from proxy_addon.core.ruleset import Allowance, Override, Period
from tests.core.policies import SAMPLE, H, M, at, one_allowance, per, rolling

FIFTEEN = per(Period.DAY, 15 * M)
NOW = at("2026-11-05 10:30")  # a Thursday
MONTH = one_allowance(FIFTEEN, per(Period.MONTH, H))
CARRIED = one_allowance(FIFTEEN, carry_over=60)


def test_memory_may_begin_where_the_longest_window_does() -> None:
    """The longest window of all limits and overrides; with `carry_over` eight windows more."""
    assert needed_since(MONTH, NOW) == at("2026-11-01 00:00")
    assert needed_since(SAMPLE, NOW) == at("2026-11-05 00:00")
    assert needed_since(one_allowance(FIFTEEN, rolling(30, H)), NOW) == NOW - 30 * H
    assert needed_since(CARRIED, NOW) == at("2026-10-28 00:00")
    assert needed_since(replace(SAMPLE, allowances={}), NOW) == NOW


def test_one_carried_second_is_carried_time() -> None:
    """However little may be carried over, the eight windows before count."""
    carried = one_allowance(FIFTEEN, carry_over=1.0)
    assert needed_since(carried, NOW) == at("2026-10-28 00:00")
    assert needed_until(carried, NOW) == at("2026-11-14 00:00")


def test_a_quarter_and_a_year_reach_to_their_first_day() -> None:
    """Limits per quarter and per year begin and end with the calendar's."""
    quarter = one_allowance(FIFTEEN, per(Period.QUARTER, H))
    assert needed_since(quarter, NOW) == at("2026-10-01 00:00")
    assert needed_until(quarter, NOW) == at("2027-01-01 00:00")
    year = one_allowance(FIFTEEN, per(Period.YEAR, H))
    assert needed_since(year, NOW) == at("2026-01-01 00:00")


def test_a_reset_lasts_until_the_longest_window_ends() -> None:
    """The same ahead."""
    assert needed_until(MONTH, NOW) == at("2026-12-01 00:00")
    assert needed_until(SAMPLE, NOW) == at("2026-11-06 00:00")
    assert needed_until(one_allowance(FIFTEEN, rolling(30, H)), NOW) == NOW + 30 * H
    assert needed_until(CARRIED, NOW) == at("2026-11-14 00:00")
    assert needed_until(replace(SAMPLE, allowances={}), NOW) == NOW


def test_overrides_count() -> None:
    """A limit that only some people have is a limit."""
    override = Override((), ("care",), (per(Period.MONTH, M),))
    allowance = Allowance("a", (FIFTEEN,), overrides=(override,))
    rules = replace(SAMPLE, allowances={"a": allowance})
    assert needed_since(rules, NOW) == at("2026-11-01 00:00")
    assert needed_until(rules, NOW) == at("2026-12-01 00:00")


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        [*(per(period, M) for period in Period if period is not Period.ROLLING), rolling(4, M)]
    ),
    st.sampled_from([0.0, 60.0]),
    st.integers(1_600_000_000, 2_000_000_000).map(float),
)
def test_both_ends_are_one_thing(limit, carry_over, used) -> None:
    """Up to the last second before `needed_until` memory has to reach back to the use; from it on,
    no more."""
    rules = one_allowance(limit, carry_over=carry_over)
    end = needed_until(rules, used)
    assert needed_since(rules, end - 1) <= used
    assert needed_since(rules, end) >= used
