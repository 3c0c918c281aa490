"""Which rules can be reached: held against trying every person, place and time of a small
office."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.rules import reachability as rules_reach
from proxy_addon.core.ruleset import Calendar, People, Platform, Rule, RuleSet, Section, Then, When
from proxy_addon.core.types import Person, Target
from tests.core.policies import SAMPLE, at, visits

quick = settings(max_examples=100, deadline=None)
H = 3600
PLACES = {
    "x": Platform("x", "X", ("x.com",)),
    "linkedin": Platform(
        "linkedin", "LinkedIn", ("linkedin.com",), (Section("learning"), Section("jobs"))
    ),
}
EVERYWHERE = [
    Target("x"),
    Target("linkedin"),
    Target("linkedin", "learning"),
    Target("linkedin", "jobs"),
]
PEOPLE = People("staff", {"staff": (), "care": ("carl", "cora"), "lead": ("carl",)})
ROLES = ("staff", "care", "lead", "guest")
OFFICE = replace(SAMPLE, platforms=PLACES, people=PEOPLE, groups={}, allowances={})


def office(*rules: Rule) -> RuleSet:
    """An office with these rules, named by their position."""
    return replace(
        OFFICE, rules=tuple(replace(rule, name=f"rule {i}") for i, rule in enumerate(rules))
    )


def found(rs: RuleSet) -> dict[int, tuple[int, ...]]:
    """Which rules are in the shadow of which."""
    return dict(rules_reach.shadowed(rs))


hours = st.sampled_from([0, 8, 12, 13, 18, 22, 24])
whens = st.builds(
    When,
    days=st.none() | st.sampled_from([range(5), (5, 6), range(7), (0,)]).map(frozenset),
    between=st.lists(
        st.tuples(hours, hours).filter(lambda p: p[0] != p[1] and p[0] < 24), max_size=1
    ).map(lambda pairs: tuple((a * H, b * H) for a, b in pairs)),
    dates=st.lists(
        st.sampled_from(
            [(date(2026, 11, 2), date(2026, 11, 4)), (date(2026, 11, 4), date(2026, 11, 30))]
        ),
        max_size=1,
    ).map(tuple),
    negated=st.none(),
    calendar=st.none(),
)
conditions = st.builds(
    lambda when, negated: replace(when, negated=negated), whens, st.none() | whens
)
rules = st.builds(
    Rule,
    name=st.just("r"),
    then=st.sampled_from([Then.ALLOW, Then.BLOCK]),
    users=st.lists(st.sampled_from(["carl", "dora", "Cora", "*a", "c*"]), max_size=1).map(tuple),
    roles=st.frozensets(st.sampled_from(ROLES), max_size=3),
    targets=st.none() | st.frozensets(st.sampled_from(EVERYWHERE), min_size=1),
    when=st.none() | conditions,
)
# Everybody who may come: those who are listed, some who are not, and the roles a device may give.
CROWD = [
    Person("carl", ("care", "lead")),
    Person("cora", ("care",)),
    Person("dora", ("staff",)),
    Person("emma", ("staff",)),
    Person("claus", ("staff",)),
    Person("x1", ("guest",)),
    Person("ip:1", ("guest",)),
    Person("ip:2", ("staff",)),
    Person("ip:3", ("care",)),
    Person("ip:4", ("lead",)),
]
# Each hour of two weeks around the dates above and of a week far from them.
ALWAYS = [at("2026-10-26 00:30") + h * H for h in range(11 * 24)]
ALWAYS += [
    at(f"{day} 00:30") + h * H for day in ("2026-11-28", "2027-02-01") for h in range(0, 8 * 24)
]


@quick
@given(st.lists(rules, min_size=2, max_size=5))
def test_a_rule_in_the_shadow_is_met_by_nobody_anywhere_ever(some: list[Rule]) -> None:
    """No warning is wrong; and one that names a rule is not given about a rule without the others
    above it."""
    rs = office(*some)
    dark = found(rs)
    engine = Engine(rs)
    met = {
        match.rule.name
        for person in CROWD
        for target in EVERYWHERE
        for now in ALWAYS[::5]
        if dark
        if (match := engine.match(person, target, now)).rule is not None
    }
    assert not met & {f"rule {i}" for i in dark}
    for i, above in dark.items():
        assert all(j < i for j in above)
        assert i in rules_dark_below(rs, above, i)


def rules_dark_below(rs: RuleSet, above: tuple[int, ...], i: int) -> dict[int, tuple[int, ...]]:
    """The shadow with only the rules that are said to cast it."""
    kept = office(*(rs.rules[j] for j in above), rs.rules[i])
    return {i: ()} if len(above) in found(kept) else {}


@quick
@given(st.lists(rules.map(lambda rule: replace(rule, users=())), min_size=2, max_size=4))
def test_without_names_every_shadow_is_found(some: list[Rule]) -> None:
    """A rule for roles that is met at no hour, by no role, at no place is told (unless its `when`
    never holds)."""
    rs = office(*some)
    dark = found(rs)
    engine = Engine(rs)
    singles = [Person(f"ip:{role}", (role,)) for role in ROLES]
    for i, rule in enumerate(rs.rules):
        if i in dark or (rule.when is not None and not rules_reach.can_hold(rule.when, rs)):
            continue
        assert any(
            engine.match(person, target, now).rule is rule
            for now in ALWAYS
            for person in singles
            for target in EVERYWHERE
        ), i


@quick
@given(conditions)
def test_a_condition_can_hold_when_it_does_at_some_hour(when: When) -> None:
    """Edges are full hours here, so each hour of two weeks answers for all of them."""
    engine = Engine(office(Rule("r", Then.BLOCK, when=when)))
    holds = any(engine.match(CROWD[0], Target("x"), now).rule is not None for now in ALWAYS)
    assert rules_reach.can_hold(when, OFFICE) is holds


def test_hours_of_an_event_are_looked_into() -> None:
    """A lunch during an event is possible, a Sunday during a Monday's event is not."""
    event = Calendar((), (), visits("11:00-12:30"))
    assert rules_reach.can_hold(When(between=((12 * H, 13 * H),), calendar=event), OFFICE)
    assert not rules_reach.can_hold(When(days=frozenset({6}), calendar=event), OFFICE)
    assert not rules_reach.can_hold(When(calendar=Calendar(("empty",))), OFFICE)


