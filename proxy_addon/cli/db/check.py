"""`allowance db check`: whether the ledger can be used."""

from __future__ import annotations

import typer

from db.address import parse
from db.ledger import SqlLedger
from db.probe import describe_schema, schema_of
from proxy_addon.cli.common import AsJson, Config, print_json, say
from proxy_addon.cli.db.common import Database, database_errors
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.ledger.interface import LedgerError


def check(database: Database = None, config: Config = None, as_json: AsJson = False) -> None:
    """Tell whether the database has our tables and can be written to: exit code 0 or 1."""
    with database_errors():
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
