"""Every period has a row, and everything that asks for a period answers for every one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core import period_table, periods
from proxy_addon.core.period_table import CALENDAR, DAY, EPOCH_DAY, SHORTEST_FIRST, TABLE
from proxy_addon.core.policy import balance
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.horizon import needed_since, needed_until
from proxy_addon.core.rules import time_parsers
from proxy_addon.core.ruleset import Allowance, Limit, Period
from proxy_addon.core.types import Interval
from proxy_addon.presentation import rule_text
from tests.core.policies import SAMPLE, at

EVERY = list(Period)
NOW = at("2026-11-02 10:00")


def limit_of(period: Period, seconds: float = 600.0) -> Limit:
    """A limit in this period; a rolling one has four hours."""
    return Limit(seconds, period, 4 * 3600.0 if period is Period.ROLLING else 0.0)


@pytest.mark.parametrize("period", EVERY)
def test_every_period_has_a_row(period: Period) -> None:
    """With words, a rank of its own, and a length."""
    row = TABLE[period]
    assert row.words.article.split()[0] in ("a", "an", "the")
    assert row.words.this.startswith("this ")
    assert all(row.words)
    assert ("{}" in "".join(row.words)) is (period is Period.ROLLING)
    assert [other.rank for other in TABLE.values()].count(row.rank) == 1
    assert 0 < period_table.nominal(limit_of(period)) <= period_table.longest(limit_of(period))


def test_the_order_is_that_of_the_lengths() -> None:
    """Shorter periods come first, a rolling window last."""
    assert (*CALENDAR, Period.ROLLING) == SHORTEST_FIRST
    assert CALENDAR[0] is Period.HOUR and CALENDAR[-1] is Period.YEAR
    lengths = [TABLE[period].nominal for period in CALENDAR]
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize("period", EVERY)
@pytest.mark.parametrize("carried", [0.0, 60.0])
def test_every_function_works_for_every_period(period: Period, carried: float) -> None:
    """Parsing and its opposite, windows, balances, the expiry of a grant, and how far memory goes
    back."""
    limit = limit_of(period)
    assert time_parsers.limit(rule_text.limit(limit)) == limit
    allowance = Allowance("some", (limit,), carry_over=carried)
    name = next(iter(SAMPLE.allowances))
    rules = replace(SAMPLE, allowances={name: replace(allowance, name=name)})
    window = periods.window(limit, rules, NOW)
    assert window.start <= NOW <= window.end
    engine = Engine(rules)
    person = engine.person("dora", NOW)
    expires = engine.grant_expiry(person, name, NOW)
    assert expires == (NOW + 4 * 3600 if period is Period.ROLLING else window.end) > NOW
    assert needed_since(rules, NOW) <= window.start
    assert needed_until(rules, NOW) >= window.end
    assert period_table.reach(limit, 2) == 2 * period_table.reach(limit)


@pytest.mark.parametrize("period", CALENDAR)
def test_what_was_used_long_ago_in_a_window_counts_until_it_ends(period: Period) -> None:
    """Used up in its first minute, a limit is back with the next window, with what is carried over
    into it."""
    limit = limit_of(period, 60.0)
    allowance = Allowance("some", (limit,), carry_over=30.0)
    rules = replace(SAMPLE, allowances={"some": allowance})
    window = periods.window(limit, rules, NOW)
    before = periods.previous(limit, rules, window)
    # In the window before with what was carried into that one, so nothing is carried into this one.
    spent = [Interval(before.start, before.start + 90), Interval(window.start, window.start + 60)]
    usage = balance.StaticUsage({"some": tuple(spent)})
    late = window.end - 1
    assert balance.limit_balance(rules, allowance, limit, usage, late).left == 0
    seen = balance.balance(rules, allowance, (limit,), usage, late)
    assert seen.resets_at == window.end
    assert balance.limit_balance(rules, allowance, limit, usage, window.end).left == 60
    idle = balance.StaticUsage({"some": tuple(spent[:1])})
    assert balance.limit_balance(rules, allowance, limit, idle, window.end).left == 90
    assert needed_since(rules, late) <= before.start


@given(
    st.sampled_from(CALENDAR),
    st.dates(date(1971, 1, 1), date(2100, 1, 1)),
    st.integers(0, 6),
)
def test_first_days(period: Period, day: date, week_starts: int) -> None:
    """The first day is in its own window, the following one is the next that is a first day."""
    number = day.toordinal() - EPOCH_DAY
    first = period_table.first_day(period, week_starts, number)
    following = period_table.following_first_day(period, week_starts, number)
    assert first <= number < following
    assert {period_table.first_day(period, week_starts, n) for n in (first, following - 1)} == {
        first
    }
    assert period_table.first_day(period, week_starts, following) == following
    assert following - first <= max(1.0, TABLE[period].longest / DAY)


@pytest.mark.parametrize(
    ("period", "firsts"),
    [
        (Period.QUARTER, ["2024-01-01", "2024-04-01", "2024-07-01", "2024-10-01"]),
        (Period.YEAR, ["2024-01-01"]),
    ],
)
def test_quarters_and_years_begin_with_the_calendar(period: Period, firsts: list[str]) -> None:
    """Quarters on the first of January, April, July and October; years on 1 January."""
    days = [date(2024, 1, 1) + timedelta(n) for n in range(366)]
    found = {period_table.first_day(period, 0, day.toordinal() - EPOCH_DAY) for day in days}
    assert [str(date.fromordinal(n + EPOCH_DAY)) for n in sorted(found)] == firsts
