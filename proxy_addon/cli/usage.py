"""`allowance usage USER`: what somebody has used and has left, and why each minute was charged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from proxy_addon.cli.common import AsJson, Config, Database, Rules, exit_with, print_json
from proxy_addon.cli.grant import User
from proxy_addon.cli.ledger_access import CommandContext, ledger_name, open_ledger
from proxy_addon.cli.tables import PlainConsole, PlainTable, whole
from proxy_addon.config import dates
from proxy_addon.config.dates import BadDateError
from proxy_addon.core import periods
from proxy_addon.core.ruleset import Limit, Period
from proxy_addon.core.types import Balance, Interval, Visit
from proxy_addon.presentation import rule_text
from proxy_addon.presentation import visit_evidence as evidence
from proxy_addon.presentation.durations import duration, moment
from proxy_addon.presentation.usage_statement import Statement, statement

Explain = Annotated[
    bool, typer.Option("--explain", help="Also show what opened, extended and closed each visit.")
]
Day = Annotated[
    str | None,
    typer.Option(
        "--day",
        metavar="DATE",
        help="The visits of another day, such as 2026-11-16. Default: today",
    ),
]


def usage(
    user: User,
    explain: Explain = False,
    day: Day = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the balances and the visits of one person, today's or those of another day."""
    wanted = None if day is None else _date(day)
    name = ledger_name(user)
    with open_ledger(rules, database, config) as context:
        engine, now = context.engine, context.now
        person, used = context.person(name), context.usage(name)
        visits = _visits(context, name, wanted)
        zone = engine.rule_set.zone
        balances = list(engine.balances(person, used, now))
        lines = statement(name, person.roles, balances, visits, zone)
    if explain:
        for line, visit in zip(lines["visits"], visits, strict=True):
            line["evidence"] = evidence.data(visit, now, zone)
    if as_json:
        print_json(lines)
        return
    evidence_lines = [evidence.sentences(visit, now, zone) for visit in visits] if explain else None
    when = "today" if wanted is None else f"on {wanted:%Y-%m-%d}"
    _print(lines, evidence_lines, when, _table(balances, now, zone))


def _date(text: str) -> datetime:
    """Midnight of a day, without a zone: it is the policy's. Exits with 1 and one line for what is
    not a date."""
    try:
        return datetime.combine(dates.day(text), time())
    except BadDateError as error:
        exit_with(f"--day: {error}")


def _table(balances: Sequence[Balance], now: float, zone: ZoneInfo) -> PlainTable:
    """A row for each allowance."""
    table = PlainTable(whole("Allowance"), "Limit", "Granted", "Spent", "Left", "Resets")
    for balance in balances:
        table.add(
            balance.allowance,
            _limit(balance),
            duration(balance.granted),
            duration(balance.spent),
            duration(balance.left),
            "" if balance.resets_at is None else moment(balance.resets_at, now, zone),
        )
    carried = [
        f"{duration(balance.carried)} of {balance.allowance} carried over"
        for balance in balances
        if balance.carried > 0
    ]
    table.caption = "; ".join(carried) or None  # else what is left would be more than the limit
    return table


def _limit(balance: Balance) -> str:
    if balance.period is None:
        return duration(balance.limit)
    return rule_text.spelled_limit(Limit(balance.limit, Period(balance.period), balance.rolling))


def _visits(context: CommandContext, name: str, day: datetime | None) -> list[Visit]:
    """The visits of one day of the policy, oldest first; what was given back whole is left out."""
    shown = _window(context, day)
    found = context.ledger.visits(shown.start, person=name)
    return [visit for visit in found if visit.start < shown.end and visit.end > visit.start]


def _window(context: CommandContext, day: datetime | None) -> Interval:
    rules = context.engine.rule_set
    if day is None:
        return periods.calendar_window(Period.DAY, rules, context.now)
    begins = (day + timedelta(seconds=rules.day_starts)).replace(tzinfo=rules.zone)
    return periods.calendar_window(Period.DAY, rules, begins.timestamp() + 1)


def _print(
    lines: Statement,
    evidence_lines: list[tuple[str, ...]] | None,
    when: str,
    table: PlainTable,
) -> None:
    console = PlainConsole()
    console.print(
        f"[bold]{escape(lines['user'])}[/bold] ({', '.join(lines['roles'])})", highlight=False
    )
    console.print(table)
    if when != "today":
        console.print(
            f"The balances are those of today; the visits are those {when}.", highlight=False
        )
    if not lines["visits"]:
        console.print(f"No visits {when}.")
        return
    last_column = "Rule" if evidence_lines is None else "Evidence"
    columns = (whole("Platform"), "From", "To", whole("Charged to"), last_column)
    visits = PlainTable(*columns, show_lines=evidence_lines is not None)
    for number, visit in enumerate(lines["visits"]):
        place = f"{visit['platform']}/{visit['section']}" if visit["section"] else visit["platform"]
        free = "free (estimated)" if visit["estimated"] else "free"
        charged, rule = visit["allowance"] or free, visit["rule"] or ""
        last = rule if evidence_lines is None else "\n".join(evidence_lines[number])
        visits.add(place, visit["start"][11:19], visit["end"][11:19], charged, last)
    console.print(visits)
