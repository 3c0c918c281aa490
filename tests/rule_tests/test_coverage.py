"""Which rules and branches the tests reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.ruleset import Calendar, When
from proxy_addon.rule_tests.coverage import Coverage
from proxy_addon.rule_tests.loader import read_bytes
from proxy_addon.rule_tests.runner import run_plans
from tests.rule_tests.office import POLICY, machine, one_test, run

X = '"https://x.example/"'
CLOSED = POLICY.replace("{name: Fifteen, platforms: [x, linkedin],", "{name: Fifteen,")


def reached(
    day: str, policy: str = POLICY, start: str = "2026-11-02 00:00", people: str = "{dora: [staff]}"
) -> Coverage:
    """The coverage of one test."""
    return run(one_test(day, start, people), policy).coverage


def look(at: str, url: str = X, user: str = "dora") -> str:
    return f"- {{at: {at}, user: {user}, opens: {url}, expect: {{platform: {'x' if url == X else 'linkedin'}}}}}\n"


def missed(coverage: Coverage, rule: str) -> list[str]:
    """The branches of a rule that were not reached."""
    return [branch.what for branch in coverage.missed_branches if branch.rule == rule]


def test_a_rule_is_reached_when_it_decides() -> None:
    """Not when it was asked and did not fit. `otherwise` cannot decide about what every rule is
    limited to."""
    found = reached(look("15:00"))
    assert found.rules == ("Learning", "Night", "Lunch", "Guests", "Fifteen")
    assert found.missed_rules == ("Learning", "Night", "Lunch", "Guests")


def test_otherwise_counts_where_it_can_decide() -> None:
    """A platform that is limited for some people only falls through for the others."""
    policy = POLICY.replace("{name: Fifteen,", "{name: Fifteen, roles: [staff],")
    found = reached(look("15:00", user="carl"), policy)
    assert "otherwise" in found.rules
    assert "otherwise" not in found.missed_rules
    assert "otherwise" not in reached(look("15:00"), CLOSED).rules


def test_the_branches_of_a_when() -> None:
    """It fits; or one part alone keeps it from fitting."""
    everything = ["mon-fri 12:00-13:30: fits", "mon-fri: does not fit", "12:00-13:30: does not fit"]
    assert missed(reached(look("05:00")), "Lunch") == everything  # the night decided before it
    assert missed(reached(look("15:00")), "Lunch") == everything[:2]
    assert missed(reached(look("12:15")), "Lunch") == everything[1:]
    sunday = reached(look("12:15") + look("15:00"), start="2026-11-01 00:00")
    assert missed(sunday, "Lunch") == [
        everything[0],
        everything[2],
    ]  # at 15:00 both parts fail: neither alone


def test_each_stretch_and_each_date_is_a_branch() -> None:
    """Whoever breaks one of them breaks a test."""
    when = '{between: ["10:00-10:15", "15:00-15:15"], not: {dates: 2026-11-03}}'
    policy = POLICY.replace('{days: mon-fri, between: "12:00-13:30"}', when)
    found = reached(look("10:05") + look("11:00"), policy)
    assert missed(found, "Lunch") == ["15:00-15:15: fits", "not 2026-11-03: does not fit"]
    found = reached(look("15:05") + look("2026-11-03 10:05"), policy)
    assert missed(found, "Lunch") == [
        "10:00-10:15: fits",
        "10:00-10:15 or 15:00-15:15: does not fit",
    ]
    policy = POLICY.replace(
        '{days: mon-fri, between: "12:00-13:30"}', "{dates: [2026-11-02, 2026-11-09]}"
    )
    assert missed(reached(look("10:05"), policy), "Lunch") == [
        "2026-11-09: fits",
        "2026-11-02 or 2026-11-09: does not fit",
    ]


def test_rules_about_others_are_not_reached() -> None:
    """A rule for other people or places says nothing of its hours."""
    policy = POLICY.replace("{name: Lunch,", "{name: Lunch, roles: [care],")
    assert len(missed(reached(look("12:15")), "Lunch")) == 2
    assert len(missed(reached(look("12:15"), policy), "Lunch")) == 3


def test_visits_reach_rules_too() -> None:
    """Every rule on the way of a visit."""
    day = "- {at: 11:50, user: dora, visits: {platform: x, for: 2h}}\n" + look(
        "15:00", '"https://linkedin.example/"'
    )
    assert reached(day).missed_rules == ("Learning", "Night", "Guests")


def test_the_number() -> None:
    """Rules and branches count alike."""
    found = reached(look("15:00"))  # 1 of 5 rules; of 2 + 3 branches: not the night, not at noon
    assert found.percent == 100 * 3 / 10
    assert Coverage((), (), (), ()).percent == 100


def test_calendars_are_branches() -> None:
    """By their names."""
    rules = machine().rules
    days = Calendar(("holidays", "fair"), ((date(2026, 12, 25), date(2026, 12, 26)),))
    changed = tuple(
        replace(rule, when=When(calendar=days)) if rule.name == "Lunch" else rule
        for rule in rules.rules
    )
    compiled = CompiledPolicy.of(replace(rules, rules=changed))
    tests = read_bytes(one_test(look("15:00")).encode(), "a.yaml", compiled)
    found = run_plans(compiled, tests.plans).coverage
    assert "calendar holidays and fair: does not fit" in [branch.what for branch in found.branches]
    assert len(missed(found, "Lunch")) == 1
