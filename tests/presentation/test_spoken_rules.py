"""Limits, times and lists as employees read them."""

from __future__ import annotations

from datetime import date

import pytest

from proxy_addon.core.ruleset import Calendar, Limit, Period, When
from proxy_addon.presentation import spoken_rules
from tests.core.policies import LUNCH, H, M
from tests.web.office import rule_set


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(15 * M, Period.DAY), "15 minutes a day"),
        (Limit(1 * M, Period.HOUR), "1 minute an hour"),
        (Limit(1 * H, Period.WEEK), "1 hour a week"),
        (Limit(90 * M, Period.MONTH), "1 hour 30 minutes a month"),
        (Limit(10 * H, Period.QUARTER), "10 hours a quarter"),
        (Limit(40 * H, Period.YEAR), "40 hours a year"),
        (Limit(20 * M, Period.ROLLING, 4 * H), "20 minutes in any 4 hours"),
        (Limit(0.0, Period.DAY), "0 minutes a day"),
    ],
)
def test_limits(limit: Limit, words: str) -> None:
    """Every period has its words."""
    assert spoken_rules.limit(limit) == words


def test_what_is_left_in_each_window() -> None:
    """A window on the calendar is named, and none as another."""
    said = [spoken_rules.left_in("2 minutes", each) for each in Period if each != Period.ROLLING]
    assert len({*said}) == len(said)
    assert all(each.startswith("2 minutes left ") for each in said)
    assert spoken_rules.left_in("2 minutes", Period.DAY) == "2 minutes left today"
    assert spoken_rules.left_in("2 minutes", Period.ROLLING) == "2 minutes left"
    assert spoken_rules.left_in("2 minutes", None) == "2 minutes left"
    assert spoken_rules.period_of("day") is Period.DAY
    assert spoken_rules.period_of(None) is None


def test_several_limits() -> None:
    """All of them hold."""
    many = (Limit(15 * M, Period.DAY), Limit(1 * H, Period.WEEK))
    assert spoken_rules.limits(many) == "15 minutes a day and 1 hour a week"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (LUNCH, "Monday to Friday from 12:00 to 13:30"),
        (When(days=frozenset({0, 1, 5})), "Monday, Tuesday and Saturday"),
        (When(days=frozenset({5, 6})), "Saturday and Sunday"),
        (
            When(between=((0, 3600), (82_800, 86_400))),
            "from 00:00 to 01:00 and from 23:00 to 24:00",
        ),
        (When(dates=((date(2026, 12, 24), date(2026, 12, 24)),)), "24 December 2026"),
        (
            When(dates=((date(2026, 12, 24), date(2026, 12, 26)),)),
            "24 December 2026 to 26 December 2026",
        ),
        (When(calendar=Calendar(("bank-holidays",))), "on days of “Bank holidays”"),
        (
            When(between=((0, 3600),), negated=When(days=frozenset({6}))),
            "from 00:00 to 01:00 except Sunday",
        ),
        (When(negated=When(days=frozenset({6}))), "at any time except Sunday"),
        (When(), ""),
    ],
)
def test_conditions(when: When, words: str) -> None:
    """As somebody would say it."""
    assert spoken_rules.when(when) == words


def test_lists() -> None:
    """A long one is cut, one more than fits is not."""
    assert spoken_rules.listed([]) == ""
    assert spoken_rules.listed(["a"]) == "a"
    assert spoken_rules.some(list("abcdef")) == "a, b, c, d, e and f"
    assert spoken_rules.some(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_days() -> None:
    """One day is one."""
    assert (spoken_rules.days(1), spoken_rules.days(90)) == ("1 day", "90 days")


def test_the_size_of_a_rule_set() -> None:
    """One is one: "1 allowance"."""
    assert (
        spoken_rules.size(rule_set()) == "0 rules, 1 allowance, 0 roles, 1 of 3 platforms limited"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (90 * 86_400.0, "90 days"),
        (86_400.0, "1 day"),
        (90_000.0, "25 hours"),
        (600.0, "10 minutes"),
    ],
)
def test_long_lengths(seconds: float, words: str) -> None:
    """In days where they are that long."""
    assert spoken_rules.length(seconds) == words


@pytest.mark.parametrize("period", [each for each in Period if each is not Period.ROLLING])
def test_how_often(period: Period) -> None:
    """Every period of the calendar has its words, for once and for more."""
    name = period.value
    article = "an" if name == "hour" else "a"
    assert spoken_rules.times(1, period) == f"once {article} {name}"
    assert spoken_rules.times(3, period) == f"3 times {article} {name}"
