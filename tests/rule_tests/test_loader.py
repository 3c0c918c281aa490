"""Test files: what they mean, and every mistake with its place and its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.rule_tests.loader import read_tests
from proxy_addon.rule_tests.plan import Given, Opens, Restart, Visits
from proxy_addon.rule_tests.problems import TestCode
from tests.rule_tests.office import machine, one_test, read, write

LOOK = '- {at: 09:30, user: dora, opens: "https://x.example/", expect: {verdict: spend}}'
DAY = 86_400.0
NINE = 1_793_610_000.0  # 2 November 2026, 09:00 in London


def test_every_kind_of_step() -> None:
    """Times become instants, of the day that the test has come to; each step knows its place."""
    day = """
        - {at: 09:00, user: Dora, visits: {platform: x, for: 10m}}
        - {at: "09:30", user: dora, grant: {allowance: daily, for: 5m, until: "11:00"}}
        - {at: 2026-11-03 09:00, restart: true}
        - at: 10:00
          user: dora
          opens: https://x.example/
          expect: {left: 5m, until: 2026-11-04 00:00, rule: none}
    """
    tests = read(one_test(day))
    assert not tests.problems
    (plan,) = tests.plans
    visit, grant, restart, look = plan.steps
    assert (plan.start, str(plan.place)) == (NINE, "a.yaml:2:11")
    assert plan.people == {"dora": ("staff",)}
    assert isinstance(visit.does, Visits)
    assert (visit.at, visit.user, visit.does.seconds, str(visit.place)) == (
        NINE,
        "dora",
        600.0,
        "a.yaml:6:9",
    )
    assert grant.does == Given("daily", 300.0, "a test", NINE + 7200)
    assert restart.does == Restart()
    assert (restart.at, look.at) == (NINE + DAY, NINE + DAY + 3600)
    assert isinstance(look.does, Opens)
    assert look.does.expect == (("rule", None), ("left", 300.0), ("until", NINE + DAY + 15 * 3600))


def test_a_folder_with_several_files(tmp_path: Path) -> None:
    """By name of the file; a name that was given before is a mistake, with the place of the
    first."""
    folder = write(tmp_path / "rules", tests=one_test(LOOK))
    (folder / "tests" / "b.yaml").write_text(one_test(LOOK))
    tests = read_tests(folder, machine())
    assert len(tests.plans) == 2
    assert [problem.code for problem in tests.problems] == [TestCode.DUPLICATE_NAME]
    assert "a.yaml:2 is called" in tests.problems[0].message


def test_a_folder_without_tests_is_no_mistake(tmp_path: Path) -> None:
    """Nobody has to write tests."""
    tests = read_tests(write(tmp_path / "rules"), machine())
    assert not tests.plans
    assert not tests.problems


def test_a_mistake_in_one_test_leaves_the_others() -> None:
    """What can run does."""
    broken = (
        one_test("- {at: 9, restart: true}").removeprefix("tests:\n").replace("a test", "another")
    )
    tests = read(one_test(LOOK) + broken)
    assert [plan.name for plan in tests.plans] == ["a test"]
    assert tests.problems


MISTAKES = [
    (
        "- {at: 09:00, user: dora}",
        "6:9: test-no-action: nothing happens in this step; write one of visits, opens",
    ),
    (
        "- {at: 9, restart: true}",
        '6:14: test-bad-time: "9" is not a time; write "09:00" for the day at hand',
    ),
    (
        "- {at: 09:00, restart: yes}",
        '6:30: test-bad-choice: "yes" is not true; write restart: true',
    ),
    (
        "- {at: 09:00, visits: {platform: x, for: 1m}}",
        "test-no-user: nobody visits anything here; add user:",
    ),
    (
        "- {at: 09:00, user: dora, restart: true, visits: {platform: x, for: 1m}}",
        "test-two-actions: a step does one thing, not visits and restart; write a step for each",
    ),
    (
        '- {at: 09:00, user: dora, opens: "https://x.example/"}',
        "test-expects-nothing: `opens` and `expect` belong together; write both in one step",
    ),
    (
        "- {at: 09:00, usr: dora, restart: true}",
        'test-unknown-key: "usr" is not a key of a step; did you mean "user"?',
    ),
    (
        "- {at: 09:00, user: dora, visits: {platfrm: x, for: 1m}}",
        'test-unknown-key: "platfrm" is not a key of `visits`; did you mean "platform"?',
    ),
    (
        "- {at: 09:00, user: dora, visits: {platform: x}}",
        "test-missing-key: `for` is missing from `visits`",
    ),
    (
        "- {at: 09:00, user: dora, visits: {platform: y, for: 1m}}",
        'test-unknown-platform: there is no platform "y" in the rules; there are x, linkedin, medium',
    ),
    (
        "- {at: 09:00, user: dora, visits: {platform: linkedin, section: lerning, for: 1m}}",
        'test-unknown-section: linkedin has no section "lerning"; did you mean "learning"?',
    ),
    (
        "- {at: 09:00, user: dora, visits: {platform: x, for: 10}}",
        'test-bad-length: "10" has no unit; write, for example, 90s, 15m or 1h30m',
    ),
    (
        "- {at: 09:00, user: dora, visits: {platform: x, for: 0m}}",
        'test-bad-length: "0m" cannot be how long it lasts; write for example 10m; the longest is 31d',
    ),
    (
        "- {at: 09:00, user: dora, grant: {allowance: dayly, for: 1m}}",
        'test-unknown-allowance: there is no allowance "dayly" in the rules; did you mean "daily"?',
    ),
    (
        '- {at: 09:00, user: dora, grant: {allowance: daily, for: 1m, until: "08:00"}}',
        "test-bad-time: this is over when the step happens; for another day write the date as well",
    ),
    (
        '- {at: 09:00, user: "ip:10.0.7", restart: true}',
        'test-bad-name: "ip:10.0.7" is not an address; write for example ip:10.0.7.33',
    ),
    (
        '- {at: 09:00, user: "a:b", restart: true}',
        'test-bad-name: "a:b" is not a user: a name has no ":"',
    ),
    (
        "- {at: 09:00, user: dora, opens: x.example, expect: {verdict: spend}}",
        'test-bad-url: "x.example" is not a URL; write for example https://www.linkedin.com/feed/',
    ),
    (
        '- {at: 09:00, user: dora, opens: "https://x.example/", expect: {verdict: spent}}',
        'test-bad-choice: "spent" is not one of the choices; did you mean "spend"?',
    ),
    (
        '- {at: 09:00, user: dora, opens: "https://x.example/", expect: {rule: Fifteeen}}',
        'test-unknown-rule: there is no rule "Fifteeen" in the rules; did you mean "Fifteen"?',
    ),
    (
        '- {at: 09:00, user: dora, opens: "https://x.example/", expect: {}}',
        "test-expects-nothing: `expect` is empty",
    ),
    (
        '- {at: 09:00, user: dora, opens: "https://x.example/", expect: {until: 00:00}}',
        "test-bad-time: this is over when the step happens",
    ),
    (
        "- {at: 08:00, restart: true}",
        "test-wrong-order: this is before the step above it; steps stand in the order",
    ),
    (
        "- {at: 2027-03-28 01:30, restart: true}",
        "test-bad-time: 2027-03-28 01:30 does not exist: the clocks are put",
    ),
    ("- {at: 0001-01-01 00:00+14:00, restart: true}", "test-wrong-order"),
    ("- restart", "test-wrong-type: a block of keys is expected here, not text"),
]


@pytest.mark.parametrize(("step", "expected"), MISTAKES)
def test_mistakes_in_a_step(step: str, expected: str) -> None:
    """One mistake, one message."""
    tests = read(one_test(f"{step}\n{LOOK.replace('09:30', '2028-01-01 00:00')}"))
    assert not tests.plans
    (problem,) = tests.problems
    assert expected in str(problem)
    assert problem.line == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "test: []",
            'a.yaml:1:1: test-unknown-key: "test" is not a key of a test file; it has tests',
        ),
        (
            "tests: {}",
            "a.yaml:1:8: test-wrong-type: a list of tests is expected here, not a block of keys",
        ),
        ("tests: [a]", "a.yaml:1:9: test-wrong-type: a block of keys is expected here, not text"),
        (
            one_test("- {at: 09:00, restart: true}"),
            "a.yaml:2:5: test-expects-nothing: this test expects nothing",
        ),
        (one_test(LOOK, start="09:00"), 'a.yaml:4:12: test-bad-time: "09:00" has no date'),
        (
            one_test(LOOK, people="{dora: [bosses]}"),
            'test-unknown-role: there is no role "bosses" in the rules',
        ),
        (
            one_test(LOOK, people="{dora: []}"),
            "test-wrong-type: the list of roles is empty; everybody has a role",
        ),
        (one_test(LOOK, people='{"a:b": [staff]}'), "a.yaml:3:14: test-bad-name"),
        (
            one_test(LOOK).replace("start", "begin"),
            'test-unknown-key: "begin" is not a key of a test',
        ),
        ("tests:\n\t- a", "a.yaml:2:1: tab"),
        ("tests: [", "yaml-syntax: this is not valid YAML"),
    ],
)
def test_mistakes_around_the_steps(text: str, expected: str) -> None:
    """The file, the test, its people; what is not YAML keeps the code that rule files have for
    it."""
    assert any(expected in str(problem) for problem in read(text).problems)


def test_every_code_has_a_mistake_here() -> None:
    """A code that nothing can raise would be a lie in the document."""
    shown = " ".join(expected for _, expected in MISTAKES) + Path(__file__).read_text()
    elsewhere = {
        TestCode.WRONG_PLACE,
        TestCode.NEVER_A_VISIT,
        TestCode.DUPLICATE_NAME,
    }  # test_plan, above
    assert not [code for code in TestCode if code not in elsewhere and f"{code}" not in shown]
