"""When a decision can turn into a refusal at the earliest, by the definition and by brute force."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.policy.next_refusal import earliest_refusal
from proxy_addon.core.ruleset import Limit, Period, RuleSet, Then
from proxy_addon.core.types import Decision, Grant, Interval, Person, Reason, Target, Verdict
from tests.core.policies import LUNCH, H, M, at, grant, one_allowance, per, rolling

NOW = at("10:00")
DORA = Person("dora", ("staff",))
X = Target("x")


def instant(rs: RuleSet, usage: StaticUsage, now: float = NOW) -> float:
    """The earliest refusal of what is decided for dora at `now`."""
    engine = Engine(rs)
    decision = engine.decide(DORA, X, usage, now)
    limits = engine.limits(DORA, decision.allowance, now) if decision.allowance else ()
    return earliest_refusal(rs, decision, limits, usage, now)


def test_time_left_used_without_a_pause() -> None:
    """Ten of fifteen minutes are left: not before ten past ten."""
    usage = StaticUsage({"daily-social": (Interval(at("09:00"), at("09:05")),)})
    assert instant(one_allowance(per(Period.DAY, 15 * M)), usage) == at("10:10")


def test_a_grant_that_ends_sooner() -> None:
    """What a grant gave is gone when the grant is."""
    usage = StaticUsage({}, (grant(30 * M, "09:00", "10:03"),))
    assert instant(one_allowance(per(Period.DAY, 15 * M)), usage) == at("10:03")


def test_a_window_that_ends_sooner() -> None:
    """Time carried into this hour may be gone in the next."""
    rules = one_allowance(per(Period.HOUR, 40 * M), carry_over=40 * M)
    assert instant(rules, StaticUsage({})) == at("11:00")


def test_a_rule_that_opens_sooner() -> None:
    """At lunch another rule may decide."""
    rules = one_allowance(per(Period.DAY, 15 * H))
    lunch = replace(rules.rules[0], name="Lunch", then=Then.BLOCK, allowance=None, when=LUNCH)
    assert instant(replace(rules, rules=(lunch, *rules.rules)), StaticUsage({})) == at("12:00")


@pytest.mark.parametrize(
    "decision",
    [
        Decision(Verdict.ALLOW, Reason.ALLOWED),
        Decision(Verdict.SPEND, Reason.EXHAUSTED, allowance="a", left=0.0, would=Verdict.BLOCK),
        Decision(Verdict.SPEND, Reason.WITHIN, allowance="a", left=5.0, would=Verdict.SPEND),
    ],
)
def test_what_never_turns_into_a_refusal(decision: Decision) -> None:
    """What is free, and what is only observed, whatever the balance."""
    rules = one_allowance(per(Period.DAY, 15 * M))
    assert earliest_refusal(rules, decision, (), StaticUsage({}), NOW) == math.inf


SPANS = st.lists(
    st.tuples(st.integers(-400, 0), st.integers(1, 60)).map(
        lambda one: Interval(NOW + one[0] * M, min(NOW, NOW + (one[0] + one[1]) * M))
    ),
    max_size=8,
).map(normalise)
GRANTS = st.lists(
    st.tuples(st.integers(1, 20), st.integers(-300, 0), st.integers(-200, 120)), max_size=3
).map(
    lambda many: tuple(
        Grant(str(i), "dora", "daily-social", a * M, "r", "l", NOW + b * M, NOW + c * M)
        for i, (a, b, c) in enumerate(many)
        if c > b
    )
)
LIMITS = st.lists(
    st.one_of(
        st.sampled_from([per(Period.DAY, 20 * M), per(Period.HOUR, 7 * M), per(Period.WEEK, H)]),
        st.sampled_from([rolling(1, 9 * M), rolling(4, 25 * M)]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda limit: (limit.period, limit.rolling),
).map(tuple)


@settings(max_examples=300, deadline=None)
@given(LIMITS, SPANS, GRANTS, st.sampled_from([0.0, 5 * M]), st.integers(1, 240))
def test_no_refusal_comes_sooner(
    limits: tuple[Limit, ...],
    spans: tuple[Interval, ...],
    grants: tuple[Grant, ...],
    carry: float,
    later: int,
) -> None:
    """Law: whoever uses every second from now on is not refused before that instant."""
    rules = one_allowance(*limits, carry_over=carry)
    earliest = instant(rules, StaticUsage({"daily-social": spans}, grants))
    then = NOW + later * M / 2
    if Engine(rules).decide(DORA, X, StaticUsage({"daily-social": spans}, grants), NOW).blocks:
        return
    used = normalise((*spans, Interval(NOW, then)))
    decision = Engine(rules).decide(DORA, X, StaticUsage({"daily-social": used}, grants), then)
    if decision.blocks:
        assert then > earliest - 0.001
