"""`allowance requests list|approve|refuse`: who asked for more time, and the answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from proxy_addon.cli.common import (
    AsJson,
    Config,
    Database,
    Rules,
    exit_with,
    operator,
    print_json,
    say,
)
from proxy_addon.cli.ledger_access import CommandContext, ledger_name, open_ledger, reason_words
from proxy_addon.cli.tables import PlainConsole, PlainTable, whole
from proxy_addon.config.settings import load_settings
from proxy_addon.identity.passwords import PasswordFile
from proxy_addon.ledger.interface import TimeRequest
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from proxy_addon.ledger.time_requests import NotPossible, grant_for
from proxy_addon.ledger.unmasking import known_names
from proxy_addon.presentation.durations import duration, iso

app = typer.Typer(help="Requests for more time: list, approve, refuse.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id that `requests list` shows.")]


@app.command("list")
def show(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were decided.")
    ] = False,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="Of one person.")
    ] = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the requests that are waiting for an answer, oldest first."""
    person = None if user is None else ledger_name(user)
    with open_ledger(rules, database, config) as context:
        found = context.ledger.requests(person=person, status=None if everything else "open")
        lines = [line(each, context) for each in found]
    if as_json:
        print_json({"requests": lines})
        return
    table = PlainTable(whole("Id"), "Who", "Allowance", "Time", "Why", "Asked", "State")
    for each, line_data in zip(found, lines, strict=True):
        state = f"{each.status}: {each.note}" if each.note else each.status
        asked = line_data["asked"][:16].replace("T", " ")
        table.add(
            each.id, each.person, each.allowance, duration(each.seconds), each.reason, asked, state
        )
    PlainConsole().print(table if found else "Nobody waits for an answer.")


@app.command()
def approve(
    request: Id,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Grant what was asked for. A running proxy follows within seconds."""
    with open_ledger(rules, database, config) as context:
        asked = _open(context, request)
        users = PasswordFile(
            load_settings({"rules": rules, "database": database}, config).passwords
        ).users()

        def name_of(person: str) -> str | None:
            if not isinstance(context.ledger, PseudonymLedger):
                return person
            return context.ledger.names.search(person, known_names(context.engine.rule_set, users))

        try:
            given = grant_for(
                context.engine, asked, by=operator(), now=context.now, name_of=name_of
            )
        except NotPossible as problem:
            exit_with(str(problem))
        closed = context.ledger.decide(
            asked.id, at=context.now, by=operator(), actor=f"cli:{operator()}", grant=given
        )
        _print_outcome(closed, request, context, as_json)


@app.command()
def refuse(
    request: Id,
    note: Annotated[str, typer.Option("--note", help="Why not; the person reads it.")],
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a request, and say why."""
    words = reason_words(note, "--note")
    with open_ledger(rules, database, config) as context:
        asked = _open(context, request)
        closed = context.ledger.decide(
            asked.id,
            at=context.now,
            by=operator(),
            actor=f"cli:{operator()}",
            grant=None,
            note=words,
        )
        _print_outcome(closed, request, context, as_json)


def line(request: TimeRequest, context: CommandContext) -> dict[str, Any]:
    """A request for JSON: seconds, and instants in the zone of the policy."""
    zone = context.engine.rule_set.zone

    def at(instant: float | None) -> str | None:
        return None if instant is None else iso(instant, zone)

    return {
        "id": request.id,
        "user": request.person,
        "allowance": request.allowance,
        "seconds": request.seconds,
        "reason": request.reason,
        "status": request.status,
        "asked": at(request.created),
        "decided": at(request.decided),
        "decided_by": request.decided_by,
        "granted_until": at(request.until),
        "note": request.note,
    }


def _open(context: CommandContext, key: str) -> TimeRequest:
    found = next((each for each in context.ledger.requests(status="open") if each.id == key), None)
    if found is None:
        exit_with(
            f"ID: no request {key!r} waits for an answer; `allowance requests list` shows those that do"
        )
    return found


def _print_outcome(
    closed: TimeRequest | None, key: str, context: CommandContext, as_json: bool
) -> None:
    if closed is None:
        exit_with(f"ID: somebody else has just decided about {key}")
    if as_json:
        print_json(line(closed, context))
    elif closed.status == "refused":
        say(f"Refused. {closed.person} reads why on their page.")
    else:
        line_data = line(closed, context)
        more = duration(closed.seconds)
        say(
            f"{closed.person} has {more} more of {closed.allowance} until {line_data['granted_until']}."
        )
