"""`allowance db`: the database of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from db.address import parse
from db.ledger import SqlLedger
from db.probe import describe_schema, schema_of
from db.upgrade import upgrade
from proxy_addon.cli.common import AsJson, Config, exit_with, print_json, say
from proxy_addon.cli.db.copy import copy_command
from proxy_addon.config import parsers
from proxy_addon.config.settings import Settings, SettingsError, load_settings
from proxy_addon.core.notices.gate import ConfirmationInForce, in_force_since
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import count
from proxy_addon.rules import folder as rules_folder
from proxy_addon.system.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="The database of the ledger.")

app.command("copy")(copy_command)

Database = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="Database URL. Default: sqlite:///var/allowance.db"
    ),
]


@app.command("upgrade")
def upgrade_command(database: Database = None, config: Config = None) -> None:
    """Create the tables, or bring them up to date. `allowance run` does so by itself."""
    with _one_line_errors():
        settings = load_settings({"database": database}, config)
        changed = upgrade(settings.database)
        place = parse(settings.database).place
        schema = describe_schema(schema_of(settings.database) or "none")
        say(f"{place} {'is now at' if changed else 'was already at'} {schema}.")


@app.command()
def check(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Tell whether the database has our tables and can be written to: exit code 0 or 1."""
    with _one_line_errors():
        settings = load_settings({"database": database}, config)
        place = parse(settings.database).place
        schema, problem = _schema_and_problem(settings)
        if as_json:
            found = {"ok": problem is None, "database": place, "schema": schema, "problem": problem}
            print_json(found, indent=None)
        elif problem is None:
            say(f"{place} is ready: {describe_schema(schema or 'none')}, can be written to.")
        else:
            say(f"error: {problem}", err=True)
        raise typer.Exit(0 if problem is None else 1)


@app.command()
def prune(
    database: Database = None,
    rules: Annotated[
        Path | None,
        typer.Option("--rules", metavar="DIR", help="The rules with the retention. Default: rules"),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="TIME", help="Keep this much instead, such as 30d."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Delete visits older than the `retention` of the rules. `allowance run` does so every day.

    Confirmations of written policies that are in force stay. With `--older-than` and no rules that
    can be read, all of them do."""
    with _one_line_errors():
        settings = load_settings({"database": database, "rules": rules}, config)
        now = SystemClock().now()
        seconds, confirmed = _kept(settings.rules, older_than, now)
        ledger = SqlLedger(settings.database, "db prune")
        try:
            ledger.check()
            deleted = ledger.prune(now - seconds, kept=confirmed)
        finally:
            ledger.close()
        if as_json:
            print_json({"deleted": deleted, "kept_seconds": seconds}, indent=None)
        else:
            say(f"Deleted: {count(deleted, 'row')} older than {rule_text.spelled_length(seconds)}.")


def _kept(
    rules: Path, older_than: str | None, now: float
) -> tuple[float, Collection[ConfirmationInForce] | None]:
    """Seconds to keep, and the confirmations that stay; None: all. Raises RuleErrors where the
    rules have to say how long."""
    asked = _seconds(older_than) if older_than else None
    try:
        found = rules_folder.load(rules)
    except RuleErrors:
        if asked is None:
            raise
        return asked, None
    return found.retention if asked is None else asked, in_force_since(found.notices, now)


def _schema_and_problem(settings: Settings) -> tuple[str | None, str | None]:
    """The revision of the database, None where it cannot be read; and why the ledger cannot be
    used."""
    schema = None
    try:
        schema = schema_of(settings.database)
        ledger = SqlLedger(settings.database, "db check")
        try:
            ledger.check()
        finally:
            ledger.close()
    except LedgerError as problem:
        return schema, str(problem)
    return schema, None


def _seconds(text: str) -> float:
    """A time to keep."""
    try:
        return parsers.long_duration(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time; write 30d, 12h or 90m", param_hint="--older-than"
        ) from None


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Whatever is wrong with settings, rules or database: its lines on stderr, exit code 1."""
    try:
        yield
    except RuleErrors as problem:
        exit_with(problem)
    except (SettingsError, LedgerError) as problem:
        exit_with("\n".join(f"error: {line}" for line in str(problem).splitlines()))
