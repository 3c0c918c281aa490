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

from db.address import parse
from db.copy import copy
from proxy_addon.cli.common import AsJson, one_line_errors, print_json, say
from proxy_addon.cli.tables import PlainConsole

Source = Annotated[str, typer.Argument(metavar="FROM_URL", help="The database to read.")]
Target = Annotated[
    str, typer.Argument(metavar="TO_URL", help="An empty one, or one that a copy filled in part.")
]


def copy_command(source: Source, target: Target, as_json: AsJson = False) -> None:
    """Copy the ledger to another database, SQLite or Postgres, and compare both.

    Can be interrupted and run again.
    """
    with one_line_errors():
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
            print_json({"tables": [asdict(table) for table in copied]})
            return
        for table in copied:
            say(
                f"{table.table}: {table.rows} rows, {table.written} written now, digest {table.digest[:12]}"
            )
        say(f"{parse(target).place} equals {parse(source).place}.")