def test_a_rule_with_hours_is_in_the_shadow_of_one_without() -> None:
    """What an event narrows is covered by what covers the whole."""
    event = Calendar((), (), visits("11:00-12:30"))
    lunch = When(between=((12 * H, 13 * H),))
    dark = office(
        Rule("a", Then.BLOCK, when=lunch),
        Rule("b", Then.ALLOW, when=replace(lunch, calendar=event)),
    )
    assert found(dark) == {1: (0,)}
    assert found(office(*reversed(dark.rules))) == {}


def test_somebody_whom_a_device_gives_another_role_may_be_met() -> None:
    """Carl at the front desk is a guest there, so a rule about care is not always first."""
    rs = office(
        Rule("a", Then.BLOCK, roles=frozenset({"care"})), Rule("b", Then.ALLOW, users=("carl",))
    )
    assert found(rs) == {1: (0,)}
    seated = replace(rs.people, devices=((None, "Carl", "guest"),))  # type: ignore[arg-type]
    assert found(replace(rs, people=seated)) == {}


def test_a_rule_on_duty_only_covers_nobody_off_duty() -> None:
    """Members with times do not always have the role."""
    rs = office(
        Rule("a", Then.BLOCK, roles=frozenset({"night"})), Rule("b", Then.ALLOW, users=("emil",))
    )
    assert found(rs) == {}
