"""The command `allowance`. A sub-command is imported when it is asked for, so that each starts
quickly."""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

_SETTINGS = {"help_option_names": ["-h", "--help"]}


class _CommandTarget(NamedTuple):
    """Where a command is: a module of this package, and in it a function or a `typer.Typer`."""

    module: str
    name: str


COMMANDS = {
    "run": _CommandTarget("run", "run"),
    "rules": _CommandTarget("rules.commands", "app"),
    "simulate": _CommandTarget("simulate", "simulate"),
    "usage": _CommandTarget("usage", "usage"),
    "grant": _CommandTarget("grant", "grant"),
    "reset": _CommandTarget("reset", "reset"),
    "requests": _CommandTarget("requests", "app"),
    "policy": _CommandTarget("policy.commands", "app"),
    "audit": _CommandTarget("audit", "audit"),
    "people": _CommandTarget("people.commands", "app"),
    "db": _CommandTarget("db.commands", "app"),
    "report": _CommandTarget("report", "report"),
    "doctor": _CommandTarget("doctor", "doctor"),
}


class _Commands(TyperGroup):
    """The commands of the table. The module of each is imported by its name, when the command is
    asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        found: Any = getattr(
            importlib.import_module(f"proxy_addon.cli.{target.module}"), target.name
        )
        if isinstance(found, typer.Typer):
            found.info.context_settings = _SETTINGS
            command: Any = typer.main.get_group(found)
        else:
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(cmd_name, context_settings=_SETTINGS)(found)
            command = typer.main.get_command(alone)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="allowance",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
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
