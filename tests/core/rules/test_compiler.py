"""Plain data to a rule set: what docs/rules.md promises, without YAML."""

from __future__ import annotations

from datetime import date
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from proxy_addon.core.rules.compiler import Compiled, compile_rules
from proxy_addon.core.rules.documents import Document, Documents
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import (
    Allowance,
    Limit,
    Metering,
    OnFailure,
    Override,
    People,
    Period,
    Platform,
    Rule,
    RuleSet,
    Section,
    Then,
    When,
)
from proxy_addon.core.types import Target

PLATFORMS = {
    name: {"hosts": [f"{name}.example"]} for name in ("x", "linkedin", "youtube", "tiktok")
}
PLATFORMS["linkedin"] = {
    "title": "LinkedIn",
    "hosts": ["linkedin.com"],
    "sections": {"learning": {"paths": ["/learning/*"]}},
}
HEAD = {"version": 1, "timezone": "Europe/London"}


def document(file: str, data: dict[str, Any]) -> Document:
    """Data that stands at line 1."""
    return Document(file, data, {}, {})


def compiled(policy: dict[str, Any], people: dict[str, Any] | None = None, **more: Any) -> Compiled:
    """A policy (version and zone given) and people over four platforms."""
    top = (
        document("rules/policy.yaml", HEAD | policy),
        document("rules/people.yaml", people or {}),
    )
    return compile_rules(
        Documents("rules", top, (document("rules/platforms/all.yaml", PLATFORMS),), **more)
    )


def right(policy: dict[str, Any], people: dict[str, Any] | None = None) -> RuleSet:
    """The rule set of rules without a problem."""
    answer = compiled(policy, people)
    assert answer.problems == ()
    assert answer.rule_set is not None
    return answer.rule_set


def codes(policy: dict[str, Any], people: dict[str, Any] | None = None) -> list[Code]:
    """The codes of everything that is wrong."""
    answer = compiled(policy, people)
    assert answer.rule_set is None
    return [problem.code for problem in answer.problems]


def test_the_least_policy_has_every_default() -> None:
    """Two keys are enough; nothing is limited, and everybody is staff."""
    wanted = RuleSet(
        zone=ZoneInfo("Europe/London"),
        day_starts=0,
        week_starts=0,
        platforms={
            "x": Platform("x", "x", ("x.example",)),
            "linkedin": Platform(
                "linkedin",
                "LinkedIn",
                ("linkedin.com",),
                (Section("learning", (), ("/learning/*",)),),
            ),
            "youtube": Platform("youtube", "youtube", ("youtube.example",)),
            "tiktok": Platform("tiktok", "tiktok", ("tiktok.example",)),
        },
        groups={},
        allowances={},
        rules=(),
        people=People("staff", {}),
    )
    assert right({}) == wanted


def test_a_policy_that_uses_every_key() -> None:
    """Each key ends up where the engine looks for it."""
    policy = {
        "day_starts": "04:00",
        "week_starts": "sunday",
        "platform_groups": {"social": ["x", "linkedin"], "all": ["social", "youtube", "x"]},
        "allowances": {
            "daily": {
                "limit": ["15m per day", "1h per week"],
                "title": "Social time",
                "warn_at": "2m",
                "carry_over": "5m",
                "overrides": [
                    {"users": ["bob", "*@brand.example"], "limit": "30m per day"},
                    {"roles": ["care"], "limit": ["20m per rolling 4h"]},
                ],
            }
        },
        "rules": [
            {
                "name": "Free",
                "roles": ["care"],
                "users": ["ann"],
                "platforms": ["linkedin/learning", "x"],
                "then": "allow",
            },
            {
                "platforms": ["tiktok"],
                "then": "block",
                "message": "No.",
                "when": {
                    "days": ["mon-tue", "fri"],
                    "between": ["09:00-12:00", "22:00-02:00"],
                    "dates": ["2026-12-24", "2026-12-27..2026-12-31"],
                    "not": {"days": "tue"},
                },
            },
            {"name": "Rest", "platforms": ["all"], "then": {"spend": "daily"}},
        ],
        "otherwise": "allow",
        "unidentified": "refuse",
        "on_failure": "block",
        "metering": {"tail": "5s", "media_gap": 30, "busy_rate": "2500.5"},
        "retention": "30d",
    }
    people = {
        "default_role": "everybody",
        "roles": {"care": {"members": ["carl", 4711]}, "staff": None},
        "devices": {
            "10.0.8.0/24": {"role": "everybody"},
            "10.0.8.7": {"user": "lobby", "role": "care"},
            "fd00::/8": "lab",
        },
    }
    rules = right(policy, people)
    assert (rules.day_starts, rules.week_starts) == (14_400, 6)
    assert rules.groups == {"social": ("x", "linkedin"), "all": ("x", "linkedin", "youtube")}
    assert rules.allowances == {
        "daily": Allowance(
            "daily",
            (Limit(900, Period.DAY), Limit(3600, Period.WEEK)),
            120,
            300,
            (
                Override(("bob", "*@brand.example"), (), (Limit(1800, Period.DAY),)),
                Override((), ("care",), (Limit(1200, Period.ROLLING, 14_400),)),
            ),
            "Social time",
        )
    }
    when = When(
        days=frozenset({0, 1, 4}),
        between=((32_400, 43_200), (79_200, 7200)),
        dates=((date(2026, 12, 24), date(2026, 12, 24)), (date(2026, 12, 27), date(2026, 12, 31))),
        negated=When(days=frozenset({1})),
    )
    assert rules.rules == (
        Rule(
            "Free",
            Then.ALLOW,
            users=("ann",),
            roles=frozenset({"care"}),
            targets=frozenset({Target("linkedin", "learning"), Target("x")}),
        ),
        Rule("rule 2", Then.BLOCK, targets=frozenset({Target("tiktok")}), when=when, message="No."),
        Rule(
            "Rest",
            Then.SPEND,
            "daily",
            targets=frozenset({Target("x"), Target("linkedin"), Target("youtube")}),
        ),
    )
    assert (rules.otherwise, rules.unidentified_role) == (Then.ALLOW, None)
    assert (rules.on_failure, rules.retention) == (OnFailure.BLOCK, 30 * 86_400)
    assert rules.metering == Metering(tail=5, media_gap=30, busy_rate=2500.5)
    assert rules.people.default_role == "everybody"
    assert rules.people.roles == {"care": ("carl", "4711"), "staff": ()}
    assert rules.people.devices == (
        (ip_network("10.0.8.7"), "lobby", "care"),
        (ip_network("10.0.8.0/24"), None, "everybody"),
        (ip_network("fd00::/8"), "lab", None),
    )
    assert rules.limited == {"x", "linkedin", "youtube", "tiktok"}


