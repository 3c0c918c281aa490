"""Each warning with the rules that raise it, to the letter, and rules as near to them as can be
that do not."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from proxy_addon.core.rules.calendars import Event
from proxy_addon.core.rules.problems import Severity
from tests.core.policies import visits
from tests.core.rules.rule_files import X, compiled, problem_lines, right

DAILY = (
    "allowances: {{daily: {{limit: {}}}}}\nrules: [{{platforms: [x], then: {{spend: daily}}}}]\n"
)
NEVER = "never-true: this condition never holds; all its parts must hold at the same time"
FEEDS = {"s.ics": (Event(("emil", "carl"), (), visits("09:00-17:00")),)}


class Pair(NamedTuple):
    """Rules that are warned about, what is said, and rules beside them that are not: policy,
    people, platforms."""

    wrong: tuple[str, ...]
    warning: str
    fine: tuple[str, ...]


def one_rule(when: str) -> str:
    """A policy with one rule that has a condition."""
    return f"rules:\n  - platforms: [x]\n    when: {when}\n    then: block\n"


def two_rules(first: str, second: str) -> str:
    """A policy with two rules, named A and B."""
    return (
        f"rules:\n  - {{name: A, {first}, then: block}}\n  - {{name: B, {second}, then: allow}}\n"
    )


def shadowed_pair(first: str, second: str, third: str, people: str = "") -> Pair:
    """The second rule is in the shadow of the first, and the third would not be."""
    hint = "move it up, or remove it"
    message = f'the rule "B" is never reached: "A" at line 4 always decides first; {hint}'
    wrong, fine = two_rules(first, second), two_rules(first, third)
    return Pair((wrong, people), f"policy.yaml:5:5: unreachable-rule: {message}", (fine, people))


def never(wrong: str, fine: str) -> Pair:
    """The first condition never holds, the second one does at times."""
    return Pair((one_rule(wrong),), f"policy.yaml:5:5: {NEVER}", (one_rule(fine),))


def too_large(wrong: str, what: str, fine: str) -> Pair:
    """The first limit is longer than its window, the second one is as long as it can be."""
    place = f"policy.yaml:3:{DAILY.format('').index('}') + 1}"
    message = f"this limit is longer than {what}, so it can never be used up"
    warning = f"{place}: limit-too-large: {message}; write less, or use then: allow"
    keep = "retention: 400d\n"
    return Pair((DAILY.format(wrong) + keep,), warning, (DAILY.format(fine) + keep,))


def override(first: str, second: str, column: int, who: str, fine: str, people: str = "") -> Pair:
    """The second override is lost to the first one, and the third would not be."""
    text = (
        "allowances:\n  daily:\n    limit: 1h per day\n    overrides:\n"
        "      - {{{}, limit: 2h per day}}\n      - {{{}, limit: 3h per day}}\n"
        "rules: [{{platforms: [x], then: {{spend: daily}}}}]\n"
    )
    message = f"{who} already has the override on line 7, which wins; keep one of the two"
    return Pair(
        (text.format(first, second), people),
        f"policy.yaml:8:{column}: two-overrides: {message}",
        (text.format(first, fine), people),
    )


CARE = "roles: {care: {members: [carl]}}\n"
ROTA = "roles: {care: {members: [{user: carl, when: {days: sun}}]}}\n"
SEAT = CARE + "devices: {10.0.0.1: {user: carl, role: guest}}\n"

PAIRS = {
    "rule for the same": shadowed_pair("roles: [staff]", "roles: [staff]", "roles: [guest]"),
    "rule for a member": shadowed_pair("roles: [care]", "users: [carl]", "users: [cora]", CARE),
    "rule for a member at times": shadowed_pair(
        "users: [carl]", "users: [Carl]", "roles: [care]", ROTA
    ),
    "rule under a pattern": shadowed_pair("users: ['c*']", "users: [carl]", "users: [emil]"),
    "rule under a pattern of one sign": shadowed_pair(
        "users: ['c*']", "users: ['ca*']", "users: ['c?']"
    ),
    "rule at lunch": shadowed_pair(
        "when: {between: '11:00-14:00'}",
        "when: {between: '12:00-13:00'}",
        "when: {between: '13:00-14:01'}",
    ),
    "rule on a day": shadowed_pair(
        "when: {days: mon-fri}", "when: {days: fri}", "when: {days: fri-sat}"
    ),
    "rule on a date": shadowed_pair(
        "when: {days: mon-fri}",
        "when: {dates: 2026-12-24..2026-12-25}",
        "when: {dates: 2026-12-24..2026-12-26}",
    ),
    "days": never("{days: mon, not: {days: mon-fri}}", "{days: mon, not: {days: tue-sun}}"),
    "date and day": never("{days: sat, dates: 2026-12-24}", "{days: thu, dates: 2026-12-24}"),
    "not all day": never(
        "{between: '09:00-17:00', not: {between: '08:00-17:00'}}",
        "{between: '09:00-17:00', not: {between: '09:01-17:00'}}",
    ),
    "after midnight": never(
        "{days: mon, between: '22:00-02:00', not: {between: '22:00-02:00'}}",
        "{days: mon, between: '22:00-02:00', not: {between: '22:00-01:59'}}",
    ),
    "a limit of an hour": too_large("61m per hour", "an hour", "60m per hour"),
    "a limit of a day": too_large("24h1s per day", "a day", "24h per day"),
    "a limit of a week": too_large("7d1s per week", "a week", "7d per week"),
    "a limit of a month": too_large("31d1s per month", "a month", "31d per month"),
    "a limit of a quarter": too_large("92d1s per quarter", "a quarter", "92d per quarter"),
    "a limit of a year": too_large("366d1s per year", "a year", "366d per year"),
    "a rolling limit": too_large("5h per rolling 4h", "the rolling window", "4h per rolling 4h"),
    "a user twice": override("users: [bob]", "users: [BOB]", 18, '"BOB"', "users: [rob]"),
    "a role twice": override(
        "roles: [care]", "roles: [care]", 18, 'role "care"', "roles: [staff]", CARE
    ),
    "a member": override("roles: [care]", "users: [carl]", 18, '"carl"', "users: [cora]", CARE),
    "a name in a pattern": override(
        "users: ['c*']", "users: [carl]", 18, '"carl"', "users: [emil]"
    ),
    "a pattern in a pattern": override(
        "users: ['c*']", "users: ['ca*']", 18, '"ca*"', "users: ['*a']"
    ),
    "the same pattern": override("users: ['c?']", "users: ['C?']", 18, '"C?"', "users: ['c*']"),
    "an allowance": Pair(
        ("allowances: {daily: {limit: 1h per day}}\nrules: [{platforms: [x], then: block}]\n",),
        'policy.yaml:3:14: unused-allowance: no rule spends the allowance "daily"; '
        "write then: {spend: daily}, or remove it",
        (DAILY.format("1h per day"),),
    ),
    "a role": Pair(
        ("", "roles:\n  care: {members: []}\n"),
        'people.yaml:2:3: unused-role: nobody has the role "care"; '
        "write members, or remove the role",
        ("", "roles:\n  care: {members: [carl]}\n"),
    ),
    "a platform": Pair(
        ("rules: [{platforms: [x], then: block}]\n", "", X + "forum: {hosts: [forum.example]}\n"),
        'platforms/own.yaml:2:1: unused-platform: no rule and no group names the platform "forum"; '
        "name it in a rule: without one it is not limited",
        (
            "rules: [{platforms: [forum], then: block}]\n",
            "",
            X + "forum: {hosts: [forum.example]}\n",
        ),
    ),
    "devices": Pair(
        ("", "devices:\n  10.0.0.0/24: lab\n  10.0.0.255: lobby\n"),
        'people.yaml:3:3: overlapping-devices: "10.0.0.255" lies in "10.0.0.0/24" at line 2; '
        "the smaller network wins there; take it out of the larger one if that is not meant",
        ("", "devices:\n  10.0.0.0/24: lab\n  10.0.1.0: lobby\n"),
    ),
    "devices under everything": Pair(
        ("", "devices:\n  '::/0': lab\n  'fd00::1': lobby\n"),
        'people.yaml:3:3: overlapping-devices: "fd00::1" lies in "::/0" at line 2; '
        "the smaller network wins there; take it out of the larger one if that is not meant",
        ("", "devices:\n  0.0.0.0/0: lab\n  'fd00::1': lobby\n"),
    ),
    "a carried limit": Pair(
        (DAILY.format("1h per day, carry_over: 1m") + "retention: 3d\n",),
        'policy.yaml:3:29: retention-too-short: the allowance "daily" carries time over from up to ',
        (DAILY.format("1h per day") + "retention: 3d\n",),
    ),
}


def rules(case: tuple[str, ...]) -> tuple[object, ...]:
    """Policy, people and platforms of a case as arguments."""
    policy, people, own = (*case, "", "")[:3]
    return policy, people, {"own": own} if own else None


@pytest.mark.parametrize("case", PAIRS)
def test_a_warning_is_given(case: str) -> None:
    """Exactly one, at this place and in these words, and the rules go into force all the same."""
    pair = PAIRS[case]
    answer = compiled(*rules(pair.wrong))
    assert answer.rule_set is not None
    (line,) = problem_lines(*rules(pair.wrong))
    assert line == pair.warning or (line.startswith(pair.warning) and pair.warning[-1] == " ")
    assert [problem.severity for problem in answer.problems] == [Severity.WARNING]


@pytest.mark.parametrize("case", PAIRS)
def test_rules_beside_it_are_not_warned_about(case: str) -> None:
    """The nearest thing that is meant gives no warning at all."""
    right(*rules(PAIRS[case].fine))


@pytest.mark.parametrize("case", PAIRS)
def test_warnings_are_only_for_those_who_ask(case: str) -> None:
    """Rules that go into force while the proxy runs are not looked through."""
    assert compiled(*rules(PAIRS[case].wrong), advise=False).problems == ()
