"""`allowance rules …`: the rule files, before they go into force."""

from __future__ import annotations

import typer

from proxy_addon.cli.lazy_group import CommandTarget, group_of

COMMANDS = {
    "check": CommandTarget("proxy_addon.cli.rules.check", "check"),
    "schema": CommandTarget("proxy_addon.cli.rules.schema", "schema"),
    "test": CommandTarget("proxy_addon.cli.rules.run_tests", "test"),
    "reload": CommandTarget("proxy_addon.cli.rules.reload", "reload"),
    "explain": CommandTarget("proxy_addon.cli.rules.explain", "explain"),
    "diff": CommandTarget("proxy_addon.cli.rules.diff", "diff"),
}

app = typer.Typer(cls=group_of(COMMANDS), no_args_is_help=True)


@app.callback()
def rules() -> None:
    """Check, test and explain the rule files."""
