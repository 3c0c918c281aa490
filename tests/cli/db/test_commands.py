"""`proxy_addon/cli/db/commands.py`: what there is below `allowance db`."""

from __future__ import annotations

import pytest

from proxy_addon.cli.db.commands import COMMANDS
from tests.cli.command_setup import run


@pytest.mark.parametrize("name", COMMANDS)
def test_each_explains_itself(name: str) -> None:
    """`--help` ends with 0."""
    code, out, _ = run("db", name, "--help")
    assert code == 0
    assert f"allowance db {name}" in out


def test_without_a_command() -> None:
    """The list of commands, and exit code 2: nothing was asked for."""
    code, out, error = run("db")
    assert code == 2
    assert "The database of the ledger." in out + error
    assert all(f" {name} " in out + error for name in COMMANDS)
