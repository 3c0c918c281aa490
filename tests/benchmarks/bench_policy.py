"""How long a decision takes: 10,000 people, 200 rules, 40 platforms. Prints figures, judges
nothing.

Run: python tests/benchmarks/bench_policy.py [DECISIONS]
Budget (docs): median 20 us, p99 60 us.
"""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable
from time import perf_counter_ns
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import normalise
from proxy_addon.core.policy.engine import Engine, StaticUsage
from proxy_addon.core.ruleset import (
    Allowance,
    Limit,
    Override,
    People,
    Period,
    Platform,
    Rule,
    RuleSet,
    Then,
    When,
)
from proxy_addon.core.types import Grant, Interval, Person, Target

PEOPLE, RULES, PLATFORMS, ROLES = 10_000, 200, 40, 20
NOW = 1_793_615_400.0  # Monday 2 November 2026, 10:30 in London
VISITS = 25  # stretches of each person and allowance in the last days
PLACES = [f"platform{i}" for i in range(PLATFORMS)]
NAMES = [f"person{i}@office.example" for i in range(PEOPLE)]


def allowances(chance: random.Random) -> dict[str, Allowance]:
    """Ten budgets of every kind."""
    day, week = Limit(900, Period.DAY), Limit(3600, Period.WEEK)
    kinds = [
        (day,),
        (day, week),
        (Limit(1800, Period.ROLLING, 4 * 3600.0),),
        (Limit(300, Period.HOUR), day),
    ]
    made = {}
    for i in range(10):
        people = tuple(chance.sample(NAMES, 5))
        overrides = (
            Override(people, (), (Limit(1800, Period.DAY),)),
            Override((), ("role3",), (week,)),
        )
        made[f"a{i}"] = Allowance(
            f"a{i}", kinds[i % 4], carry_over=300.0 * (i % 3 == 0), overrides=overrides
        )
    return made


def rules(chance: random.Random) -> tuple[Rule, ...]:
    """199 special rules for some people, places and hours, and one for everybody at the end."""
    made = []
    for i in range(RULES - 1):
        kind = i % 4
        begin = chance.randrange(0, 80_000, 900)
        when = When(frozenset(chance.sample(range(7), 4)), ((begin, begin + 5400),))
        then = (Then.ALLOW, Then.SPEND, Then.BLOCK, Then.SPEND)[kind]
        users = (
            tuple(chance.sample(NAMES, 20)) if kind == 0 else (f"*@brand{i}.example",) * (kind == 2)
        )
        made.append(
            Rule(
                f"rule {i}",
                then,
                f"a{i % 10}" if then is Then.SPEND else None,
                users=users,
                roles=frozenset({f"role{chance.randrange(ROLES)}"}),
                targets=frozenset(Target(place) for place in chance.sample(PLACES, 4)),
                when=when if kind != 1 else None,
            )
        )
    return (*made, Rule("everybody", Then.SPEND, "a0"))


def rule_set(chance: random.Random) -> RuleSet:
    """The whole office."""
    members = {f"role{i}": tuple(NAMES[i::ROLES]) for i in range(ROLES)}
    return RuleSet(
        ZoneInfo("Europe/London"),
        0,
        0,
        {name: Platform(name, name, (f"{name}.example",)) for name in PLACES},
        {},
        allowances(chance),
        rules(chance),
        People("role0", members),
        limited=frozenset(PLACES),
    )


def usage(chance: random.Random, minutes: float) -> StaticUsage:
    """Stretches of so many minutes each, over the last two days; every eighth person has a
    grant."""
    many = {}
    for i in range(10):
        starts = [NOW - chance.random() * 2 * 86_400 for _ in range(VISITS)]
        many[f"a{i}"] = normalise(Interval(s, min(NOW, s + minutes * 60)) for s in starts)
    grant = Grant("g", "p", f"a{chance.randrange(10)}", 600, "", "", NOW - 7200, NOW + 3600)
    return StaticUsage(many, (grant,) if chance.random() < 0.125 else ())


def report(name: str, times: list[int]) -> None:
    """One line of figures, microseconds."""
    times.sort()
    at = [times[int(len(times) * part)] / 1000 for part in (0.5, 0.9, 0.99, 0.999)]
    print(
        f"{name:34} median {at[0]:7.1f}   p90 {at[1]:7.1f}   p99 {at[2]:7.1f}   p99.9 {at[3]:7.1f} us"
    )


def timed(count: int, ask: Callable[[int], object]) -> list[int]:
    """How long each of so many calls took, nanoseconds."""
    times = []
    gc.collect()
    for i in range(count):
        begin = perf_counter_ns()
        ask(i)
        times.append(perf_counter_ns() - begin)
    return times


def main(count: int) -> None:
    """Build the office once, then ask."""
    chance = random.Random(1)
    rs = rule_set(chance)
    begin = perf_counter_ns()
    engine = Engine(rs)
    print(f"{'engine built':34} {(perf_counter_ns() - begin) / 1e6:.1f} ms")
    people = [engine.person(name, NOW) for name in NAMES]
    light = [usage(chance, 0.5) for _ in range(200)]
    heavy = [usage(chance, 12) for _ in range(200)]
    asked = [
        (chance.choice(people), Target(chance.choice(PLACES)), chance.randrange(200))
        for _ in range(count)
    ]

    def ask(usages: list[StaticUsage], step: float) -> Callable[[int], object]:
        def one(i: int) -> object:
            person, target, used = asked[i]
            return engine.decide(person, target, usages[used], NOW + i * step)

        return one

    report("first time: everybody is new", timed(count, ask(light, 0.0)))
    report("again, some time left", timed(count, ask(light, 0.0)))
    report("again, mostly used up", timed(count, ask(heavy, 0.0)))
    report("while 0.01 s pass between two", timed(count, ask(light, 0.01)))
    report("roles of a name", timed(count, lambda i: engine.roles_of(NAMES[i % PEOPLE], NOW)))
    report(
        "all balances of a person",
        timed(2000, lambda i: engine.balances(people[i], light[i % 200], NOW)),
    )
    slow = Person("nobody", ("role1",))
    report("explain", timed(2000, lambda i: engine.explain(slow, asked[i][1], light[i % 200], NOW)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
