"""`allowance rules`: the commands there are."""

from __future__ import annotations

from typer.testing import CliRunner

from proxy_addon.cli.rules.commands import app


def test_every_command_is_there_and_says_what_it_does() -> None:
    """Without a command, the list of them."""
    output = CliRunner().invoke(app, []).output
    for command in ("check", "schema", "test", "explain", "diff", "reload"):
        assert f" {command} " in output
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
