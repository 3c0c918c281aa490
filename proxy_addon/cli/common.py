"""Shared by all commands: options, and how they print. Imports nothing that a command could do
without."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from proxy_addon.core.text import printable
from proxy_addon.system import private_files

Rules = Annotated[
    Path | None, typer.Option("--rules", metavar="DIR", help="The rules folder. Default: rules")
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="Default: sqlite:///var/allowance.db"),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file. Default: allowance.toml"),
]
Passwords = Annotated[
    Path | None,
    typer.Option("--passwords", metavar="FILE", help="The password file. Default: var/passwords"),
]
Web = Annotated[
    str | None,
    typer.Option("--web", metavar="HOST:PORT", help="Its web port. Default: 127.0.0.1:8081"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def exit_with(problem: object) -> NoReturn:
    """One line on standard error, exit code 1."""
    say(problem, err=True)
    raise typer.Exit(1) from None


def say(text: object, *, err: bool = False) -> None:
    """One line for people, or several; a control character of what is quoted in them is
    replaced."""
    typer.echo(printable(str(text), keep="\n"), err=err)


def say_table(text: str) -> None:
    """Print a CSV file as it is, with its ends of lines and the mark at its beginning."""
    typer.echo(printable(text, keep="\r\n\ufeff"), nl=False)


def print_json(value: object, *, indent: int | None = 2) -> None:
    """A result in its machine-readable form."""
    typer.echo(json.dumps(value, indent=indent, ensure_ascii=False))


def operator() -> str:
    """Who runs the command: the login name, or the number of the user where a container has no name
    for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid-{os.getuid()}"


def write_private(path: Path, text: str, option: str) -> None:
    """A file about people: written completely or not at all, readable only by its owner. Exits with
    1 on failure."""
    try:
        private_files.replace(path, text.encode())
    except OSError as error:
        exit_with(f"{option}: {path}: cannot be written: {error.strerror}")
