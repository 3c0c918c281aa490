"""What holds for every policy: engines against the written-out definition, on policies made at
random."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core import conditions
from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.ruleset import Allowance, Override, Period, Rule, Then, When
from proxy_addon.core.types import Interval, Person, Reason, Target
from tests.core.policies import SAMPLE, M, at, per, rolling

quick = settings(max_examples=100, deadline=None)

names = st.sampled_from(["dora", "bob", "Bob@Brand.example", "carl"])
roles = st.sampled_from(["staff", "care", "marketing"])
people = st.builds(
    Person, names, st.lists(roles, min_size=1, max_size=2, unique=True).map(tuple), st.just(False)
)
places = st.sampled_from(
    [Target("x"), Target("linkedin"), Target("linkedin", "learning"), Target("tiktok")]
)
hours = st.integers(0, 24).map(lambda hour: hour * 3600)
whens = st.builds(
    When,
    days=st.none() | st.frozensets(st.integers(0, 6), min_size=1),
    between=st.lists(st.tuples(hours, hours), max_size=1).map(tuple),
)
rules = st.builds(
    Rule,
    name=st.just("r"),
    then=st.sampled_from([Then.SPEND, Then.SPEND, Then.ALLOW, Then.BLOCK]),
    users=st.lists(st.sampled_from(["DORA", "bob", "*@brand.example"]), max_size=1).map(tuple),
    roles=st.frozensets(roles, max_size=1),
    targets=st.none() | st.frozensets(places, min_size=1, max_size=3),
    when=st.none() | whens,
)
limits = st.lists(
    st.one_of(
        st.builds(
            per,
            st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK]),
            st.integers(0, 3000).map(float),
        ),
        st.builds(rolling, st.just(4), st.integers(0, 3000).map(float)),
    ),
    min_size=1,
    max_size=2,
).map(tuple)
overrides = st.lists(
    st.builds(Override, st.just(()), st.lists(roles, max_size=1).map(tuple), limits), max_size=2
).map(tuple)


@st.composite
def rule_sets(draw):
    """Up to eight rules over two allowances, each rule with a name of its own."""
    allowances = {
        name: Allowance(
            name,
            draw(limits),
            carry_over=draw(st.sampled_from([0, 300])),
            overrides=draw(overrides),
        )
        for name in ("a", "b")
    }
    ordered = []
    for i, rule in enumerate(draw(st.lists(rules, max_size=8))):
        spends = draw(st.sampled_from(["a", "b"])) if rule.then is Then.SPEND else None
        ordered.append(replace(rule, name=f"rule {i}", allowance=spends))
    otherwise = draw(st.sampled_from([Then.ALLOW, Then.BLOCK]))
    return replace(SAMPLE, rules=tuple(ordered), allowances=allowances, otherwise=otherwise)


minutes = st.integers(-3 * 24 * 60, 7 * 24 * 60).map(lambda minute: at("00:00") + minute * M)
stretches = st.builds(
    lambda start, length: Interval(start, start + length * M), minutes, st.integers(1, 40)
)
uses = st.lists(stretches, max_size=6).map(normalise)
usages = st.builds(lambda a, b: StaticUsage({"a": a, "b": b}), uses, uses)


def plainly(rs, person: Person, target: Target, now: float) -> Rule | None:
    """The definition of "the first rule that fits", written without an index or a cache."""
    name = person.name.lower()
    for rule in rs.rules:
        is_named = any(
            name == user.lower() or (user[0] == "*" and name.endswith(user[1:]))
            for user in rule.users
        )
        if (rule.users or rule.roles) and not is_named and not rule.roles & set(person.roles):
            continue
        if rule.targets is not None and not rule.targets & {target, Target(target.platform)}:
            continue
        if rule.when is None or conditions.fits(rule.when, rs, now):
            return rule
    return None


@quick
@given(rule_sets(), people, places, usages, st.lists(minutes, min_size=1, max_size=6))
def test_an_engine_that_remembers_answers_as_a_new_one(rs, person, target, usage, instants):
    """Asked again and again, in any order of time, it finds the rule that the definition finds."""
    engine = Engine(rs)
    for now in instants:
        assert engine.match(person, target, now).rule is plainly(rs, person, target, now)
        assert engine.decide(person, target, usage, now) == Engine(rs).decide(
            person, target, usage, now
        )


@quick
@given(rule_sets(), people, places, minutes)
def test_only_rules_that_can_decide_do(rs, person, target, now):
    """The rule that fits at an instant is one of those for the person and target; none means
    `otherwise`."""
    engine = Engine(rs)
    rules = engine.rules_for(person, target, now)
    found = plainly(replace(rs, rules=rules), person, target, now)
    assert found is plainly(rs, person, target, now)
    assert all(rule.when is not None for rule in rules[:-1])


@quick
@given(rule_sets(), people, minutes)
def test_limits_are_those_of_the_override_that_fits(rs, person, now):
    """Balances, limits and the override agree; without one the allowance's own hold."""
    engine = Engine(rs)
    for name, allowance in rs.allowances.items():
        override = engine.override_for(person, name, now)
        fitting = [
            one
            for one in allowance.overrides
            if not one.roles or set(one.roles) & set(person.roles)
        ]
        assert override is (fitting[0] if fitting else None)
        assert engine.limits(person, name, now) == (override or allowance).limits


