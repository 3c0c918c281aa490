"""Twin of proxy_addon/core/metering/segments.py: where a stretch is split, and what is put together
again."""

from __future__ import annotations

from dataclasses import replace

from proxy_addon.core.metering.activity import Evidence
from proxy_addon.core.metering.segments import Piece, joined, split
from proxy_addon.core.metering.timeline import Stretch
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Rule, RuleSet, Then
from proxy_addon.core.types import Person
from tests.core.policies import LUNCH, SAMPLE, H, M, at, targets

DORA = Person("dora", ("staff",))
NOON, END = at("12:00"), at("13:30")  # of the free lunch
FREE = Rule("Lunch", Then.ALLOW, when=LUNCH, targets=targets("x"))
SPEND = Rule("Little", Then.SPEND, "a", targets=targets("x"))


def rules(*ordered: Rule) -> RuleSet:
    """The sample office with these rules."""
    return replace(SAMPLE, rules=ordered)


def stretch(start: float, end: float) -> Stretch:
    """Attention from here to there."""
    return Stretch(0, start, end, None, Evidence.PAGE_OPENED, Evidence.PAGE_OPENED)


def test_split_to_the_second_where_lunch_begins_and_ends() -> None:
    """Each part has the rule and the allowance of its time, and together they are the stretch."""
    found = split(Engine(rules(FREE, SPEND)), DORA, "x", stretch(NOON - M, END + M))
    assert found == [
        Piece(NOON - M, NOON, None, "a", "Little"),
        Piece(NOON, END, None, None, "Lunch"),
        Piece(END, END + M, None, "a", "Little"),
    ]


def test_time_under_a_rule_that_blocks_is_no_visit() -> None:
    """What a rule blocks leaves a hole."""
    closed = replace(FREE, name="Closed", then=Then.BLOCK)
    found = split(Engine(rules(closed, SPEND)), DORA, "x", stretch(NOON - M, NOON + M))
    assert found == [Piece(NOON - M, NOON, None, "a", "Little")]


def test_parts_under_the_same_rule_are_one() -> None:
    """Only what follows without a gap, under the same rule, is put together."""
    one = Piece(0.0, 10.0, None, "a", "r")
    same, other = one._replace(start=10.0, end=20.0), one._replace(start=20.0, end=H, rule="q")
    assert joined([one, same, other]) == [one._replace(end=20.0), other]
    assert joined([one, other]) == [one, other]
    assert joined([]) == []
