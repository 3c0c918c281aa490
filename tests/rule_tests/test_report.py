"""What is said of a run."""

from __future__ import annotations

from xml.etree import ElementTree

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.rule_tests import report
from proxy_addon.rule_tests.runner import Run, run_plans
from tests.rule_tests.office import machine, one_test, read, run

EXPECTED = "{left: 10m, until: 2026-11-02 13:00, rule: Lunch}"
WRONG = f'- {{at: 09:00, user: dora, opens: "https://x.example/", expect: {EXPECTED}}}'
RIGHT = '- {at: 09:00, user: dora, opens: "https://x.example/", expect: {left: 15m}}'


def with_mistake() -> Run:
    """One test that fails, one that passes, and a mistake."""
    right = one_test(RIGHT).removeprefix("tests:\n").replace("a test", "another <test>")
    broken = (
        one_test("- {at: 9, restart: true}").removeprefix("tests:\n").replace("a test", "broken")
    )
    tests = read(one_test(WRONG) + right + broken)
    compiled: CompiledPolicy = machine()
    return run_plans(compiled, tests.plans, tests.problems)


def test_one_line_a_test_and_the_differences() -> None:
    """Expected above got, with the place of the step, and the answer as a whole."""
    assert list(report.lines(run(one_test(WRONG))))[:12] == [
        "FAIL  a test",
        "      a.yaml:6:9: 2026-11-02 09:00 dora opens https://x.example/",
        "        rule: expected Lunch,",
        "                   got Fifteen",
        "        left: expected 10m,",
        "                   got 15m",
        "        until: expected 2026-11-02 13:00,",
        "                    got 2026-11-02 12:00",
        "        the answer was: spend, within, by the rule Fifteen",
        "no test reached these rules:",
        "      Learning",
        "      Night",
    ]


def test_the_end_counts() -> None:
    """What was reached, and how many failed."""
    *_, reached, count = report.lines(run(one_test(RIGHT)))
    assert reached == "reached: 1 of 5 rules, 2 of 5 branches of `when` (30 %)"
    assert count == "1 test, none failed"
    *_, count = report.lines(with_mistake())
    assert count == "2 tests, 1 failed, 1 mistake in the test files"
    assert list(report.lines(run_plans(machine(), ()))) == ["there are no tests"]


def test_mistakes_come_first() -> None:
    """In the form that problems of rule files have."""
    assert next(iter(report.lines(with_mistake()))).startswith("a.yaml:")


def test_data_for_programs() -> None:
    """Lengths in seconds, times as ISO, everything that the lines say."""
    data = report.data(run(one_test(WRONG)))
    assert not data["ok"]
    (test,) = data["tests"]
    assert (test["name"], test["file"], test["line"], test["passed"]) == (
        "a test",
        "a.yaml",
        2,
        False,
    )
    assert test["differences"][1]["expected"] == 600.0
    assert test["differences"][2]["got"] == "2026-11-02T12:00:00+00:00"
    assert data["coverage"]["percent"] == 30.0
    assert data["coverage"]["missed_branches"][0] == {
        "rule": "Night",
        "branch": "22:00-06:00: fits",
    }
    assert report.data(with_mistake())["problems"][0]["code"].startswith("test-")


def test_junit() -> None:
    """A suite a file, a case a test, a failure with the differences, an error for a mistake."""
    root = ElementTree.fromstring(report.junit(with_mistake()))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    first, second, third = suite
    assert (first.get("name"), first.get("classname")) == ("a test", "a.yaml")
    failure = first.find("failure")
    assert failure is not None
    assert "left: expected 10m" in (failure.text or "")
    assert (second.get("name"), len(second)) == ("another <test>", 0)
    assert third.find("error") is not None
