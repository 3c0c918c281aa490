"""Mistakes in test files."""

from __future__ import annotations

from proxy_addon.core.rules.problems import Code, Place, RuleProblem
from proxy_addon.rule_tests.problems import BadTestError, Problem, TestCode, did_you_mean


def test_problems_print_like_those_of_rule_files() -> None:
    """Place, code, message, and behind a semicolon the way out; the text's own problems keep their
    codes."""
    place = Place("a.yaml", 3, 7)
    assert (
        str(Problem.at(place, TestCode.BAD_TIME, "no time")) == "a.yaml:3:7: test-bad-time: no time"
    )
    text = RuleProblem.at(place, Code.TAB, "a tab", "use spaces")
    assert str(Problem.of(text)) == str(text) == "a.yaml:3:7: tab: a tab; use spaces"


def test_problems_sort_by_place() -> None:
    """Line 9 comes before line 10."""
    many = [Problem.at(Place("a", line), TestCode.BAD_TIME, "") for line in (10, 9)]
    assert [problem.line for problem in sorted(many)] == [9, 10]


def test_codes_say_that_they_are_of_tests() -> None:
    """No code can be mistaken for one of the rule files."""
    assert all(code.startswith("test-") for code in TestCode)


def test_a_name_that_comes_near_replaces_the_hint() -> None:
    """Upper and lower case do not matter."""
    assert (
        did_you_mean("lunch is your", ["Lunch is yours", "Other"])
        == 'did you mean "Lunch is yours"?'
    )
    assert BadTestError(TestCode.UNKNOWN_RULE, "m", "h", near=("zzz", ["Lunch"])).hint == "h"
