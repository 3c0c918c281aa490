"""`proxy_addon/cli/run_options.py`: one list of options for the commands that start or check a
proxy."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from proxy_addon.cli.run_options import RunOptions, take_run_options

TAKEN: dict[str, Any] = {}


def command(**given: Any) -> None:
    """Keeps what it was given."""
    TAKEN.update(given)


take_run_options(
    command,
    inspect.Parameter("own", inspect.Parameter.POSITIONAL_OR_KEYWORD, default="", annotation=str),
)


def test_a_function_takes_them() -> None:
    """Typer offers each option, and the command's own last; what is not given is None."""
    app = typer.Typer()
    app.command()(command)
    words = ["--web", ":1", "--resolve", "a", "--resolve", "b", "--rules", "r", "--own", "x"]
    assert CliRunner().invoke(app, words).exit_code == 0
    given = {"web": ":1", "resolve": ["a", "b"], "rules": Path("r"), "own": "x"}
    assert {name: value for name, value in TAKEN.items() if value is not None} == given
    assert list(TAKEN) == [*inspect.signature(RunOptions).parameters, "own"]
