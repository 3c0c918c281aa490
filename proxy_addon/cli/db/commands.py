"""`allowance db …`: the database of the ledger."""

from __future__ import annotations

import typer

from proxy_addon.cli.lazy_group import CommandTarget, group_of

COMMANDS = {
    "copy": CommandTarget("proxy_addon.cli.db.copy", "copy_command"),
    "upgrade": CommandTarget("proxy_addon.cli.db.upgrade", "upgrade_command"),
    "check": CommandTarget("proxy_addon.cli.db.check", "check"),
    "replay": CommandTarget("proxy_addon.cli.db.replay", "replay_command"),
    "prune": CommandTarget("proxy_addon.cli.db.prune", "prune"),
}

app = typer.Typer(cls=group_of(COMMANDS), no_args_is_help=True)


@app.callback()
def database() -> None:
    """The database of the ledger."""
