"""Rules from the top, the first that fits decides: on the sample policy, example by example."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy_addon.core.policy import engine as policy
from proxy_addon.core.policy.engine import Engine, Match, StaticUsage
from proxy_addon.core.ruleset import Allowance, Duty, Period, Rule, Then, When
from proxy_addon.core.types import Decision, Fit, Person, Reason, Target, Verdict
from tests.core.policies import (
    LUNCH,
    SAMPLE,
    SOCIAL,
    H,
    M,
    at,
    grant,
    one_allowance,
    per,
    rolling,
    targets,
    visits,
)

NAME = "daily-social"
DORA = Person("dora", ("staff",))
NOTHING = StaticUsage()
USED_UP = StaticUsage({NAME: visits("09:00-09:10", "10:00-10:05")})
FIFTEEN = "Fifteen minutes a day"
MIDNIGHT = at("2026-11-03 00:00")


def decide(who: Person, where: str, usage=NOTHING, when: str = "10:30", rs=SAMPLE) -> Decision:
    """The sample policy's answer on the Monday."""
    return Engine(rs).decide(who, Target(*where.split("/")), usage, at(when))


# The day of the documentation


def test_fifteen_minutes_then_a_block_then_midnight():
    """Ten minutes of one platform and five of another are fifteen; then nothing until midnight, but
    lunch."""
    engine, usage = Engine(SAMPLE), StaticUsage({NAME: visits("09:00-09:10")})
    first = engine.decide(DORA, Target("linkedin"), usage, at("10:00"))
    assert first == Decision(
        Verdict.SPEND, Reason.WITHIN, "linkedin", None, FIFTEEN, NAME, left=5 * M, until=at("12:00")
    )
    second = engine.decide(DORA, Target("instagram"), USED_UP, at("10:30"))
    assert second == Decision(
        Verdict.BLOCK, Reason.EXHAUSTED, "instagram", None, FIFTEEN, NAME, left=0.0, until=MIDNIGHT
    )
    assert second.blocks
    third = engine.decide(DORA, Target("x"), USED_UP, at("12:10"))
    assert third == Decision(
        Verdict.ALLOW, Reason.ALLOWED, "x", None, "Lunch is yours", until=at("13:30")
    )
    assert engine.decide(DORA, Target("x"), USED_UP, MIDNIGHT).left == 15 * M


def test_the_first_rule_that_fits_decides():
    """Marketing's channels are free for marketing; TikTok is not theirs, and staff have none at
    all."""
    maria = Engine(SAMPLE).person("maria", at("10:30"))
    assert decide(maria, "x", USED_UP).rule == "Marketing runs our channels"
    assert decide(maria, "tiktok").rule == FIFTEEN
    refused = decide(DORA, "tiktok")
    assert (refused.verdict, refused.reason) == (Verdict.BLOCK, Reason.BLOCKED)
    assert refused.message == "TikTok is not available on office devices."
    assert refused.until == at("12:00")  # lunch stands above it
    assert decide(DORA, "tiktok", when="12:30").rule == "Lunch is yours"


def test_a_section_has_its_own_rules():
    """Learning on LinkedIn is work, LinkedIn is not; a rule for the platform fits sections no rule
    names."""
    assert decide(DORA, "linkedin/learning", USED_UP).rule == "Learning is work"
    assert decide(DORA, "linkedin", USED_UP).reason is Reason.EXHAUSTED
    assert decide(DORA, "linkedin/jobs", USED_UP).rule == FIFTEEN


def test_what_no_rule_limits_is_nobodys_business():
    """No platform, and a platform without limits: allowed, uncounted, without a rule or a walk."""
    assert Engine(SAMPLE).decide(DORA, None, NOTHING, at("10:30")) == Decision(
        Verdict.ALLOW, Reason.NOT_LIMITED
    )
    free = Decision(Verdict.ALLOW, Reason.NOT_LIMITED, "medium", "stories")
    assert decide(DORA, "medium/stories") == free
    assert Engine(SAMPLE).explain(DORA, Target("medium", "stories"), NOTHING, at("10:30")) == free


