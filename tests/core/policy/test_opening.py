"""Twin of proxy_addon/core/policy/opening.py: who is read, and who is not."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.opening import Opening, Openings
from proxy_addon.core.ruleset import (
    Calendar,
    Decrypt,
    Duty,
    Mode,
    People,
    Platform,
    Rule,
    RuleSet,
    Section,
    Then,
    When,
)
from proxy_addon.core.types import Person, Target
from tests.core.policies import LUNCH, SAMPLE, at, targets, visits

PLATFORMS = {
    "facebook": Platform("facebook", "Facebook", ("facebook.com",), operator="meta"),
    "instagram": Platform("instagram", "Instagram", ("instagram.com",), operator="meta"),
    "linkedin": Platform(
        "linkedin", "LinkedIn", ("linkedin.com",), (Section("learning", paths=("/learning/*",)),)
    ),
    "x": Platform("x", "X", ("x.com",)),
}
SPEND = Rule("Little", Then.SPEND, "daily-social")
STAFF, MARKETING = Person("dora", ("staff",)), Person("mia", ("marketing",))


def office(*rules: Rule, **more: object) -> RuleSet:
    """An office with four platforms, all of which some rule limits."""
    made = replace(SAMPLE, platforms=PLATFORMS, rules=rules, limited=frozenset(PLATFORMS))
    return replace(made, **more)  # type: ignore[arg-type]


def opening(rules: RuleSet, platform: str, who: Person = STAFF, now: str = "10:00") -> Opening:
    """The answer at a time of the Monday."""
    return Openings(Engine(rules)).of(who, platform, at(now))


def test_what_is_charged_or_blocked_is_opened() -> None:
    """And what is allowed is not, whoever runs it."""
    rules = office(
        Rule("Free", Then.ALLOW, targets=targets("x")),
        Rule("Never", Then.BLOCK, targets=targets("linkedin")),
        SPEND,
    )
    assert opening(rules, "x") == Opening(False, math.inf)
    assert opening(rules, "linkedin").needed
    assert opening(rules, "facebook").needed


def test_people_who_are_always_free_are_not_read() -> None:
    """Marketing may use everything, the others may not."""
    rules = office(Rule("Work", Then.ALLOW, roles=frozenset({"marketing"})), SPEND)
    assert not opening(rules, "facebook", MARKETING).needed
    assert opening(rules, "facebook", STAFF).needed


def test_a_section_decides_for_its_platform() -> None:
    """One section is charged, or one is free: the connection has to be opened to tell."""
    charged = office(
        Rule("Courses", Then.SPEND, "daily-social", targets=targets("linkedin/learning")),
        Rule("Free", Then.ALLOW),
    )
    free = office(Rule("Courses", Then.ALLOW, targets=targets("linkedin/learning")), SPEND)
    assert opening(charged, "linkedin").needed
    assert opening(free, "linkedin").needed
    assert not opening(charged, "x").needed


def test_platforms_of_one_operator_are_decided_together() -> None:
    """Instagram is charged: a connection to Facebook can carry its requests."""
    rules = office(Rule("Free", Then.ALLOW, targets=targets("facebook", "x")), SPEND)
    assert opening(rules, "facebook").needed
    assert not opening(rules, "x").needed
    unlimited = replace(rules, limited=frozenset({"facebook", "x"}))
    assert not opening(unlimited, "facebook").needed


def test_until_a_rule_opens_or_closes() -> None:
    """Free at lunch, until it is over; charged before, until it begins."""
    rules = office(Rule("Lunch", Then.ALLOW, when=LUNCH), SPEND)
    assert opening(rules, "x", now="12:10") == Opening(False, at("13:30"))
    assert opening(rules, "x", now="10:00") == Opening(True, at("12:00"))


def test_an_observed_rule_counts_as_if_it_were_enforced() -> None:
    """What it would charge or block is opened, what it would allow is not."""
    for then, allowance in ((Then.SPEND, "daily-social"), (Then.BLOCK, None), (Then.ALLOW, None)):
        rule = Rule("Tried", then, allowance, mode=Mode.OBSERVE)
        assert opening(office(rule), "x").needed is (then is not Then.ALLOW)


def test_what_no_rule_fits_is_decided_by_otherwise() -> None:
    """Blocked or allowed."""
    nobody = Rule("Others", Then.SPEND, "daily-social", users=("nobody",))
    assert not opening(office(nobody), "x").needed
    assert opening(office(nobody, otherwise=Then.BLOCK), "x").needed


def test_everything_that_is_limited() -> None:
    """`decrypt: limited` opens for everybody, always; what is not limited is never opened."""
    rules = office(Rule("Free", Then.ALLOW), decrypt=Decrypt.LIMITED)
    assert opening(rules, "x") == Opening(True, math.inf)
    assert opening(replace(rules, limited=frozenset()), "x") == Opening(False, math.inf)


def test_a_rota_gives_and_takes_a_role() -> None:
    """On duty free, until the shift ends."""
    shift = When(calendar=Calendar(("shifts",), (), visits("09:00-17:00")))
    people = People("staff", {"staff": ()}, (), {"care": (Duty(("emil",), shift),)})
    rules = office(Rule("Care", Then.ALLOW, roles=frozenset({"care"})), SPEND, people=people)
    engine = Engine(rules)
    emil = engine.person("emil", at("16:00"))
    assert Openings(engine).of(emil, "x", at("16:00")) == Opening(False, at("17:00"))
    assert Openings(engine).of(emil, "x", at("17:00")).needed


@given(
    st.lists(
        st.builds(
            Rule,
            st.text("abc", min_size=3, max_size=6),
            st.sampled_from([Then.ALLOW, Then.BLOCK]),
            targets=st.one_of(
                st.none(),
                st.sets(
                    st.sampled_from(
                        [Target(p) for p in PLATFORMS] + [Target("linkedin", "learning")]
                    ),
                    min_size=1,
                ).map(frozenset),
            ),
            when=st.sampled_from([None, LUNCH]),
            roles=st.sampled_from([frozenset(), frozenset({"staff"}), frozenset({"marketing"})]),
        ),
        max_size=5,
    ),
    st.sampled_from(sorted(PLATFORMS)),
    st.sampled_from(["10:00", "12:10", "13:29", "13:30"]),
)
def test_a_tunnel_that_is_not_opened_hides_no_decision(
    rules: list[Rule], platform: str, now: str
) -> None:
    """Law: where no tunnel is opened, every request of the same operator would be allowed, now and
    until the instant that was named."""
    made = office(*rules)
    engine = Engine(made)
    answer = Openings(engine).of(STAFF, platform, at(now))
    if answer.needed:
        return
    operator = PLATFORMS[platform].operator
    until = min(answer.until, at(now) + 7200)
    for name, each in PLATFORMS.items():
        if name == platform or (operator and each.operator == operator):
            for section in (None, *(part.name for part in each.sections)):
                for instant in (at(now), until - 1):
                    match = engine.match(STAFF, Target(name, section), instant)
                    assert match.then is Then.ALLOW
