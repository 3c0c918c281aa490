"""The order of rules: which one decides, what the walk says about the others, and when the answer
changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core import conditions
from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.policy.matching import covers
from proxy_addon.core.ruleset import Duty, Mode, Rule, RuleSet, Then, When
from proxy_addon.core.types import Decision, Fit, Person, Reason, Target, Verdict
from tests.core.policies import LUNCH, SAMPLE, M, at, grant, targets, visits
from tests.core.test_policy_laws import minutes, people, places, rule_sets, usages

NAME = "daily-social"
DORA, X = Person("dora", ("staff",)), Target("x")
NOTHING = StaticUsage()
USED_UP = StaticUsage({NAME: visits("09:00-09:15")})
quick = settings(max_examples=60, deadline=None)


def with_rules(*rules: Rule, **more: object) -> Engine:
    """An engine of the sample with these rules."""
    return Engine(replace(SAMPLE, rules=rules, **more))  # type: ignore[arg-type]


def one(name: str, then: Then = Then.ALLOW, **parts: object) -> Rule:
    """A rule that fits everybody and everything but for the parts that are given."""
    return Rule(name, then, NAME if then is Then.SPEND else None, **parts)  # type: ignore[arg-type]


NOT_YOU = one("not you", roles=frozenset({"admin"}))
NOT_THERE = one("not there", targets=targets("youtube"))
NOT_NOW = one("not now", when=LUNCH)
EXCEPTED = one("excepted", when=When(negated=When(between=((9 * 3600, 17 * 3600),))))
LAST = one("last", Then.BLOCK)


@pytest.mark.parametrize(
    ("rules", "fits"),
    [
        ((LAST,), [Fit.FITS]),
        ((NOT_YOU, LAST), [Fit.NOT_YOU, Fit.FITS]),
        ((NOT_THERE, LAST), [Fit.NOT_THERE, Fit.FITS]),
        ((NOT_NOW, LAST), [Fit.NOT_NOW, Fit.FITS]),
        ((EXCEPTED, LAST), [Fit.EXCEPTED, Fit.FITS]),
        ((LAST, NOT_YOU), [Fit.FITS, Fit.TOO_LATE]),
        ((LAST, LAST), [Fit.FITS, Fit.TOO_LATE]),
        ((NOT_YOU, NOT_NOW), [Fit.NOT_YOU, Fit.NOT_NOW]),
        ((replace(LAST, mode=Mode.OBSERVE), LAST), [Fit.OBSERVED, Fit.TOO_LATE]),
        ((replace(NOT_NOW, mode=Mode.OBSERVE), LAST), [Fit.NOT_NOW, Fit.FITS]),
        # Of several parts that do not fit the first in the order who, where, when is named.
        ((replace(NOT_YOU, targets=targets("youtube"), when=LUNCH),), [Fit.NOT_YOU]),
        ((replace(NOT_THERE, when=LUNCH),), [Fit.NOT_THERE]),
        # With a `not` the condition may fail by its own part as well.
        ((one("r", when=When(days=frozenset({5}), negated=LUNCH)),), [Fit.NOT_NOW]),
        ((one("r", when=When(negated=LUNCH)),), [Fit.FITS]),
    ],
)
def test_each_rule_has_one_line(rules: tuple[Rule, ...], fits: list[Fit]) -> None:
    """On a Monday at half past ten, for somebody of the staff on X."""
    walk = with_rules(*rules).explain(DORA, X, NOTHING, at("10:30")).walk
    assert [(step.rule, step.fit) for step in walk] == [
        (rule.name, fit) for rule, fit in zip(rules, fits, strict=True)
    ]
    assert [step.fits for step in walk] == [fit in (Fit.FITS, Fit.OBSERVED) for fit in fits]


@pytest.mark.parametrize(
    ("rule", "usage", "told"),
    [
        (one("r", Then.ALLOW), NOTHING, (Verdict.ALLOW, Reason.ALLOWED, None, Verdict.ALLOW, None)),
        (
            one("r", Then.BLOCK, message="No."),
            NOTHING,
            (Verdict.ALLOW, Reason.BLOCKED, None, Verdict.BLOCK, "No."),
        ),
        (
            one("r", Then.SPEND, message="No."),
            NOTHING,
            (Verdict.SPEND, Reason.WITHIN, 15 * M, Verdict.SPEND, None),
        ),
        (
            one("r", Then.SPEND, message="No."),
            USED_UP,
            (Verdict.SPEND, Reason.EXHAUSTED, 0.0, Verdict.BLOCK, "No."),
        ),
    ],
)
def test_a_rule_that_is_tried_out_stops_nobody(rule: Rule, usage: StaticUsage, told: tuple) -> None:
    """Reason, rest and message are those of the enforced rule; only the verdict lets through, and
    `would` tells."""
    observed = with_rules(replace(rule, mode=Mode.OBSERVE)).decide(DORA, X, usage, at("10:30"))
    enforced = with_rules(rule).decide(DORA, X, usage, at("10:30"))
    assert told == (
        observed.verdict,
        observed.reason,
        observed.left,
        observed.would,
        observed.message,
    )
    assert replace(observed, verdict=enforced.verdict, would=None) == enforced
    assert not observed.blocks
    assert observed.would_block is enforced.blocks
    assert enforced.would is None


def test_otherwise_is_tried_out_with_the_policy() -> None:
    """Where no rule fits, the mode of the whole policy counts; a rule goes by its own mode
    alone."""
    block = with_rules(otherwise=Then.BLOCK, mode=Mode.OBSERVE).decide(
        DORA, X, NOTHING, at("10:30")
    )
    assert (block.verdict, block.reason, block.would) == (
        Verdict.ALLOW,
        Reason.OTHERWISE,
        Verdict.BLOCK,
    )
    enforced = with_rules(LAST, mode=Mode.OBSERVE).decide(DORA, X, NOTHING, at("10:30"))
    assert (enforced.verdict, enforced.would) == (Verdict.BLOCK, None)
    assert with_rules(LAST, mode=Mode.OBSERVE).match(DORA, X, at("10:30")).observed is False
    plain = with_rules(otherwise=Then.BLOCK).match(DORA, X, at("10:30"))
    assert (plain.rule, plain.then, plain.observed) == (None, Then.BLOCK, False)


@pytest.mark.parametrize(
    ("spends", "balances"),
    [
        ((one("s", Then.SPEND),), True),
        ((one("s", Then.SPEND, roles=frozenset({"admin"})),), False),
        ((one("a"), one("s", Then.SPEND)), False),
        ((one("a", when=LUNCH), one("s", Then.SPEND)), True),
        ((one("a", roles=frozenset({"admin"})), one("s", Then.SPEND)), True),
        ((one("a", targets=targets("x")), one("s", Then.SPEND)), True),
        ((one("a", targets=targets("x")), one("s", Then.SPEND, targets=targets("x"))), False),
        ((one("a", targets=targets("x")), one("s", Then.SPEND, targets=targets("x/a"))), False),
        ((one("a", targets=targets("x/a")), one("s", Then.SPEND, targets=targets("x"))), True),
        ((one("a", targets=targets("x/a")), one("s", Then.SPEND, targets=targets("x/a"))), False),
        ((one("a", targets=targets("x/a")), one("s", Then.SPEND, targets=targets("x/b"))), True),
        (
            (one("a", targets=targets("x")), one("s", Then.SPEND, targets=targets("x", "tiktok"))),
            True,
        ),
        (
            (
                one("a", targets=targets("x"), when=LUNCH),
                one("s", Then.SPEND, targets=targets("x")),
            ),
            True,
        ),
        (
            (
                one("a", targets=targets("x")),
                one("b", targets=targets("tiktok")),
                one("s", Then.SPEND, targets=targets("x", "tiktok/a")),
            ),
            False,
        ),
        ((one("a", targets=targets("x")), one("b", Then.BLOCK), one("s", Then.SPEND)), False),
        (
            (
                one("a", roles=frozenset({"admin"}), targets=targets("x")),
                one("s", Then.SPEND, targets=targets("x")),
            ),
            True,
        ),
    ],
)
def test_an_allowance_shows_where_a_rule_can_make_somebody_spend_it(
    spends: tuple[Rule, ...], balances: bool
) -> None:
    """What rules above decide at every hour is out of reach; a condition, another person or place
    leaves it open."""
    shown = with_rules(*spends).balances(DORA, NOTHING, at("10:30"))
    assert [balance.allowance for balance in shown] == ([NAME] if balances else [])


def slowly(rs: RuleSet, person: Person, target: Target, now: float) -> list[Fit]:
    """The walk written down plainly: who, then where, then when, until one rule has fitted."""
    found: list[Fit] = []
    for rule in rs.rules:
        engine = Engine(
            replace(rs, rules=(replace(rule, when=None, targets=None, then=Then.BLOCK),))
        )
        if any(fit in (Fit.FITS, Fit.OBSERVED) for fit in found):
            found.append(Fit.TOO_LATE)
        elif engine.match(person, target, now).rule is None:
            found.append(Fit.NOT_YOU)
        elif not covers(rule, target):
            found.append(Fit.NOT_THERE)
        elif rule.when is not None and not conditions.fits(rule.when, rs, now):
            found.append(Fit.NOT_NOW)
        else:
            found.append(Fit.FITS)
    return found


@quick
@given(rule_sets(), people, places, minutes)
def test_the_walk_is_the_definition(rs, person, target, now):
    """Every step names the first part that does not fit, and the rule that fits is the one that
    decides."""
    steps = Engine(rs).explain(person, target, NOTHING, now).walk
    assert [step.fit for step in steps] == slowly(rs, person, target, now)
    deciding = next((step.rule for step in steps if step.fits), None)
    assert deciding == Engine(rs).decide(person, target, NOTHING, now).rule


@quick
@given(rule_sets(), people, places, usages, minutes, st.integers(0, 7))
def test_rules_below_the_one_that_decides_do_not_matter(rs, person, target, usage, now, place):
    """Taken away, turned round or made to block, what stands below the deciding rule changes
    nothing."""
    decision = Engine(rs).decide(person, target, usage, now)
    if decision.rule is None:
        return
    names = [rule.name for rule in rs.rules]
    until = names.index(decision.rule) + 1
    above, below = rs.rules[:until], rs.rules[until:]
    for rules in (above, (*above, *reversed(below)), (*above, LAST), (*above, *below[place:])):
        assert Engine(replace(rs, rules=rules)).decide(person, target, usage, now) == decision


@quick
@given(rule_sets(), people, places, usages, minutes)
def test_a_rule_on_top_that_fits_all_decides_all(rs, person, target, usage, now):
    """Whatever stood there before, the first of the list that fits everybody at every hour speaks
    for ever."""
    decision = Engine(replace(rs, rules=(LAST, *rs.rules))).decide(person, target, usage, now)
    assert (decision.rule, decision.reason, decision.until) == ("last", Reason.BLOCKED, None)


@quick
@given(rule_sets(), people, places, minutes)
def test_a_rule_that_fits_nobody_changes_no_answer(rs, person, target, now):
    """Put on top, a rule for other people or other places leaves every answer and its `until` as
    they were."""
    plain = Engine(rs).decide(person, target, NOTHING, now)
    for other in (
        one("o", Then.BLOCK, users=("nobody",), when=LUNCH),
        one("o", Then.BLOCK, targets=targets("medium"), when=LUNCH),
    ):
        engine = Engine(replace(rs, rules=(other, *rs.rules)))
        assert engine.decide(person, target, NOTHING, now) == plain


@quick
@given(rule_sets(), people, places, usages, minutes)
def test_what_is_tried_out_never_blocks(rs, person, target, usage, now):
    """With every rule and the policy observed nobody is stopped, and `would` is the verdict of the
    enforced policy."""
    observed = replace(
        rs, mode=Mode.OBSERVE, rules=tuple(replace(rule, mode=Mode.OBSERVE) for rule in rs.rules)
    )
    enforced = Engine(rs).decide(person, target, usage, now)
    decision = Engine(observed).decide(person, target, usage, now)
    assert not decision.blocks
    assert decision.would is enforced.verdict
    assert replace(decision, verdict=enforced.verdict, would=None) == enforced


@quick
@given(rule_sets(), people, places, minutes)
def test_until_is_the_first_instant_at_which_a_condition_flips(rs, person, target, now):
    """It is the earliest change among the conditions of the rules from the top to the one that
    fits."""
    engine = Engine(rs)
    found = engine.match(person, target, now)
    flips = []
    for rule in engine.rules_for(person, target, now):
        if rule.when is not None:
            flips.append(conditions.next_change(rule.when, rs, now))
        if rule is found.rule:
            break
    assert found.until == min((flip for flip in flips if flip is not None), default=None)


SHIFT = When(between=((14 * 3600, 17 * 3600),))
CARE = one("care", roles=frozenset({"care"}))


@pytest.mark.parametrize(
    ("when", "rule", "until"),
    [
        ("10:30", "last", "14:00"),
        ("13:59:59", "last", "14:00"),
        ("14:00", "care", "17:00"),
        ("16:59:59", "care", "17:00"),
        ("17:00", "last", "2026-11-03 14:00"),
    ],
)
def test_a_rota_changes_the_answer_at_its_instants(when: str, rule: str, until: str) -> None:
    """On duty from two to five; `decide`, `match` and `explain` name the same next instant."""
    rota = replace(SAMPLE.people, duties={"care": (Duty(("emil",), SHIFT),)})
    engine = with_rules(CARE, LAST, people=rota)
    emil = engine.person("emil", at(when))
    decision = engine.decide(emil, X, NOTHING, at(when))
    assert (decision.rule, decision.until) == (rule, at(until))
    assert engine.match(emil, X, at(when)).until == at(until)
    explained = engine.explain(emil, X, NOTHING, at(when))
    assert replace(explained, walk=()) == decision


def test_a_condition_that_flips_before_the_rota_does_comes_first() -> None:
    """Of the two the earlier instant is told, and a rota that turns nothing here is not told at
    all."""
    rota = replace(SAMPLE.people, duties={"care": (Duty(("emil",), SHIFT),)})
    engine = with_rules(NOT_NOW, CARE, LAST, people=rota)
    emil = engine.person("emil", at("10:30"))
    assert engine.match(emil, X, at("10:30")).until == at("12:00")
    assert engine.match(emil, X, at("13:45")).until == at("14:00")
    unmoved = with_rules(NOT_NOW, replace(CARE, targets=targets("tiktok")), LAST, people=rota)
    assert unmoved.match(emil, X, at("13:45")).until == at("2026-11-03 12:00")
    assert unmoved.match(emil, Target("tiktok"), at("13:45")).until == at("14:00")


def test_an_override_of_the_rota_changes_what_is_left() -> None:
    """Care has forty-five minutes: while on duty thirty are left of them, before and after it
    nothing."""
    rota = replace(SAMPLE.people, duties={"care": (Duty(("emil",), SHIFT),)})
    engine = with_rules(one("spend", Then.SPEND), people=rota)
    emil = engine.person("emil", at("10:30"))
    told = [engine.decide(emil, X, USED_UP, at(time)) for time in ("13:59", "14:00", "17:00")]
    assert [(one.left, one.until) for one in told] == [
        (0.0, at("14:00")),
        (30 * M, at("17:00")),
        (0.0, at("2026-11-03 00:00")),
    ]


def test_a_grant_and_its_end_show_in_the_decision() -> None:
    """Used up, ten minutes are granted: within until they are used, then out until midnight."""
    engine = with_rules(one("spend", Then.SPEND))
    usage = StaticUsage(
        {NAME: visits("09:00-09:15", "10:00-10:10")}, (grant(10 * M, "09:30", "12:00"),)
    )
    out = Decision(
        Verdict.BLOCK, Reason.EXHAUSTED, "x", None, "spend", NAME, 0.0, at("2026-11-03 00:00")
    )
    told = [
        engine.decide(DORA, X, usage, at(t)) for t in ("09:20", "09:30", "10:06", "10:10", "13:00")
    ]
    assert [one.left for one in told] == [0.0, 10 * M, 4 * M, 0.0, 0.0]
    assert told[0] == told[3] == told[4] == out
    assert told[1].reason is told[2].reason is Reason.WITHIN
    assert told[1].until is None
