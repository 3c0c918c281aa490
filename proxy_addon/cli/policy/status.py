"""`allowance policy status`: who has read the written policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proxy_addon.cli.common import (
    AsJson,
    Config,
    Database,
    Rules,
    print_json,
    say,
    say_table,
    write_private,
)
from proxy_addon.cli.ledger_access import open_ledger
from proxy_addon.cli.policy.common import (
    Csv,
    Names,
    NoticeName,
    Reason,
    Waiting,
    reason_for,
    waiting,
)
from proxy_addon.cli.tables import PlainConsole, PlainTable, numbers, whole
from proxy_addon.config.settings import load_settings
from proxy_addon.core.notices.notice import AskWhen
from proxy_addon.presentation.durations import iso
from proxy_addon.report.notice_document import COUNTS, NAMES, count_rows, document, name_rows
from proxy_addon.report.notice_status import NoticeStatus, Reader, Stage
from proxy_addon.report.spreadsheet import written

ByRole = Annotated[bool, typer.Option("--by-role", help="Also how many of each role.")]


def status(
    notice: NoticeName = None,
    by_role: ByRole = False,
    names: Names = False,
    reason: Reason = None,
    csv: Csv = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show how many have read the written policies in force; with a reason also who has not.

    People are those who used a limited platform, or met or confirmed a policy, in the time for
    which visits are kept, and those whom the people file names.
    """
    if csv is not None and as_json:
        raise typer.BadParameter("choose one of --csv and --json")
    why = reason_for(names, reason)
    with open_ledger(rules, database, config) as context:
        settings = load_settings({"rules": rules, "database": database}, config)
        found = waiting(context, settings, notice, why)
    if as_json:
        print_json(document(found.statuses, found.zone, found.names))
    elif csv is not None:
        write_table(csv, table_of(found))
    else:
        _print(found, by_role=by_role)


def table_of(found: Waiting) -> str:
    """As CSV: a row for each person who has not read it, or for each role where there are no
    names."""
    if found.names is None:
        return written(COUNTS, count_rows(found.statuses))
    return written(NAMES, name_rows(found.statuses, found.names, found.zone))


def write_table(target: str, text: str) -> None:
    """To a file that only its owner reads, or to standard output."""
    if target == "-":
        say_table(text)
        return
    write_private(Path(target), text, "--csv")
    say(f"The table is in {target}.")


def _print(found: Waiting, *, by_role: bool) -> None:
    console = PlainConsole(highlight=False)
    if not found.statuses:
        say("No written policy is in force.")
    for each in found.statuses:
        say(summary(each))
        if by_role:
            table = PlainTable("Role", numbers("Have read it"), numbers("People"))
            for role, (have, people) in each.by_role.items():
                table.add(role, str(have), str(people))
            console.print(table)
        if found.names is not None:
            _print_names(console, found, found.names[each.notice.name])


def summary(status: NoticeStatus) -> str:
    """ "social-media: 41 of 48 have read version 3; 7 have not: 5 in grace, 2 overdue." """
    notice, waits = status.notice, len(status.waiting)
    read = "have been shown" if notice.ask is AskWhen.SHOWN else "have read"
    told = f"{notice.name}: {status.acknowledged} of {len(status.readers)} {read} version "
    told += str(notice.version)
    if not waits:
        return f"{told}."
    if notice.ask is not AskWhen.BEFORE_FIRST_USE:
        return f"{told}; {waits} have not."
    stages = (Stage.NOT_MET, Stage.GRACE, Stage.OVERDUE)
    words = [f"{len(status.at(stage))} {stage.value}" for stage in stages if status.at(stage)]
    return f"{told}; {waits} have not: {', '.join(words)}."


def _print_names(console: PlainConsole, found: Waiting, names: tuple[Reader, ...]) -> None:
    table = PlainTable(whole("Who"), "Roles", "State", "Last version", "Met at", "Grace until")
    for each in names:
        last = "none" if each.read is None else str(each.read.version)
        met = "" if each.met is None else _minute(each.met.first, found)
        until = "" if each.until is None else _minute(each.until, found)
        table.add(each.name, ", ".join(each.roles), each.stage.value, last, met, until)
    console.print(table if names else "Everybody has read it.")


def _minute(instant: float, found: Waiting) -> str:
    return iso(instant, found.zone)[:16].replace("T", " ")