def test_otherwise_speaks_when_no_rule_fits():
    """It allows or blocks, has no rule, and changes when a rule above comes to fit."""
    lunch_only = replace(SAMPLE, rules=SAMPLE.rules[2:3])
    allowed = decide(DORA, "x", rs=lunch_only)
    assert allowed == Decision(Verdict.ALLOW, Reason.OTHERWISE, "x", until=at("12:00"))
    blocked = decide(DORA, "x", rs=replace(lunch_only, otherwise=Then.BLOCK))
    assert blocked == Decision(Verdict.BLOCK, Reason.OTHERWISE, "x", until=at("12:00"))
    empty = decide(DORA, "x", rs=replace(SAMPLE, rules=(), otherwise=Then.BLOCK))
    assert empty == Decision(Verdict.BLOCK, Reason.OTHERWISE, "x")


def test_a_used_up_allowance_does_not_fall_through():
    """No rule below one that spends is asked, however lenient."""
    lenient = replace(SAMPLE, rules=(*SAMPLE.rules, Rule("All yours", Then.ALLOW)))
    assert decide(DORA, "x", USED_UP, rs=lenient).reason is Reason.EXHAUSTED


def test_a_rule_that_spends_without_an_allowance_is_refused():
    """No policy file can say it, and no answer is made up for it."""
    with pytest.raises(ValueError, match="names its rule and its allowance"):
        decide(DORA, "x", rs=replace(SAMPLE, rules=(Rule("r", Then.SPEND),)))


def test_a_message_goes_with_a_block_only():
    """A rule's own words are given when it stops somebody, and not when it lets them pass."""
    rule = Rule("r", Then.SPEND, NAME, message="Enough for today.")
    rs = replace(SAMPLE, rules=(rule,))
    assert decide(DORA, "x", USED_UP, rs=rs).message == "Enough for today."
    assert decide(DORA, "x", rs=rs).message is None
    assert (
        decide(DORA, "x", rs=replace(rs, rules=(replace(rule, then=Then.ALLOW),))).message is None
    )


# People


def test_roles_come_from_the_people_file():
    """By name or pattern, whatever the case, in file order, several at once; else the default
    role."""
    both = replace(
        SAMPLE.people,
        roles={"staff": (), "care": ("c*",), "admin": ("ada", "cora"), "night": ("CORA",)},
    )
    rs = replace(SAMPLE, people=both)
    assert Engine(rs).roles_of("Cora", at("10:30")) == ("care", "admin", "night")
    assert Engine(rs).roles_of("dora", at("10:30")) == ("staff",)
    assert Engine(SAMPLE).person("Zed@Brand.example", at("10:30")) == Person(
        "Zed@Brand.example", ("marketing",)
    )


def test_somebody_unidentified_is_an_address_or_refused():
    """The name is the address, the role the one the policy gives; None where it refuses."""
    assert Engine(SAMPLE).unidentified("10.0.7.33") == Person("ip:10.0.7.33", ("guest",))
    assert Engine(replace(SAMPLE, unidentified_role=None)).unidentified("10.0.7.33") is None


def test_users_or_roles_of_a_rule():
    """One of the two is enough; names are patterns and ignore case."""
    rule = Rule("r", Then.BLOCK, users=("Bob", "*@agency.example"), roles=frozenset({"guest"}))
    rs = replace(SAMPLE, rules=(rule,))
    people = [("BOB", "staff"), ("x@Agency.example", "staff"), ("dora", "guest"), ("dora", "staff")]
    assert [decide(Person(name, (role,)), "x", rs=rs).blocks for name, role in people] == [
        True,
        True,
        True,
        False,
    ]


def test_the_first_override_that_fits_gives_the_limits():
    """Bob has thirty minutes, care forty-five, and Bob in care Bob's thirty: his stands first."""
    for person, minutes in (
        (DORA, 15),
        (Person("BOB", ("staff",)), 30),
        (Person("carl", ("care",)), 45),
        (Person("bob", ("care",)), 30),
    ):
        assert decide(person, "x").left == minutes * M
        assert Engine(SAMPLE).balance(person, NAME, NOTHING, at("10:30")).limit == minutes * M


def test_which_override_fits():
    """By a name or a role, the first in file order; None where the allowance's own limits hold."""
    engine, now = Engine(SAMPLE), at("10:30")
    of_bob, of_care = SAMPLE.allowances[NAME].overrides
    assert engine.override_for(Person("BOB", ("care",)), NAME, now) is of_bob
    assert engine.override_for(Person("carl", ("care",)), NAME, now) is of_care
    assert engine.override_for(DORA, NAME, now) is None


