"""`allowance audit`: who changed what, when."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

from db.ledger import SqlLedger
from db.upgrade import upgrade_existing
from proxy_addon.cli.common import AsJson, Config, Database, print_json
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.ledger_access import ledger_now
from proxy_addon.cli.tables import PlainConsole, PlainTable
from proxy_addon.config import dates, parsers
from proxy_addon.config.dates import BadDateError
from proxy_addon.config.settings import SettingsError, load_settings
from proxy_addon.ledger.interface import AuditEntry

Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="From when on: 2026-11-02, 2026-11-02T09:00 (UTC), 30d, 12h"
    ),
]


def audit(
    since: Since = None, database: Database = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Show grants, resets, erasures, unmasking, looks at people by name and new rules.

    Oldest first; times are UTC."""
    with one_line_errors():
        settings = load_settings({"database": database}, config)
        upgrade_existing(settings.database)
        with closing(SqlLedger(settings.database, "cli")) as ledger:
            start = _instant(since, ledger_now(ledger)) if since else 0.0
            entries = ledger.audit_log(start)
    if as_json:
        print_json({"audit": [line(entry) for entry in entries]})
        return
    table = PlainTable("When", "Who", "What", "About", "Detail")
    for entry in entries:
        table.add(_utc(entry.at)[:19], entry.actor, entry.action, entry.subject, entry.detail)
    PlainConsole().print(table if entries else "Nothing was changed in that time.")


def line(entry: AuditEntry) -> dict[str, str]:
    """An entry for JSON."""
    return {
        "at": _utc(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
    }


def _utc(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat()


def _on_the_clock(text: str) -> float:
    try:
        return dates.instant(text, UTC)
    except BadDateError as error:
        raise SettingsError(f"--since: {error}") from None


def _instant(text: str, now: float) -> float:
    """A date, a time, or how long ago."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return _on_the_clock(text)
    try:
        return now - parsers.long_duration(text)
    except ValueError:
        raise SettingsError(
            f"--since: {text!r} is not a time; write 2026-11-02, 30d or 12h"
        ) from None
