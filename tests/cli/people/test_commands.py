"""`proxy_addon/cli/people/commands.py`: what there is below `allowance people`."""

from __future__ import annotations

import pytest

from proxy_addon.cli.people.commands import COMMANDS
from tests.cli.command_setup import run


@pytest.mark.parametrize("name", COMMANDS)
def test_each_explains_itself(name: str) -> None:
    """`--help` ends with 0 and tells the options that all have."""
    code, out, _ = run("people", name, "--help")
    assert code == 0
    assert all(word in out for word in ("--passwords", "--config"))


def test_without_a_command() -> None:
    """The list of commands, and exit code 2: nothing was asked for."""
    code, out, error = run("people")
    assert code == 2
    assert "Who can sign in to the proxy, and what is kept about people." in out + error
    assert all(f" {name} " in out + error for name in COMMANDS)
