"""`allowance policy …`: the written policy, and who has read it."""

from __future__ import annotations

import typer

from proxy_addon.cli.lazy_group import CommandTarget, group_of

COMMANDS = {
    "show": CommandTarget("proxy_addon.cli.policy.show", "show"),
    "status": CommandTarget("proxy_addon.cli.policy.status", "status"),
    "list": CommandTarget("proxy_addon.cli.policy.texts", "show_list"),
    "diff": CommandTarget("proxy_addon.cli.policy.diff", "diff"),
    "remind": CommandTarget("proxy_addon.cli.policy.remind", "remind"),
}

app = typer.Typer(cls=group_of(COMMANDS), no_args_is_help=True)


@app.callback()
def policy() -> None:
    """The written policy: texts, and who has read them."""