@quick
@given(rule_sets(), people, places, usages, minutes)
def test_the_explanation_is_the_decision(rs, person, target, usage, now):
    """Without its walk it is equal to the decision, and the one step that fits names its rule."""
    decision = Engine(rs).decide(person, target, usage, now)
    explained = Engine(rs).explain(person, target, usage, now)
    assert replace(explained, walk=()) == decision
    assert [step.rule for step in explained.walk] == [rule.name for rule in rs.rules]
    assert [step.rule for step in explained.walk if step.fits] == (
        [decision.rule] if decision.rule else []
    )


@quick
@given(rule_sets(), people, places, minutes)
def test_a_match_holds_until_it_says(rs, person, target, now):
    """Up to `until` the same rule fits, at every quarter of an hour; with no `until`, for two
    weeks."""
    found = Engine(rs).match(person, target, now)
    end = found.until if found.until is not None else now + 14 * 86_400
    steps = [
        now + n * 900
        for n in range(int(min(end - now, 14 * 86_400) / 900) + 1)
        if now + n * 900 < end
    ]
    assert all(plainly(rs, person, target, step) is found.rule for step in [*steps, end - 0.001])


@quick
@given(rule_sets(), people, places, usages, minutes)
def test_exhausted_until_is_the_first_instant_with_time(rs, person, target, usage, now):
    """At `until` the allowance has time, two milliseconds before it has not."""
    past = StaticUsage(
        {name: normalise(i for i in usage.intervals(name) if i.end <= now) for name in ("a", "b")}
    )
    decision = Engine(rs).decide(person, target, past, now)
    if decision.reason is not Reason.EXHAUSTED or decision.until is None:
        return
    before, there = (
        Engine(rs).balance(person, decision.allowance or "", past, max(now, t)).left
        for t in (decision.until - 0.002, decision.until)
    )
    assert before == 0 < there
    assert decision.until > now


@quick
@given(rule_sets(), people, usages, minutes, st.randoms(use_true_random=False))
def test_names_and_order_of_rules_and_allowances_change_no_balance(rs, person, usage, now, random):
    """Usage belongs to the allowance by name: rules renamed and reordered leave each balance the
    same."""
    turned = list(rs.rules)
    random.shuffle(turned)
    other = replace(
        rs,
        rules=tuple(replace(rule, name=f"renamed {i}") for i, rule in enumerate(turned)),
        allowances=dict(reversed(rs.allowances.items())),
    )
    for name in rs.allowances:
        assert Engine(rs).balance(person, name, usage, now) == Engine(other).balance(
            person, name, usage, now
        )


@quick
@given(rule_sets(), people, places, usages, minutes)
def test_a_decision_agrees_with_the_balance(rs, person, target, usage, now):
    """`left` is the balance's, spending needs some of it, and exhausted means there is none."""
    decision = Engine(rs).decide(person, target, usage, now)
    if decision.allowance is None:
        assert decision.left is None
        return
    shown = Engine(rs).balance(person, decision.allowance, usage, now)
    assert decision.left == shown.left
    assert decision.reason is (Reason.WITHIN if shown.left > 0 else Reason.EXHAUSTED)
    assert decision.allowance in {one.allowance for one in Engine(rs).balances(person, usage, now)}
