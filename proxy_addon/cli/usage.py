"""`allowance usage USER`: what somebody has used and has left."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from proxy_addon.cli.common import AsJson, Config, Database, Rules, ledger_name, open_books
from proxy_addon.core import periods
from proxy_addon.core.ruleset import Limit, Period
from proxy_addon.statement import Statement, statement
from proxy_addon.words import duration

User = Annotated[str, typer.Argument(help="The name as the rule files write it.")]


def usage(
    user: User, rules: Rules = None, database: Database = None, config: Config = None, as_json: AsJson = False
) -> None:
    """Show the balances and today's visits of one person."""
    with open_books(rules, database, config) as books:
        name = ledger_name(user)
        engine, now = books.engine, books.now
        person, used = engine.person(name, now), books.usage(name)
        today = periods.window(Limit(0.0, Period.DAY), engine.rule_set, now).start
        visits = sorted((v for v in used.visits.values() if v.end > today), key=lambda v: v.start)
        lines = statement(
            name, person.roles, engine.balances(person, used, now), visits, engine.rule_set.zone
        )
    if as_json:
        typer.echo(json.dumps(lines, indent=2, ensure_ascii=False))
    else:
        _print(lines)


def _print(lines: Statement) -> None:
    console = Console()
    console.print(f"[bold]{lines['user']}[/bold] ({', '.join(lines['roles'])})", highlight=False)
    table = Table("Allowance", "Limit", "Granted", "Spent", "Left", "Resets")
    for name, line in lines["allowances"].items():
        table.add_row(
            name, duration(line["limit"]), duration(line["granted"]), duration(line["spent"]),
            duration(line["left"]), line["resets_at"] or "",
        )  # fmt: skip
    console.print(table)
    if not lines["visits"]:
        console.print("No visits today.")
        return
    visits = Table("Platform", "From", "To", "Charged to", "Rule")
    for visit in lines["visits"]:
        place = f"{visit['platform']}/{visit['section']}" if visit["section"] else visit["platform"]
        visits.add_row(
            place,
            visit["start"][11:19],
            visit["end"][11:19],
            visit["allowance"] or "free",
            visit["rule"] or "",
        )
    console.print(visits)
