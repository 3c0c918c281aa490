"""When something opens, and when an answer changes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.policy.outlook import free_until, kind, next_change, next_opening
from proxy_addon.core.ruleset import Duty, People, Rule, RuleSet, Then, When
from proxy_addon.core.types import Interval, Person, Target, Verdict
from tests.core.policies import LUNCH, SAMPLE, M, at, targets

DORA = Person("dora", ("staff",))
FACEBOOK, TIKTOK = Target("facebook"), Target("tiktok")
USED_UP = StaticUsage({"daily-social": (Interval(at("08:00"), at("08:15")),)})
FRESH = StaticUsage({})


def opening(
    now: str, usage: StaticUsage = USED_UP, rules: RuleSet = SAMPLE, target: Target = FACEBOOK
) -> tuple[float, Verdict, str | None] | None:
    """When it opens, how, and by which rule."""
    change = next_opening(Engine(rules), DORA, target, usage, at(now))
    return None if change is None else (change.at, change.decision.verdict, change.decision.rule)


def test_lunch_comes_before_midnight() -> None:
    """At eleven somebody without minutes is told of lunch, at three of tomorrow."""
    assert opening("11:00") == (at("12:00"), Verdict.ALLOW, "Lunch is yours")
    assert opening("15:00") == (
        at("2026-11-03 00:00"),
        Verdict.SPEND,
        "Fifteen minutes a day",
    )


def test_what_never_opens() -> None:
    """A rule blocks it for ever: only lunch, which stands above it, opens it; on a weekend nothing
    does before Monday."""
    assert opening("11:00", target=TIKTOK) == (at("12:00"), Verdict.ALLOW, "Lunch is yours")
    without_lunch = replace(
        SAMPLE, rules=tuple(rule for rule in SAMPLE.rules if rule.name != "Lunch is yours")
    )
    assert opening("11:00", rules=without_lunch, target=TIKTOK) is None


def test_when_a_free_time_ends() -> None:
    """Lunch is over at half past one."""
    engine = Engine(SAMPLE)
    change = next_opening(engine, DORA, FACEBOOK, USED_UP, at("11:00"))
    assert change is not None
    assert free_until(engine, DORA, FACEBOOK, USED_UP, change) == at("13:30")


def test_the_next_change() -> None:
    """What is charged is free at lunch, and charged again after it; what never changes has none."""
    engine = Engine(SAMPLE)
    change = next_change(engine, DORA, FACEBOOK, FRESH, at("09:00"))
    assert change is not None and kind(change.decision)[0] is Verdict.ALLOW
    change = next_change(engine, DORA, FACEBOOK, FRESH, at("12:30"))
    assert change is not None
    assert (change.at, kind(change.decision)) == (at("13:30"), (Verdict.SPEND, "daily-social"))
    always = replace(SAMPLE, rules=SAMPLE.rules[-1:])
    assert next_change(Engine(always), DORA, FACEBOOK, FRESH, at("09:00")) is None


def test_a_rota_that_opens_it() -> None:
    """Somebody is on duty from two o'clock on, and free by that role."""
    people = People(
        "staff",
        {"care": ()},
        duties={"care": (Duty(("dora",), When(between=((14 * 3600, 18 * 3600),))),)},
    )
    rules = replace(
        SAMPLE,
        people=people,
        rules=(
            Rule("Duty", Then.ALLOW, roles=frozenset({"care"}), targets=targets("facebook")),
            SAMPLE.rules[-1],
        ),
    )
    engine = Engine(rules)
    change = next_opening(
        engine, engine.person("dora", at("11:00")), FACEBOOK, USED_UP, at("11:00")
    )
    assert change is not None
    assert (change.at, change.decision.rule) == (at("14:00"), "Duty")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 3 * 1440),
    st.integers(0, 30),
    st.sampled_from(
        [None, LUNCH, When(days=frozenset({1, 5})), When(between=((22 * 3600, 3600),))]
    ),
)
def test_nothing_opens_sooner(start: int, used: int, when: When | None) -> None:
    """Compared with a look at every minute of the following days."""
    free = () if when is None else (Rule("Free", Then.ALLOW, targets=None, when=when),)
    engine = Engine(replace(SAMPLE, rules=(*free, SAMPLE.rules[-1])))
    now = at("00:00") + start * M
    usage = StaticUsage({"daily-social": (Interval(now - used * M, now),)})
    found = next_opening(engine, DORA, FACEBOOK, usage, now)
    minutes = (now + n * M for n in range(1, 3 * 1440))
    slow = next(
        (each for each in minutes if not engine.decide(DORA, FACEBOOK, usage, each).blocks), None
    )
    if engine.decide(DORA, FACEBOOK, usage, now).blocks:
        assert found is not None and found.at == slow
    elif found is not None and slow is not None:
        assert found.at >= slow