def test_what_fits_follows_the_rota():
    """Somebody of a rota fits by the roles of the instant asked about, whatever the person says."""
    rota = replace(SAMPLE.people, duties={"care": (Duty(("dora",), LUNCH),)})
    engine = Engine(replace(SAMPLE, people=rota))
    dora = engine.person("dora", at("10:30"))
    assert dora == Person("dora", ("staff",), duty=True)
    assert engine.override_for(dora, NAME, at("10:30")) is None
    assert engine.override_for(dora, NAME, at("12:30")) is SAMPLE.allowances[NAME].overrides[1]
    assert engine.lists_of(dora, at("12:30")) != engine.lists_of(dora, at("10:30"))
    names = [
        [rule.name for rule in engine.rules_for(dora, Target("tiktok"), at(time))]
        for time in ("10:30", "12:30")
    ]
    assert names == [["Lunch is yours", "Not on our network"], ["Lunch is yours", FIFTEEN]]


def test_which_rules_can_decide():
    """Those for the person and the target, down to the first that holds at any hour; none for what
    none names."""
    engine, now = Engine(SAMPLE), at("10:30")
    maria, x = engine.person("maria", now), Target("x")
    assert engine.rules_for(maria, x, now) == SAMPLE.rules[:1]
    assert engine.rules_for(DORA, x, now) == (SAMPLE.rules[2], SAMPLE.rules[4])
    assert engine.rules_for(DORA, Target("medium"), now) == ()


def test_people_in_the_same_lists():
    """Nothing tells two members of care apart; bob is in a list of his own, whatever the case."""
    engine, now = Engine(SAMPLE), at("10:30")
    carl, cora, bob, big_bob = (
        engine.lists_of(engine.person(name, now), now) for name in ("carl", "cora", "bob", "BOB")
    )
    assert (carl == cora, bob == big_bob, carl == bob) == (True, True, False)


def test_balances_are_those_that_could_be_spent():
    """An allowance shows for everybody whom a rule could make spend it, now or at another hour."""
    other = Allowance("video", (per(Period.WEEK, H),))
    spend = Rule(
        "Video",
        Then.SPEND,
        "video",
        roles=frozenset({"staff"}),
        targets=targets("youtube"),
        when=LUNCH,
    )
    allowances = {"unused": replace(other, name="unused"), "video": other, **SAMPLE.allowances}
    rs = replace(SAMPLE, rules=(spend, *SAMPLE.rules), allowances=allowances)

    def names(person: Person) -> list[str]:
        return [one.allowance for one in Engine(rs).balances(person, USED_UP, at("10:30"))]

    assert names(DORA) == ["video", NAME]
    assert names(Person("guest", ("guest",))) == [NAME]
    assert Engine(SAMPLE).balances(DORA, USED_UP, at("10:30")) == (
        Engine(SAMPLE).balance(DORA, NAME, USED_UP, at("10:30")),
    )


def test_balances_leave_out_what_earlier_rules_always_decide():
    """Somebody for whom all is allowed has no balance; a rule whose targets are all taken is out of
    reach."""
    boss, ada = Rule("Boss", Then.ALLOW, roles=frozenset({"admin"})), Person("ada", ("admin",))
    assert (
        Engine(replace(SAMPLE, rules=(boss, *SAMPLE.rules))).balances(ada, NOTHING, at("10:30"))
        == ()
    )
    taken = Rule("Taken", Then.ALLOW, targets=targets("x", "linkedin"))
    below = Rule("Below", Then.SPEND, NAME, targets=targets("x", "linkedin/jobs"))
    rs = replace(SAMPLE, rules=(taken, below))
    assert Engine(rs).balances(DORA, NOTHING, at("10:30")) == ()
    assert Engine(replace(rs, rules=(replace(taken, when=LUNCH), below))).balances(
        DORA, NOTHING, at("10:30")
    )
    assert Engine(replace(rs, rules=(taken, replace(below, targets=None)))).balances(
        DORA, NOTHING, at("10:30")
    )


def test_a_new_grant_ends_with_the_shortest_window():
    """The hour before the day, the day before a rolling limit; a rolling one alone from now."""
    now = at("10:30")
    for limits, expiry in (
        ([per(Period.DAY, 1)], MIDNIGHT),
        ([per(Period.WEEK, 1), per(Period.HOUR, 1), per(Period.DAY, 1)], at("11:00")),
        ([rolling(1, 1), per(Period.MONTH, 1)], at("2026-12-01 00:00")),
        ([rolling(8, 1), rolling(4, 1)], now + 4 * H),
    ):
        assert Engine(one_allowance(*limits)).grant_expiry(DORA, NAME, now) == expiry


