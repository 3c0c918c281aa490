"""The tests that we ship with our rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.rule_tests.loader import read_tests
from proxy_addon.rule_tests.report import lines
from proxy_addon.rule_tests.runner import Run, run_plans
from proxy_addon.rules import folder as rules_folder
from tests.rule_tests.office import POLICY, one_test, write

RULES = Path(__file__).resolve().parents[2] / "rules"


@pytest.fixture(scope="module")
def found() -> Run:
    """One run of all shipped tests."""
    machine = CompiledPolicy.of(rules_folder.load(RULES))
    tests = read_tests(RULES, machine)
    return run_plans(machine, tests.plans, tests.problems)


def test_they_pass(found: Run) -> None:
    """Every one of them, without a mistake in a file."""
    assert found.ok, "\n".join(lines(found))
    assert len(found.outcomes) >= 20


def test_they_reach_everything(found: Run) -> None:
    """Every shipped rule, and every branch of every `when`."""
    assert found.coverage.missed_rules == ()
    assert found.coverage.missed_branches == ()
    assert found.coverage.percent == 100.0


def test_the_rule_reader_passes_tests_over(tmp_path: Path) -> None:
    """`rules/tests/` is not part of the rules, not even of their digest."""
    tests = one_test("- {at: 09:00, restart: true}")
    plain, tested = write(tmp_path / "a"), write(tmp_path / "b", POLICY, tests)
    assert rules_folder.check(tested) == rules_folder.check(plain)
    assert rules_folder.load(tested).digest == rules_folder.load(plain).digest
