"""`allowance report`: where the attention of an office went."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from db.ledger import SqlLedger
from db.upgrade import upgrade_existing
from proxy_addon.cli.common import (
    AsJson,
    Config,
    Database,
    Rules,
    exit_with,
    operator,
    print_json,
    say,
    write_private,
)
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.ledger_access import ledger_now
from proxy_addon.cli.policy.common import Language, spoken
from proxy_addon.cli.report_tables import print_report
from proxy_addon.cli.tables import PlainConsole
from proxy_addon.config import dates
from proxy_addon.config.dates import BadDateError
from proxy_addon.config.settings import Settings, load_settings
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Period, RuleSet
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.interface import EVERYBODY, AuditEntry
from proxy_addon.ledger.pseudonymous import ledger_pseudonyms
from proxy_addon.ledger.unmasking import known_names
from proxy_addon.report.aggregate import gather, needed_since
from proxy_addon.report.date_range import Span, SpanError, around, between
from proxy_addon.report.document import COLUMNS, document, rows
from proxy_addon.report.page import page
from proxy_addon.report.roles import Roles
from proxy_addon.report.totals import Report
from proxy_addon.rules import folder as rules_folder


class By(StrEnum):
    """What the sums are grouped by."""

    PLATFORM = "platform"
    ROLE = "role"
    PERSON = "person"


Day = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day: 2026-11-02.")]
LastDay = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Last day. Default: today")
]


def report(
    week: Annotated[
        bool, typer.Option("--week", help="This week so far; so it is without an option.")
    ] = False,
    month: Annotated[bool, typer.Option("--month", help="This month so far.")] = False,
    last: Annotated[
        bool, typer.Option("--last", help="The week or month before this one.")
    ] = False,
    first_day: Day = None,
    last_day: LastDay = None,
    by: Annotated[
        By, typer.Option("--by", help="Sums by platform, role or person; by person is audited.")
    ] = By.PLATFORM,
    as_csv: Annotated[bool, typer.Option("--csv", help="A row for each day and name.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with charts, in one file."),
    ] = None,
    language: Language = None,
    as_json: AsJson = False,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
) -> None:
    """Show attention by day, hour, platform and role, what ran out, and what observed rules would
    have stopped."""
    if sum((week, month, bool(first_day or last_day))) > 1:
        raise typer.BadParameter("choose one of --week, --month and --from")
    if sum((as_csv, as_json, html is not None)) > 1:
        raise typer.BadParameter("choose one of --csv, --html and --json")
    if last and (first_day or last_day):
        raise typer.BadParameter("--last belongs to --week or --month")
    with _opened(rules, database, config) as context:
        try:
            if first_day or last_day:
                span = _named(context.rules, first_day, last_day, context.now)
            else:
                span = around(
                    context.rules, Period.MONTH if month else Period.WEEK, context.now, last=last
                )
        except SpanError as problem:
            exit_with(f"--from, --to: {problem}")
        if by is By.PERSON:
            _audit(context, span)
        made = _gathered(context, span, by)
    if as_json:
        print_json(document(made, by))
    elif as_csv:
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows(made, by))
    elif html is not None:
        chosen = spoken(language, context.rules)
        text = page(made, context.now, by_person=by is By.PERSON, language=chosen)
        write_private(html, text, "--html")
        say(f"The report is in {html}.")
    else:
        print_report(PlainConsole(highlight=False), made, by)


class _ReportContext(NamedTuple):
    """What the command works with. `names`: the key of the pseudonyms, where the ledger has
    them."""

    settings: Settings
    engine: Engine
    ledger: SqlLedger
    names: Pseudonyms | None
    now: float

    @property
    def rules(self) -> RuleSet:
        return self.engine.rule_set


@contextmanager
def _opened(
    rules: Path | None, database: str | None, config: Path | None
) -> Iterator[_ReportContext]:
    with one_line_errors():
        settings = load_settings({"rules": rules, "database": database}, config)
        engine = Engine(rules_folder.load(settings.rules))
        upgrade_existing(settings.database)
        with closing(SqlLedger(settings.database, "cli")) as ledger:
            wanted = engine.rule_set.pseudonyms
            names = ledger_pseudonyms(ledger, settings.pseudonym_key) if wanted else None
            yield _ReportContext(settings, engine, ledger, names, ledger_now(ledger))


def _gathered(context: _ReportContext, span: Span, by: By) -> Report:
    since = needed_since(context.engine, span)
    known = _known(context) if context.names is not None else None
    visits = context.ledger.stretches(since, span.until)
    grants = context.ledger.grants(since)
    roles = Roles(context.engine, known)
    return gather(context.engine, roles, span, visits, grants, by_person=by is By.PERSON)


def _known(context: _ReportContext) -> Mapping[str, str]:
    """Who is behind a pseudonym, of the people that this host knows: for their roles, in memory
    only."""
    assert context.names is not None
    users = PasswordFile(context.settings.passwords).users()
    return {context.names.of(name): name for name in known_names(context.rules, users)}


def _audit(context: _ReportContext, span: Span) -> None:
    """Write the audit entry before the report: nobody sees people's data without a record."""
    actor = f"cli:{operator()}"
    masked_actor = context.names.actor(actor) if context.names is not None else actor
    detail = f"by person, {span.dates[0]} to {span.dates[-1]}"
    context.ledger.audit(AuditEntry(context.now, masked_actor, "report", EVERYBODY, detail))


def _named(rules: RuleSet, first: str | None, last: str | None, now: float) -> Span:
    if first is None:
        raise SpanError("--to needs --from, too")
    begin = _date(first)
    today = around(rules, Period.DAY, now).dates[0]
    return between(rules, begin, _date(last) if last else max(begin, today), now)


def _date(text: str) -> date:
    try:
        return dates.day(text)
    except BadDateError as error:
        raise SpanError(str(error)) from None
