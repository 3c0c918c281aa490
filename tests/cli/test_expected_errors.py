"""`proxy_addon/cli/expected_errors.py`: what is wrong with settings, rules or the ledger."""

from __future__ import annotations

import pytest
import typer

from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.config.settings import SettingsError
from proxy_addon.core.rules.problems import Code, RuleErrors, RuleProblem
from proxy_addon.ledger.interface import LedgerError

PROBLEM = RuleProblem("policy.yaml", 3, 1, Code.UNKNOWN_KEY, "what is this?")


@pytest.mark.parametrize(
    "error",
    [SettingsError("web: not a port"), RuleErrors([PROBLEM]), LedgerError("it is away")],
    ids=repr,
)
def test_what_a_person_can_solve(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """Its message on standard error, and exit code 1."""
    with pytest.raises(typer.Exit) as end, one_line_errors():
        raise error
    assert end.value.exit_code == 1
    assert tuple(capsys.readouterr()) == ("", f"{error}\n")


def test_a_mistake_of_ours_is_not_hidden() -> None:
    """Any other exception goes on."""
    with pytest.raises(KeyError), one_line_errors():
        raise KeyError("ours")
