"""`proxy_addon/cli/policy/commands.py`: what there is below `allowance policy`."""

from __future__ import annotations

import pytest

from tests.cli.command_setup import run


@pytest.mark.parametrize("name", ["show", "status", "list", "diff", "remind"])
def test_each_explains_itself(name: str) -> None:
    """`--help` ends with 0 and tells the options that all have."""
    code, out, _ = run("policy", name, "--help")
    assert code == 0
    assert all(word in out for word in ("--rules", "--database", "--json"))


def test_without_a_command() -> None:
    """The list of commands, and exit code 2: nothing was asked for."""
    code, out, error = run("policy")
    assert code == 2
    assert "remind" in out + error