@pytest.mark.parametrize(
    ("policy", "limited"),
    [
        ({"rules": [{"platforms": ["x"], "then": "allow"}]}, set()),
        ({"rules": [{"platforms": ["x"], "then": "block"}]}, {"x"}),
        ({"rules": [{"platforms": ["linkedin/learning"], "then": "block"}]}, {"linkedin"}),
        ({"rules": [{"roles": ["guest"], "then": "block"}]}, set(PLATFORMS)),
        ({"otherwise": "block"}, set(PLATFORMS)),
    ],
)
def test_what_is_limited(policy: dict[str, Any], limited: set[str]) -> None:
    """Only what some rule may block or make spend is decrypted."""
    assert right(policy).limited == limited


def test_roles_that_are_declared_by_being_named() -> None:
    """admin always, the default role, and the role of people nobody could identify."""
    rules = [{"roles": [role], "then": "allow"} for role in ("admin", "crew", "visitor")]
    right({"rules": rules, "unidentified": {"role": "visitor"}}, {"default_role": "crew"})


def test_guest_is_not_declared_where_strangers_are_refused() -> None:
    """Nobody would ever have that role."""
    assert codes({"unidentified": "refuse", "rules": [{"roles": ["guest"], "then": "allow"}]}) == [
        Code.UNKNOWN_ROLE
    ]


@pytest.mark.parametrize(
    ("policy", "people"),
    [
        ({"allowances": 5, "rules": [{"then": {"spend": "daily"}}]}, {}),
        ({"allowances": {"daily": {}}, "rules": [{"then": {"spend": "daily"}}]}, {}),
        (
            {
                "platform_groups": {"social": []},
                "rules": [{"platforms": ["social"], "then": "block"}],
            },
            {},
        ),
        ({"platform_groups": [], "rules": [{"platforms": ["social"], "then": "block"}]}, {}),
        ({"rules": [{"roles": ["care"], "then": "block"}]}, {"roles": ["care"]}),
        ({"rules": [{"roles": ["care"], "then": "block"}]}, {"roles": {"care": {"member": []}}}),
    ],
)
def test_one_mistake_is_one_problem(policy: dict[str, Any], people: dict[str, Any]) -> None:
    """A name whose definition is wrong counts as defined."""
    assert len(codes(policy, people)) == 1


def test_unreadable_files_cast_no_doubt_on_names() -> None:
    """What may be declared in a file that could not be read is not called unknown or missing."""
    answer = compiled(
        {
            "rules": [{"roles": ["care"], "platforms": ["orkut"], "then": {"spend": "daily"}}],
            "otherwise": 5,
        },
        complete=False,
    )
    assert [problem.code for problem in answer.problems] == [Code.BAD_CHOICE]
    assert compile_rules(Documents("rules", (), complete=False)).problems == ()


def test_every_circle_of_groups_is_reported_once() -> None:
    """Groups that reach a circle without being in it add nothing."""
    groups = {"a": ["b"], "b": ["a", "x"], "c": ["a"], "d": ["d"], "e": ["x"]}
    assert codes({"platform_groups": groups}) == [Code.GROUP_CYCLE, Code.GROUP_CYCLE]


def test_deep_groups_do_not_exhaust_the_stack() -> None:
    """Ten thousand groups in a row are expanded without recursion."""
    groups = {f"g{n}": [f"g{n + 1}"] for n in range(10_000)} | {"g10000": ["x"]}
    policy = {"platform_groups": groups, "rules": [{"platforms": ["g0"], "then": "block"}]}
    assert right(policy).rules[0].targets == {Target("x")}


def test_the_digest_travels_with_the_rule_set() -> None:
    """Whoever holds the rules can say which files they came from."""
    answer = compiled({}, digest="abc")
    assert answer.rule_set is not None
    assert answer.rule_set.digest == "abc"


def test_arguments_are_left_alone() -> None:
    """Compiling twice gives the same, and the data is as it was."""
    policy = {"rules": [{"platforms": ["x"], "then": "block"}]}
    assert compiled(policy) == compiled(policy)
    assert policy == {"rules": [{"platforms": ["x"], "then": "block"}]}
