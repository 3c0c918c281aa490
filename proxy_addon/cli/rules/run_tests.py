"""`allowance rules test`: the tests that stand beside the rules, on a virtual clock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proxy_addon.cli.common import AsJson, exit_with, print_json, say
from proxy_addon.config.settings import SettingsError, load_settings
from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.rule_tests import report
from proxy_addon.rule_tests.expression import BadExpressionError, wanted
from proxy_addon.rule_tests.loader import FOLDER, read_tests
from proxy_addon.rule_tests.runner import Run, run_plans
from proxy_addon.rules import folder as rules_folder

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR",
        help="The rules folder; its tests are in DIR/tests. Without it, that of the settings.",
    ),
]
Expression = Annotated[
    str | None,
    typer.Option("-k", metavar="EXPR", help='Only tests whose name fits: "lunch and not care".'),
]
Junit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML as well.")
]


def test(
    folder: Folder = None,
    expression: Expression = None,
    junit: Junit = None,
    as_json: AsJson = False,
) -> None:
    """Run the tests of a rules folder. Exit code: 0 all passed, 1 failures or mistakes."""
    try:
        run = _run(folder or load_settings().rules, expression)
        if junit is not None:
            _write(junit, report.junit(run))
    except (RuleErrors, BadExpressionError, SettingsError, OSError) as error:
        exit_with(error)
    if as_json:
        print_json(report.data(run))
    else:
        say("\n".join(report.lines(run)))
    raise typer.Exit(0 if run.ok else 1)


test.__test__ = False  # type: ignore[attr-defined]  # pytest: a command, not a test


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise SettingsError(
            f"--junit: {file}: cannot be written: {error.strerror}; name another file"
        ) from None


def _run(folder: Path, expression: str | None) -> Run:
    """All tests, or those that are meant. None that is meant is a mistake in the expression."""
    policy = CompiledPolicy.of(rules_folder.load(folder))
    tests = read_tests(folder, policy)
    if expression is None:
        return run_plans(policy, tests.plans, tests.problems)
    try:
        fits = wanted(expression)
    except BadExpressionError as error:
        raise BadExpressionError(f"-k: {expression!r}: {error}") from None
    plans = [plan for plan in tests.plans if fits(plan.name)]
    if not plans:
        raise BadExpressionError(
            f"no test in {folder / FOLDER} has a name that fits {expression!r}"
        )
    return run_plans(policy, plans, tests.problems)
