"""`proxy_addon/core/policy/horizon.py`: a start reads as much of the ledger as any balance can need."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.period_table import CALENDAR
from proxy_addon.core.periods import window
from proxy_addon.core.policy.horizon import horizon
from proxy_addon.core.ruleset import Allowance, Limit, Override, Period
from tests.core.policies import SAMPLE

DAY = 86_400.0


def back(*allowances: Allowance) -> float:
    """The horizon of rules with these allowances, in days."""
    return horizon(replace(SAMPLE, allowances={each.name: each for each in allowances})) / DAY


@pytest.mark.parametrize(
    ("limits", "carry", "days"),
    [
        ((Limit(60.0, Period.DAY),), 0.0, 3),
        ((Limit(60.0, Period.WEEK),), 0.0, 9),
        ((Limit(60.0, Period.MONTH),), 0.0, 33),
        ((Limit(60.0, Period.QUARTER),), 0.0, 94),
        ((Limit(60.0, Period.YEAR),), 0.0, 368),
        ((Limit(60.0, Period.DAY), Limit(600.0, Period.WEEK)), 0.0, 9),
        ((Limit(60.0, Period.DAY),), 600.0, 19),
    ],
)
def test_longest_window(limits: tuple[Limit, ...], carry: float, days: float) -> None:
    """The longest limit decides, with what is carried over, and a day for zones and changes of the clock."""
    assert back(Allowance("a", limits, carry_over=carry)) == days


def test_overrides_count() -> None:
    """A limit that only some people have is a limit."""
    override = Override(users=(), roles=("care",), limits=(Limit(60.0, Period.MONTH),))
    assert back(Allowance("a", (Limit(60.0, Period.DAY),), overrides=(override,))) == 33


def test_never_nothing() -> None:
    """Without allowances two days are read: today's visits are shown to their people."""
    assert back() == 2


@given(
    st.sampled_from(CALENDAR),
    st.floats(min_value=1.6e9, max_value=2.0e9),
)
def test_every_window_is_inside(period: Period, now: float) -> None:
    """Whatever the instant, the window it is in began after the horizon."""
    limit = Limit(60.0, period)
    rules = replace(SAMPLE, allowances={"a": Allowance("a", (limit,))})
    assert window(limit, rules, now).start >= now - horizon(rules)
