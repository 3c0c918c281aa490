"""The words of the walk read as a person would write them."""

from __future__ import annotations

from datetime import date

import pytest

from proxy_addon.core.policy import wording as why
from proxy_addon.core.ruleset import Calendar, Rule, Then, When
from proxy_addon.core.types import Fit, Target

WORK = When(days=frozenset(range(5)), between=((9 * 3600, 17 * 3600),))


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (WORK, "mon-fri 09:00-17:00"),
        (When(days=frozenset({0, 2, 5, 6})), "mon, wed, sat-sun"),
        (When(between=((0, 3600), (79_200, 5_415))), "00:00-01:00 or 22:00-01:30:15"),
        (When(between=((79_200, 86_400),)), "22:00-24:00"),
        (When(dates=((date(2026, 12, 24), date(2026, 12, 26)),)), "2026-12-24 to 2026-12-26"),
        (When(dates=((date(2026, 12, 24),) * 2,), between=((0, 60),)), "2026-12-24 00:00-00:01"),
        (When(negated=WORK), "any time except mon-fri 09:00-17:00"),
        (When(days=frozenset({4}), negated=When(between=((0, 60),))), "fri except 00:00-00:01"),
        (When(days=frozenset()), "no day"),
        (When(), "any time"),
    ],
)
def test_conditions_in_words(when, text):
    """Days as ranges, times as a clock shows them, dates as ISO writes them."""
    assert why.describe(when) == text


def test_who_is_missing():
    """Users, roles, and both."""
    assert (
        why.not_you(Rule("r", Then.ALLOW, roles=frozenset({"marketing"})))
        == "you are not in role marketing"
    )
    assert (
        why.not_you(Rule("r", Then.ALLOW, roles=frozenset({"b", "a"})))
        == "you are not in role a or b"
    )
    assert (
        why.not_you(Rule("r", Then.ALLOW, users=("bob", "ann", "c*")))
        == "you are not bob, ann or c*"
    )
    both = Rule("r", Then.ALLOW, users=("bob",), roles=frozenset({"care"}))
    assert why.not_you(both) == "you are not bob and not in role care"


def test_long_lists_are_cut():
    """Four names are given whole, of more the first three and a number."""
    rule = Rule("r", Then.ALLOW, targets=frozenset(Target(name) for name in "abcd"))
    assert why.not_there(rule) == "not a, b, c or d"
    rule = Rule("r", Then.ALLOW, targets=frozenset(Target(name) for name in "abcdefg"))
    assert why.not_there(rule) == "not a, b, c or 4 more"
    section = Rule("r", Then.ALLOW, targets=frozenset({Target("linkedin", "learning")}))
    assert why.not_there(section) == "not linkedin/learning"


def test_why_not_now():
    """The condition that does not hold, or the exception that does."""
    assert why.not_now(WORK, False) == "it is not mon-fri 09:00-17:00 now"
    assert why.not_now(When(negated=WORK), True) == "it is mon-fri 09:00-17:00 now"


def test_calendars_are_named() -> None:
    """By their names, and not by their days."""
    bank = Calendar(("bank-holidays", "fair"), ((date(2026, 12, 25), date(2026, 12, 25)),))
    lunch = When(days=frozenset(range(5)), between=((43_200, 48_600),), negated=When(calendar=bank))
    assert why.describe(lunch) == "mon-fri 12:00-13:30 except bank-holidays or fair"


@pytest.mark.parametrize(
    ("fit", "text"),
    [
        (Fit.FITS, "the first rule that fits"),
        (Fit.OBSERVED, "the first rule that fits; observed only, it stops nobody"),
        (Fit.TOO_LATE, "an earlier rule decided"),
        (Fit.NOT_YOU, "you are not in role care"),
        (Fit.NOT_THERE, "not x"),
        (Fit.NOT_NOW, "it is not mon-fri 09:00-17:00 except 00:00-00:01 now"),
        (Fit.EXCEPTED, "it is 00:00-00:01 now"),
    ],
)
def test_every_outcome_has_its_words(fit: Fit, text: str) -> None:
    """Part of the contract of `rules explain --json`."""
    rule = Rule(
        "r",
        Then.ALLOW,
        roles=frozenset({"care"}),
        targets=frozenset({Target("x")}),
        when=When(days=WORK.days, between=WORK.between, negated=When(between=((0, 60),))),
    )
    assert why.why(rule, fit) == text
