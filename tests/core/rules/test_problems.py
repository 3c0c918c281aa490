"""Problems: how they print, sort and travel."""

from __future__ import annotations

from proxy_addon.core.rules.problems import Code, Place, RuleErrors, RuleProblem, Severity

PLACE = Place("rules/policy.yaml", 12, 7)


def test_a_problem_prints_place_code_message_and_hint() -> None:
    """The outside format, with the hint after a semicolon."""
    problem = RuleProblem.at(
        PLACE, Code.UNKNOWN_ROLE, 'role "intern" is not defined', 'did you mean "interns"?'
    )
    wanted = 'rules/policy.yaml:12:7: unknown-role: role "intern" is not defined; did you mean "interns"?'
    assert str(problem) == wanted


def test_a_problem_without_a_hint_ends_after_the_message() -> None:
    """No dangling semicolon."""
    assert str(RuleProblem.at(PLACE, Code.TAB, "a tab")) == "rules/policy.yaml:12:7: tab: a tab"


def test_problems_sort_by_file_line_and_column_as_numbers() -> None:
    """Line 9 comes before line 10."""
    places = [Place("b", 1, 1), Place("a", 10, 1), Place("a", 9, 12), Place("a", 9, 2)]
    problems = sorted(RuleProblem.at(place, Code.TAB, "m") for place in places)
    assert [(p.file, p.line, p.column) for p in problems] == [
        ("a", 9, 2),
        ("a", 9, 12),
        ("a", 10, 1),
        ("b", 1, 1),
    ]


def test_errors_hold_all_problems_sorted() -> None:
    """One exception tells everything, in the order of the files."""
    first = RuleProblem.at(Place("a"), Code.TAB, "m")
    second = RuleProblem.at(Place("b"), Code.TAB, "m")
    errors = RuleErrors([second, first])
    assert errors.problems == (first, second)
    assert str(errors) == "a:1:1: tab: m\nb:1:1: tab: m"


def test_a_problem_is_an_error_by_default() -> None:
    """Nobody forgets to make a mistake count."""
    assert RuleProblem.at(PLACE, Code.TAB, "m").severity is Severity.ERROR
