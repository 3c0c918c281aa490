"""The command `allowance`. A sub-command is imported when it is asked for, so that each starts
quickly."""

from __future__ import annotations

import importlib.metadata
from typing import Annotated

import typer

from proxy_addon.cli.lazy_group import SETTINGS, CommandTarget, group_of

COMMANDS = {
    "run": CommandTarget("proxy_addon.cli.run", "run"),
    "rules": CommandTarget("proxy_addon.cli.rules.commands", "app"),
    "simulate": CommandTarget("proxy_addon.cli.simulate", "simulate"),
    "usage": CommandTarget("proxy_addon.cli.usage", "usage"),
    "grant": CommandTarget("proxy_addon.cli.grant", "grant"),
    "reset": CommandTarget("proxy_addon.cli.reset", "reset"),
    "requests": CommandTarget("proxy_addon.cli.requests", "app"),
    "policy": CommandTarget("proxy_addon.cli.policy.commands", "app"),
    "audit": CommandTarget("proxy_addon.cli.audit", "audit"),
    "people": CommandTarget("proxy_addon.cli.people.commands", "app"),
    "db": CommandTarget("proxy_addon.cli.db.commands", "app"),
    "report": CommandTarget("proxy_addon.cli.report", "report"),
    "ca": CommandTarget("proxy_addon.cli.ca", "app"),
    "doctor": CommandTarget("proxy_addon.cli.doctor", "doctor"),
}

app = typer.Typer(
    name="allowance",
    cls=group_of(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"Allowance {importlib.metadata.version('social-allowance')}")
        raise typer.Exit


@app.callback()
def allowance(
    _: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and end.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """A fair social media allowance for everybody in the office."""
