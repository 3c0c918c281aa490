"""`allowance db copy FROM_URL TO_URL`: the ledger moves to another database."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from db.address import Address, parse
from db.copy import copy
from proxy_addon.cli.common import AsJson, print_json, say
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.tables import PlainConsole
from proxy_addon.config.parsers import hide_credentials
from proxy_addon.config.settings import SettingsError
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.presentation.durations import count

Source = Annotated[str, typer.Argument(metavar="FROM_URL", help="The database to read.")]
Target = Annotated[
    str, typer.Argument(metavar="TO_URL", help="An empty one, or one that a copy filled in part.")
]


def copy_command(source: Source, target: Target, as_json: AsJson = False) -> None:
    """Copy the ledger to another database, SQLite or Postgres, and compare both.

    Can be interrupted and run again.
    """
    with one_line_errors():
        ends = _end("FROM_URL", source), _end("TO_URL", target)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        shown = PlainConsole(stderr=True)
        with Progress(
            *columns, console=shown, transient=True, disable=not shown.is_terminal
        ) as bar:
            tasks: dict[str, TaskID] = {}

            def step(table: str, done: int, rows: int) -> None:
                if table not in tasks:
                    tasks[table] = bar.add_task(table, total=rows)
                bar.update(tasks[table], completed=done)

            copied = copy(source, target, step)
        if as_json:
            print_json(asdict(copied))
            return
        for table in copied.tables:
            say(
                f"{table.table}: {count(table.rows, 'row')}, {table.written:,} written now, digest {table.digest[:12]}"
            )
        say(f"{ends[1].place} equals {ends[0].place} and has its id, {copied.identity}.")


def _end(name: str, url: str) -> Address:
    """One of the two databases. The message about a wrong URL says which one it is and hides its
    password."""
    try:
        return parse(url)
    except LedgerError as error:
        raise SettingsError(f"{name}: {hide_credentials(repr(url))}: {error}") from None
