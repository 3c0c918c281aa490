"""The results of the tests: lines for people, JSON for programs, JUnit XML for pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from proxy_addon.core.text import printable
from proxy_addon.core.types import Decision
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import count, iso
from proxy_addon.rule_tests.models import NONE
from proxy_addon.rule_tests.plan import Opens
from proxy_addon.rule_tests.runner import Difference, RuleTestOutcome, Run

_SHOWN = (
    200  # problems, and names that no test reached; whoever has more begins with the first ones
)


def lines(run: Run) -> Iterator[str]:
    """One line a test, the differences below it, then what was not reached, then the count."""
    for problem in run.problems[:_SHOWN]:
        yield str(problem)
    for outcome in run.outcomes:
        yield f"{'ok  ' if outcome.passed else 'FAIL'}  {outcome.plan.name}"
        for _, same_step in groupby(outcome.differences, key=lambda one: one.step):
            yield from _differences(list(same_step), run.rules.zone)
    if run.outcomes:
        yield from _coverage(run)
    yield _count(run)


def _differences(differences: list[Difference], zone: ZoneInfo) -> Iterator[str]:
    """What one step expected and what it got."""
    step = differences[0].step
    url = step.does.url if isinstance(step.does, Opens) else ""
    at = iso(step.at, zone)[:16].replace("T", " ")
    yield f"      {differences[0].place}: {at} {step.user} opens {url}"
    for one in differences:
        yield f"        {one.field}: expected {shown(one.expected, one.field, zone)},"
        yield f"        {' ' * len(one.field)}       got {shown(one.got, one.field, zone)}"
    yield f"        the answer was: {answer(differences[0].decision)}"


def shown(value: object, field: str, zone: ZoneInfo) -> str:
    """A value as a test file writes it."""
    if value is None:
        return "never" if field == "until" else NONE
    if field == "left" and isinstance(value, float):
        return rule_text.amount(value)
    if field == "until" and isinstance(value, float):
        return iso(round(value), zone)[:19].replace("T", " ").removesuffix(":00")
    return str(value)


def answer(decision: Decision) -> str:
    """A decision in one line: "spend, within, by the rule Fifteen minutes a day"."""
    by = f", by the rule {decision.rule}" if decision.rule is not None else ""
    return f"{decision.verdict}, {decision.reason}{by}"


def _coverage(run: Run) -> Iterator[str]:
    coverage = run.coverage
    if coverage.missed_rules:
        yield "no test reached these rules:"
        yield from (f"      {name}" for name in coverage.missed_rules[:_SHOWN])
    if coverage.missed_branches:
        yield "no test reached these branches of `when`:"
        yield from (f"      {branch}" for branch in coverage.missed_branches[:_SHOWN])
    rules, branches = len(coverage.rules), len(coverage.branches)
    yield (
        f"reached: {rules - len(coverage.missed_rules)} of {count(rules, 'rule')}, "
        f"{branches - len(coverage.missed_branches)} of {count(branches, 'branch', 'branches')} of `when` "
        f"({coverage.percent:.0f} %)"
    )


def _count(run: Run) -> str:
    failed = sum(not outcome.passed for outcome in run.outcomes)
    parts = [f"{count(len(run.outcomes), 'test')}, {failed or 'none'} failed"]
    if run.problems:
        parts.append(f"{count(len(run.problems), 'mistake')} in the test files")
    return ", ".join(parts) if run.outcomes or run.problems else "there are no tests"


def data(run: Run) -> dict[str, Any]:
    """The same as data; lengths in seconds, times as ISO."""
    zone, coverage = run.rules.zone, run.coverage
    return {
        "ok": run.ok,
        "tests": [_test(outcome, zone) for outcome in run.outcomes],
        "problems": [
            {
                name: getattr(one, name)
                for name in ("file", "line", "column", "code", "message", "hint")
            }
            for one in run.problems
        ],
        "coverage": {
            "percent": round(coverage.percent, 1),
            "rules": len(coverage.rules),
            "missed_rules": list(coverage.missed_rules),
            "branches": len(coverage.branches),
            "missed_branches": [
                {"rule": branch.rule, "branch": branch.what} for branch in coverage.missed_branches
            ],
        },
    }


def _test(outcome: RuleTestOutcome, zone: ZoneInfo) -> dict[str, Any]:
    def value(raw: object, field: str) -> object:
        if isinstance(raw, float):
            return iso(raw, zone) if field == "until" else round(raw, 3)
        return raw

    return {
        "name": outcome.plan.name,
        "file": outcome.plan.place.file,
        "line": outcome.plan.place.line,
        "passed": outcome.passed,
        "differences": [
            {
                "file": one.place.file,
                "line": one.place.line,
                "column": one.place.column,
                "at": iso(one.step.at, zone),
                "user": one.step.user,
                "field": one.field,
                "expected": value(one.expected, one.field),
                "got": value(one.got, one.field),
            }
            for one in outcome.differences
        ],
    }


def junit(run: Run) -> bytes:
    """JUnit XML: a suite for each file, a case for each test; a mistake in a file is an error of
    its suite."""
    root = ElementTree.Element("testsuites", name="allowance rules test")
    files = dict.fromkeys(
        [one.plan.place.file for one in run.outcomes] + [one.file for one in run.problems]
    )
    for file in files:
        suite = ElementTree.SubElement(root, "testsuite", name=file)
        outcomes = [one for one in run.outcomes if one.plan.place.file == file]
        problems = [one for one in run.problems if one.file == file]
        for outcome in outcomes:
            _case(suite, outcome, run.rules.zone)
        for problem in problems:
            case = ElementTree.SubElement(
                suite, "testcase", classname=file, name=f"line {problem.line}"
            )
            ElementTree.SubElement(case, "error", type=problem.code, message=_clean(str(problem)))
        suite.set("tests", str(len(outcomes) + len(problems)))
        suite.set("failures", str(sum(not one.passed for one in outcomes)))
        suite.set("errors", str(len(problems)))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(suite: ElementTree.Element, outcome: RuleTestOutcome, zone: ZoneInfo) -> None:
    file, line = outcome.plan.place.file, str(outcome.plan.place.line)
    case = ElementTree.SubElement(
        suite, "testcase", classname=file, name=_clean(outcome.plan.name), file=file, line=line
    )
    if not outcome.passed:
        text = [
            line.strip()
            for _, same in groupby(outcome.differences, key=lambda one: one.step)
            for line in _differences(list(same), zone)
        ]
        failure = ElementTree.SubElement(case, "failure", message=_clean(text[0]))
        failure.text = _clean("\n".join(text))


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return printable(text, keep="\n")
