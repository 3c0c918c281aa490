"""What is open now and what comes next, for many platforms at once."""

from __future__ import annotations

import time
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.policy.open_groups import alike, all_targets, open_groups
from proxy_addon.core.policy.outlook import answers, kind
from proxy_addon.core.ruleset import Platform, Rule, Section, Then, When
from proxy_addon.core.types import Interval, Person, Target, Verdict
from tests.core.policies import LUNCH, SAMPLE, at, targets

DORA = Person("dora", ("staff",))
PARTS = {
    **SAMPLE.platforms,
    "linkedin": replace(
        SAMPLE.platforms["linkedin"], sections=(Section("learning"), Section("jobs"))
    ),
}
RULES = replace(SAMPLE, platforms=PARTS)


def test_targets() -> None:
    """Every platform, and the sections that a rule names; no other section has an answer of its
    own."""
    found = all_targets(RULES)
    assert {target.platform for target in found} == set(RULES.platforms)
    assert [t for t in found if t.section] == [Target("linkedin", "learning")]


def test_alike() -> None:
    """Platforms that the same rules cover are one group; what is never limited is another."""
    groups = alike(RULES, all_targets(RULES))
    assert {t for group in groups for t in group} == set(all_targets(RULES))
    of = {target: n for n, group in enumerate(groups) for target in group}
    assert of[Target("threads")] == of[Target("reddit")]
    assert of[Target("medium")] not in (of[Target("threads")], of[Target("tiktok")])
    assert of[Target("linkedin")] != of[Target("linkedin", "learning")]


def test_the_next_two_changes() -> None:
    """Charged until lunch, free at lunch, charged after it; learning is free for ever."""
    groups = alike(RULES, all_targets(RULES))
    found = {
        target: each
        for each in open_groups(Engine(RULES), DORA, groups, StaticUsage(), at("11:00"))
        for target in each.targets
    }
    threads = found[Target("threads")]
    assert threads.now.verdict is Verdict.SPEND
    assert threads.next is not None and threads.after is not None
    assert (threads.next.at, threads.next.decision.rule) == (at("12:00"), "Lunch is yours")
    assert (threads.after.at, threads.after.decision.verdict) == (at("13:30"), Verdict.SPEND)
    learning = found[Target("linkedin", "learning")]
    assert (learning.now.verdict, learning.next, learning.after) == (Verdict.ALLOW, None, None)


@given(st.integers(0, 14 * 24 * 60))
def test_a_group_answers_as_each_of_it_does(minutes: int) -> None:
    """Whenever it is: what one of a group gets now and next, all of it get."""
    engine, now = Engine(RULES), at("00:00") + 60 * minutes
    usage = StaticUsage({"daily-social": (Interval(now - 1000, now - 200),)})
    for each in open_groups(engine, DORA, alike(RULES, all_targets(RULES)), usage, now):
        for target in each.targets:
            changes = answers(engine, DORA, target, usage, now)
            assert kind(next(changes).decision) == kind(each.now)
            other = next((c for c in changes if kind(c.decision) != kind(each.now)), None)
            assert (other and other.at) == (each.next and each.next.at)


def test_many_rules_and_platforms() -> None:
    """Three hundred rules about a hundred platforms: the answers take less than 30 ms of the event
    loop; the groups are found once for all people."""
    names = [f"p{n}" for n in range(100)]
    rules = tuple(
        Rule(f"r{n}", Then.ALLOW, targets=targets(names[n % 100]), when=LUNCH if n % 2 else When())
        for n in range(299)
    )
    last = Rule("all", Then.SPEND, "daily-social", targets=targets(*names))
    many = replace(
        SAMPLE,
        platforms={name: Platform(name, name, (f"{name}.com",)) for name in names},
        groups={},
        rules=(*rules, last),
        limited=frozenset(names),
    )
    groups, engine = alike(many, all_targets(many)), Engine(many)
    best = 1.0
    for _ in range(5):
        begin = time.perf_counter()
        open_groups(engine, DORA, groups, StaticUsage(), at("11:00"))
        best = min(best, time.perf_counter() - begin)
    assert len(groups) == 100
    assert best < 0.03
