"""`allowance people …`: who can sign in to the proxy, and what is kept about people."""

from __future__ import annotations

import typer

from proxy_addon.cli.lazy_group import CommandTarget, group_of

COMMANDS = {
    "export": CommandTarget("proxy_addon.cli.people.personal_data", "export"),
    "erase": CommandTarget("proxy_addon.cli.people.personal_data", "erase"),
    "unmask": CommandTarget("proxy_addon.cli.people.personal_data", "unmask"),
    "add": CommandTarget("proxy_addon.cli.people.sign_ins", "add"),
    "list": CommandTarget("proxy_addon.cli.people.sign_ins", "list_people"),
    "remove": CommandTarget("proxy_addon.cli.people.sign_ins", "remove"),
}

app = typer.Typer(cls=group_of(COMMANDS), no_args_is_help=True)


@app.callback()
def people() -> None:
    """Who can sign in to the proxy, and what is kept about people."""
