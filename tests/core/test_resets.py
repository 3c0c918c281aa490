"""Resets in proxy_addon/core/policy/balance.py."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy import balance
from proxy_addon.core.policy.balance import StaticUsage
from proxy_addon.core.ruleset import Allowance, Limit, Period
from proxy_addon.core.types import Grant, Interval
from proxy_addon.metering.usage_book import PersonUsage
from tests.core.policy.test_balance import SAMPLE

DAY = 86_400.0
MONDAY = 1_793_577_600.0  # 2026-11-02 00:00 UTC
NINE = MONDAY + 9 * 3600.0


def reset(at: float, allowance: str = "daily") -> Grant:
    """A reset at an instant."""
    return Grant(f"r{at}", "ana", allowance, 0.0, "why", "ada", at, at + 400 * DAY, resets=True)


def left(
    limits: list[Limit],
    now: float,
    *facts: Grant,
    spent: list[tuple[float, float]],
    carry: float = 0.0,
) -> float:
    """What is left after these stretches and facts."""
    usage = StaticUsage({"daily": normalise(Interval(*each) for each in spent)}, facts)
    allowance = Allowance("daily", tuple(limits), carry_over=carry)
    return balance.balance(SAMPLE, allowance, limits, usage, now).left


DAILY = Limit(900.0, Period.DAY)
WEEKLY = Limit(3600.0, Period.WEEK)
ROLLING = Limit(900.0, Period.ROLLING, 4 * 3600.0)


@pytest.mark.parametrize(
    "limits", [[DAILY], [ROLLING], [DAILY, WEEKLY], [Limit(900.0, Period.HOUR)]]
)
def test_a_reset_gives_the_whole_limit_back(limits: list[Limit]) -> None:
    """What was spent before counts no longer in any window of now; what is spent after does."""
    spent = [(NINE, NINE + 900.0)]
    now = NINE + 1000.0
    assert left(limits, now, spent=spent) == 0.0
    assert left(limits, now, reset(now), spent=spent) == 900.0
    assert left(limits, now + 100.0, reset(now), spent=[*spent, (now, now + 60.0)]) == 840.0


def test_a_reset_in_the_middle_of_a_visit() -> None:
    """Only the part after the reset counts."""
    assert left([DAILY], NINE + 200.0, reset(NINE + 50.0), spent=[(NINE, NINE + 200.0)]) == 750.0


def test_a_reset_of_yesterday_changes_nothing_today() -> None:
    """It belongs to the windows it falls into; a later reset than now is not yet."""
    spent = [(NINE, NINE + 300.0)]
    assert left([DAILY], NINE + 400.0, reset(NINE - DAY), spent=spent) == 600.0
    assert left([DAILY], NINE + 400.0, reset(NINE + 500.0), spent=spent) == 600.0


def test_carried_time_stays() -> None:
    """Time carried over from yesterday is the same before and after today's reset."""
    spent = [(NINE - DAY, NINE - DAY + 600.0), (NINE, NINE + 700.0)]
    now = NINE + 800.0
    assert left([DAILY], now, spent=spent, carry=200.0) == 900.0 + 200.0 - 700.0
    assert left([DAILY], now, reset(now), spent=spent, carry=200.0) == 900.0 + 200.0


def test_grants_and_resets() -> None:
    """A grant in force stays whole after a reset; one that ended before is gone with what was used
    of it."""
    more = Grant("g", "ana", "daily", 600.0, "why", "ada", NINE, NINE + 5000.0)
    spent = [(NINE, NINE + 1200.0)]
    assert left([DAILY], NINE + 2000.0, more, reset(NINE + 2000.0), spent=spent) == 1500.0
    ended = replace(more, expires=NINE + 1500.0)
    assert left([DAILY], NINE + 2000.0, ended, reset(NINE + 2000.0), spent=spent) == 900.0


def test_a_rolling_limit_comes_back_by_use_after_the_reset() -> None:
    """When time is up again, its return is told by what was used since."""
    now = NINE + 1000.0
    spent = [(NINE, NINE + 900.0), (now, now + 900.0)]
    usage = StaticUsage({"daily": normalise(Interval(*each) for each in spent)}, (reset(now),))
    rest, back = balance.left_or_reset(
        SAMPLE, Allowance("daily", (ROLLING,)), (ROLLING,), usage, now + 900.0
    )
    assert rest == 0.0
    assert back == pytest.approx(now + ROLLING.rolling, abs=0.01)


facts = st.lists(st.integers(0, 3000).map(lambda at: reset(NINE + at)), max_size=4)
stretches = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 600)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(facts=facts, stretches=stretches, now=st.integers(0, 4000), again=st.randoms())
def test_resets_replay_and_union(
    facts: list[Grant], stretches: list[tuple[int, int]], now: int, again: object
) -> None:
    """In any order and however often they arrive, the balance is the limit less what was used since
    the last."""
    spent = [(NINE + start, NINE + start + length) for start, length in stretches]
    usage = PersonUsage()
    shuffled = [*facts, *facts]
    again.shuffle(shuffled)
    for fact in shuffled:
        usage.grant(fact)
    last = max((fact.created for fact in facts if fact.created <= NINE + now), default=MONDAY)
    static = StaticUsage({"daily": normalise(Interval(*each) for each in spent)})
    expected = max(0.0, 900.0 - static.spent("daily", last, NINE + now))
    assert left([DAILY], NINE + now, *usage.grants("daily"), spent=spent) == pytest.approx(
        expected, abs=0.001
    )
