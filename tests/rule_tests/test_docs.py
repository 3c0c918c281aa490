"""The page about tests: its example runs, and it explains every code."""

from __future__ import annotations

import re
from pathlib import Path

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.rule_tests.loader import read_bytes
from proxy_addon.rule_tests.models import ExpectModel, StepModel, TestModel
from proxy_addon.rule_tests.problems import TestCode
from proxy_addon.rule_tests.runner import run_plans
from proxy_addon.rules import folder as rules_folder

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "rules-testing.md").read_text("utf-8")


def test_the_example_passes() -> None:
    """As it stands there, against the shipped rules."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    machine = CompiledPolicy.of(rules_folder.load(ROOT / "rules"))
    tests = read_bytes(example.encode(), "docs", machine)
    run = run_plans(machine, tests.plans, tests.problems)
    assert run.ok
    assert len(run.outcomes) == 1


def test_every_code_is_explained_once() -> None:
    """A row each, with an example and what to write instead; no row for a code that is gone."""
    assert sorted(re.findall(r"^\| `(test-[a-z-]+)` \|", PAGE, re.MULTILINE)) == sorted(TestCode)


def test_every_key_is_there() -> None:
    """Of a test, a step, and what is expected."""
    for model in (TestModel, StepModel, ExpectModel):
        for key in model.model_fields:
            assert f"`{key}" in PAGE, key
