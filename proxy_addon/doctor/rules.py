"""The rules folder: its problems, what is in it, its tests, and the rules that are only
observed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from proxy_addon.core.rules.problems import RuleProblem, Severity
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.doctor.check import Check, error, ok, warning
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import count
from proxy_addon.rule_tests.runner import run_folder
from proxy_addon.rules import folder as rules_folder


def read(folder: Path) -> tuple[RuleSet | None, list[RuleProblem]]:
    """The rules, if they can be used, and all problems in them."""
    reading = rules_folder.read(folder)
    problems = rules_folder.problems(reading)
    broken = any(problem.severity is Severity.ERROR for problem in problems)
    return (None if broken else rules_folder.rule_set(reading)), problems


def policy(folder: Path, rules: RuleSet | None, problems: list[RuleProblem]) -> Iterator[Check]:
    """Whether the rules can come into force, and whether their tests pass."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    remedy = f"allowance rules check {folder}"
    if rules is None:
        first = errors[0] if errors else "they cannot be read"
        yield error("rules", f"{count(len(errors), 'error')}, first: {first}", remedy)
        return
    counts = rule_text.size(rules)
    if problems:
        yield warning(
            "rules", f"{counts}; {count(len(problems), 'warning')}, first: {problems[0]}", remedy
        )
    else:
        yield ok("rules", counts)
    yield from _tests(folder, rules)
    if observed := [rule.name for rule in rules.rules if rule.observes]:
        yield ok(
            "rules tried out",
            f"stop nobody (mode: observe): {len(observed)} of {count(len(rules.rules), 'rule')}",
            "`allowance report` shows what they would have stopped",
        )


def _tests(folder: Path, rules: RuleSet) -> Iterator[Check]:
    run = run_folder(folder, rules)
    failed = [each for each in run.outcomes if not each.passed]
    remedy = f"allowance rules test {folder}"
    if run.problems or failed:
        first = (
            str(run.problems[0])
            if run.problems
            else f"{failed[0].plan.place}: {failed[0].plan.name}"
        )
        wrong = len(failed) + len(run.problems)
        fact = f"{wrong} of {len(run.outcomes) + len(run.problems)} fail, first: {first}"
        reported = error if rules.require_tests else warning
        yield reported("rule tests", fact, remedy)
    elif not run.outcomes:
        reported = error if rules.require_tests else ok
        yield reported(
            "rule tests", "there are none", "docs/rules-testing.md shows how to write them"
        )
    else:
        yield ok("rule tests", f"{len(run.outcomes)} pass")
