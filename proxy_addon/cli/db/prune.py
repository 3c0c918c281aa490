"""`allowance db prune`: what is older than the rules want it kept is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from db.ledger import SqlLedger
from proxy_addon.cli.common import AsJson, Config, print_json, say
from proxy_addon.cli.db.common import Database, database_errors
from proxy_addon.cli.ledger_access import ledger_now
from proxy_addon.config import parsers
from proxy_addon.config.settings import load_settings
from proxy_addon.core.notices.gate import in_force_since
from proxy_addon.core.notices.notice import Notice
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.presentation import rule_text
from proxy_addon.presentation.durations import count
from proxy_addon.rules import folder as rules_folder


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
    with database_errors():
        settings = load_settings({"database": database, "rules": rules}, config)
        seconds, notices = _kept(settings.rules, older_than)
        with closing(SqlLedger(settings.database, "db prune")) as ledger:
            ledger.check()
            now = ledger_now(ledger)  # this host's may be a year ahead
            confirmed = None if notices is None else in_force_since(notices, now)
            deleted = ledger.prune(now - seconds, kept=confirmed)
        if as_json:
            print_json({"deleted": deleted, "kept_seconds": seconds}, indent=None)
        else:
            say(f"Deleted: {count(deleted, 'row')} older than {rule_text.spelled_length(seconds)}.")


def _kept(rules: Path, older_than: str | None) -> tuple[float, Sequence[Notice] | None]:
    """Seconds to keep, and the notices whose confirmations stay; None: all. Raises RuleErrors where
    the rules have to say how long."""
    asked = _seconds(older_than) if older_than else None
    try:
        found = rules_folder.load(rules)
    except RuleErrors:
        if asked is None:
            raise
        return asked, None
    return found.retention if asked is None else asked, found.notices


def _seconds(text: str) -> float:
    """A time to keep."""
    try:
        return parsers.long_duration(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time; write 30d, 12h or 90m", param_hint="--older-than"
        ) from None
