"""Rules that close something for good below one that opens it at times: held against asking the
engine at every hour."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.rules.partial_blocks import PartialBlock, partial_blocks
from proxy_addon.core.ruleset import Calendar, Rule, RuleSet, Then, When
from proxy_addon.core.types import Person, Target
from tests.core.policies import LUNCH, SAMPLE, SOCIAL, targets, visits
from tests.core.rules.test_reachability import ALWAYS, CROWD, EVERYWHERE, ROLES, office, rules

TIKTOK = Target("tiktok")


def with_rules(*some: Rule) -> RuleSet:
    """The sample policy with other rules."""
    return replace(SAMPLE, rules=some)


BLOCK = Rule("Not on our network", Then.BLOCK, targets=targets("tiktok"), message="No TikTok.")
OPEN = Rule("Lunch is yours", Then.ALLOW, targets=targets(*SOCIAL), when=LUNCH)
STAFF = frozenset({"staff"})


def test_the_documented_sample_has_one() -> None:
    """Lunch opens TikTok to staff, whom a rule below closes it to for good."""
    assert list(partial_blocks(SAMPLE)) == [PartialBlock(3, 2, (TIKTOK,))]


@pytest.mark.parametrize(
    "above",
    [
        OPEN,
        replace(OPEN, targets=None),
        replace(OPEN, then=Then.SPEND, allowance="daily-social"),
        replace(OPEN, when=When(calendar=Calendar(("party",), (), visits("18:00-22:00")))),
    ],
)
def test_what_lets_through_at_times(above: Rule) -> None:
    """Free or charged, these platforms or all, by the clock or by a calendar's hours."""
    assert list(partial_blocks(with_rules(above, BLOCK))) == [PartialBlock(1, 0, (TIKTOK,))]


@pytest.mark.parametrize(
    ("above", "block"),
    [
        (replace(OPEN, roles=frozenset({"marketing"})), BLOCK),
        (replace(OPEN, users=("maria",)), BLOCK),
        (replace(OPEN, roles=frozenset({"care"})), replace(BLOCK, roles=STAFF)),
        (replace(OPEN, targets=targets("tiktok")), BLOCK),
        (replace(OPEN, targets=targets("tiktok/business", "x")), BLOCK),
        (OPEN, replace(BLOCK, targets=None)),
        (OPEN, replace(BLOCK, targets=targets(*SOCIAL))),
        (OPEN, replace(BLOCK, when=When(between=((9 * 3600, 17 * 3600),)))),
        (replace(OPEN, then=Then.BLOCK), BLOCK),
        (replace(OPEN, when=When(days=frozenset())), BLOCK),
        (replace(OPEN, when=None), BLOCK),
    ],
)
def test_exceptions_that_are_meant(above: Rule, block: Rule) -> None:
    """The rule above is for others, for the same or fewer platforms, for a section, or opens
    nothing; or the rule below says itself when it closes."""
    assert list(partial_blocks(with_rules(above, block))) == []


def test_both_for_one_role_or_name() -> None:
    """A rule above that names whom the closing rule names is no exception from it."""
    for who in ({"roles": STAFF}, {"users": ("Dora",)}, {"users": ("d*",)}):
        found = partial_blocks(with_rules(replace(OPEN, **who), replace(BLOCK, **who)))
        assert [each.block for each in found] == [1], who


def test_a_rule_above_both_that_always_decides() -> None:
    """Where the opening rule never comes to decide, nothing is opened by it."""
    first = Rule("Never", Then.BLOCK, targets=targets("tiktok"))
    at_lunch = replace(first, name="At lunch", when=LUNCH)
    for above in (first, at_lunch):
        assert not [
            each for each in partial_blocks(with_rules(above, OPEN, BLOCK)) if each.block == 2
        ]


WITNESSES = [Person(f"ip:{role}", (role,)) for role in ROLES]


@settings(max_examples=200, deadline=None)
@given(st.lists(rules.map(lambda rule: replace(rule, users=())), min_size=2, max_size=4))
def test_a_pair_is_told_if_and_only_if_it_meets_somebody(some: list[Rule]) -> None:
    """Of the pairs that may be told, those are for which there is an hour at which the rule above
    decides, and one at which the closing rule does, for one person and one place."""
    rs = office(*some)
    engine = Engine(rs)
    told = {(each.block, each.above) for each in partial_blocks(rs)}
    met = {
        (n, i)
        for who in WITNESSES
        for target in EVERYWHERE
        for n, i in _pairs(engine, who, target)
        if target in (rs.rules[n].targets or ())
    }
    assert told == {(n, i) for n, i in met if _may_be_told(rs, n, i)}


@settings(max_examples=100, deadline=None)
@given(st.lists(rules, min_size=2, max_size=4))
def test_what_is_told_is_true_of_names_as_well(some: list[Rule]) -> None:
    """With rules for names and patterns, too, each pair that is told meets somebody."""
    rs = office(*some)
    engine = Engine(rs)
    crowd = [*CROWD, engine.person("a", 0.0), engine.person("ca", 0.0)]
    told = {(each.block, each.above) for each in partial_blocks(rs)}
    met = {pair for who in crowd for target in EVERYWHERE for pair in _pairs(engine, who, target)}
    assert told <= met


def _pairs(engine: Engine, who: Person, target: Target) -> set[tuple[int, int]]:
    """The rules that come to decide about a place, as pairs of the last and each before it."""
    answering = engine.rules_for(who, target, 0.0)
    if not answering:
        return set()
    last = engine.rule_set.rules.index(answering[-1])
    met = {
        engine.rule_set.rules.index(match.rule)
        for now in ALWAYS
        if (match := engine.match(who, target, now)).rule is not None
    }
    return {(last, i) for i in met if i < last}


def _may_be_told(rs: RuleSet, n: int, i: int) -> bool:
    """What the warning leaves out: exceptions that are more special than the closing rule."""
    block, above = rs.rules[n], rs.rules[i]
    if block.then is not Then.BLOCK or block.when is not None or block.targets is None:
        return False
    if above.when is None or above.then is Then.BLOCK:
        return False
    for_others = bool(above.roles) and not above.roles & block.roles
    return not for_others and not (above.targets and above.targets <= block.targets)