def test_a_grant_opens_what_was_closed():
    """Ten granted minutes turn the block into spending, and the block comes back when they end."""
    granted = StaticUsage({NAME: USED_UP.intervals(NAME)}, (grant(10 * M, "10:20", "17:00"),))
    assert decide(DORA, "x", granted, "10:15").reason is Reason.EXHAUSTED
    assert decide(DORA, "x", granted, "10:30").left == 10 * M
    assert decide(DORA, "x", granted, "17:00").until == MIDNIGHT


def test_an_engine_knows_how_far_back_it_looks():
    """With a limit per day, this day."""
    assert Engine(SAMPLE).needed_since(at("10:30")) == at("00:00")


# The walk


def test_the_walk_says_why():
    """One line a rule up to the one that decided; the rest was not asked."""
    walk = Engine(SAMPLE).explain(DORA, Target("tiktok"), USED_UP, at("10:30")).walk
    assert [(step.rule, step.fit) for step in walk] == [
        ("Marketing runs our channels", Fit.NOT_YOU),
        ("Learning is work", Fit.NOT_THERE),
        ("Lunch is yours", Fit.NOT_NOW),
        ("Not on our network", Fit.FITS),
        (FIFTEEN, Fit.TOO_LATE),
    ]


def test_the_walk_names_an_exception():
    """A `not` that holds is what stands in the way."""
    rs = replace(SAMPLE, rules=(Rule("Free time", Then.ALLOW, when=When(negated=LUNCH)),))
    walk = Engine(rs).explain(DORA, Target("x"), NOTHING, at("12:30")).walk
    assert walk[0].fit is Fit.EXCEPTED


def test_until_is_when_a_when_of_the_walk_flips():
    """It looks at the conditions above the rule and its own, and not at those below."""
    work = When(days=frozenset(range(5)), between=((9 * 3600, 17 * 3600),))
    rs = replace(
        SAMPLE,
        rules=(
            Rule(
                "other place",
                Then.ALLOW,
                targets=targets("youtube"),
                when=When(between=((0, 38_000),)),
            ),
            Rule("lunch", Then.ALLOW, when=LUNCH),
            Rule("work", Then.BLOCK, when=work),
            Rule("evening", Then.ALLOW, when=When(between=((0, 40_000),))),
        ),
    )
    x = Target("x")
    assert Engine(rs).match(DORA, x, at("10:30")) == Match(
        rs.rules[2], Then.BLOCK, None, at("12:00")
    )
    assert Engine(rs).match(DORA, x, at("15:00")) == Match(
        rs.rules[2], Then.BLOCK, None, at("17:00")
    )
    assert Engine(rs).match(DORA, x, at("17:00")).until == MIDNIGHT
    assert Engine(replace(rs, rules=())).match(DORA, x, at("10:30")) == Match(
        None, Then.ALLOW, None, None
    )


def test_raising_a_limit_at_noon_gives_the_difference_at_once():
    """Fifteen used up, limit raised to twenty: five. Lowered to ten: nothing, and not less."""
    for minutes_a_day, rest in ((20, 5), (10, 0)):
        rs = one_allowance(per(Period.DAY, minutes_a_day * M))
        assert decide(DORA, "x", USED_UP, "14:00", rs).left == rest * M


# What is remembered


def test_what_an_engine_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """With room for a few entries it forgets, and still answers right."""
    monkeypatch.setattr(policy, "_KEPT", 3)
    engine = Engine(SAMPLE)
    asked = [Target(name, section) for name in SOCIAL for section in (None, "a", "b")]
    answers = [engine.decide(DORA, target, USED_UP, at("10:30")).reason for target in asked]
    assert {*answers} == {Reason.EXHAUSTED, Reason.BLOCKED}
    assert max(len(engine._found), len(engine._entries_at), len(engine._limits_of)) <= 3


def test_the_sample_day_reads_as_written():
    """Hour by hour, what Dora meets on X: the reasons change exactly at lunch."""
    engine = Engine(SAMPLE)
    times = ["08:00", "09:05", "10:04", "10:05", "11:59", "12:00", "13:29", "13:30", "23:59"]
    met = [engine.decide(DORA, Target("x"), USED_UP, at(time)).reason for time in times]
    within, out, free = Reason.WITHIN, Reason.EXHAUSTED, Reason.ALLOWED
    assert met == [within, within, within, out, out, free, free, out, out]
