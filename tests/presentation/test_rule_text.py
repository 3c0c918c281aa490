"""Lengths and limits in the words of the rule files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core import period_table
from proxy_addon.core.period_table import PeriodWords
from proxy_addon.core.rules.time_parsers import duration
from proxy_addon.core.rules.time_parsers import limit as parsed
from proxy_addon.core.ruleset import Limit, Override, Period
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import duration as words


@given(st.integers(0, 10_000_000))
def test_lengths_are_read_as_they_are_written(seconds: int) -> None:
    """What is said can be put into a rule file."""
    assert duration(rule_text.length(seconds)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "15m per day",
        "1h30m per week",
        "20m per rolling 4h",
        "60h per month",
        "5m per hour",
        "40h per year",
    ],
)
def test_limits_are_written_as_they_were_read(text: str) -> None:
    """The same words."""
    assert rule_text.limit(parsed(text)) == text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("15m per day", "15 minutes per day"),
        ("1h30m per week", "1 hour 30 minutes per week"),
        ("20m per rolling 4h", "20 minutes in any 4 hours"),
        ("1d per month", "24 hours per month"),
        ("40h30m per year", "40 hours 30 minutes per year"),
        ("1s per day", "1 second per day"),
    ],
)
def test_limits_in_plain_words(written: str, read: str) -> None:
    """As people say them."""
    assert rule_text.spelled_limit(parsed(written)) == read


def test_nothing_is_spelled_as_minutes() -> None:
    """Also what is less than nothing."""
    assert [rule_text.spelled_length(seconds) for seconds in (0.0, -5.0, 0.4)] == ["0 minutes"] * 3
    assert [rule_text.length(seconds) for seconds in (0.0, -5.0, 0.4)] == ["0m"] * 3


def test_time_of_an_allowance_is_in_hours() -> None:
    """A limit and what is left of it are written by one rule, so that they can be compared."""
    assert rule_text.amount(40 * 3600) == "40h"
    assert rule_text.amount(48 * 3600) == "48h"
    assert rule_text.limit(parsed("2d per week")) == "48h per week"
    assert rule_text.spelled_limit(parsed("2d per week")) == f"{words(48 * 3600)} per week"


@pytest.mark.parametrize("period", list(Period))
def test_periods_have_their_words_in_one_place(
    period: Period, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the table of periods says is what limits and pages say."""
    changed = PeriodWords("A", "T", "per thing {}", "in a thing {}")
    row = replace(period_table.TABLE[period], words=changed)
    monkeypatch.setattr(period_table, "TABLE", {period: row})
    one = Limit(900.0, period, 3600.0)
    assert rule_text.limit(one) == "15m per thing 1h"
    assert rule_text.spelled_limit(one) == "15 minutes in a thing 1 hour"


def test_several_limits() -> None:
    """All of them hold."""
    assert (
        rule_text.limits([parsed("15m per day"), parsed("1h per week")])
        == "15m per day and 1h per week"
    )


@pytest.mark.parametrize(
    ("users", "roles", "text"),
    [
        (("bob",), (), "user bob"),
        ((), ("care", "night"), "roles care and night"),
        (("bob", "eve"), ("care",), "users bob and eve or role care"),
    ],
)
def test_overrides(users: tuple[str, ...], roles: tuple[str, ...], text: str) -> None:
    """Whom it is for."""
    assert rule_text.override(Override(users, roles, ())) == text


def test_long_lists_are_cut() -> None:
    """Nobody reads a hundred names."""
    assert rule_text.some([]) == ""
    assert rule_text.some("ab") == "a and b"
    assert rule_text.some("abcdefg") == "a, b, c and 4 more"


def test_whole_lists() -> None:
    """However long they are."""
    assert rule_text.listed([]) == ""
    assert rule_text.listed(["a"]) == "a"
    assert rule_text.listed(list("abcdef")) == "a, b, c, d, e and f"
