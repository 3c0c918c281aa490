"""`allowance grant USER ALLOWANCE 10m --reason …`: more minutes for somebody."""

from __future__ import annotations

import difflib
import uuid
from typing import Annotated

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
from proxy_addon.config import dates
from proxy_addon.config.dates import BadDateError
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.time_parsers import duration as seconds_of
from proxy_addon.core.types import Balance, Grant
from proxy_addon.presentation.durations import duration, iso
from proxy_addon.presentation.usage_statement import statement

MAX_SECONDS = 31 * 86_400.0  # seconds

User = Annotated[str, typer.Argument(help="The name as the rule files write it.")]
AllowanceName = Annotated[str, typer.Argument(metavar="ALLOWANCE", help="Which allowance.")]
Minutes = Annotated[str, typer.Argument(metavar="TIME", help="How much more: 10m, 1h30m, 45s")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="ISO", help="When it ends. Default: with the period of the allowance"
    ),
]


def grant(
    user: User,
    allowance: AllowanceName,
    time: Minutes,
    reason: Reason,
    until: Until = None,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Give one person extra minutes of an allowance. A running proxy follows within seconds."""
    name, seconds, why = ledger_name(user), _seconds(time), reason_words(reason)
    with open_ledger(rules, database, config) as context:
        given = _grant(context, name, allowance, seconds, why, until)
        actor = f"cli:{operator()}"
        context.ledger.add_grant(given, actor=actor)
        person = context.person(given.person)
        balance = context.engine.balance(
            person, allowance, context.usage(given.person), context.now
        )
        zone = context.engine.rule_set.zone
        ends = iso(given.expires, zone)
        lines = statement(given.person, person.roles, [balance], [], zone)
    if as_json:
        print_json({**lines, "grant": given.id, "expires": ends})
    else:
        say(_sentence(given, balance, ends))


def _sentence(given: Grant, balance: Balance, ends: str) -> str:
    return (
        f"{given.person} has {duration(given.seconds)} more of {given.allowance} until {ends}; "
        f"{duration(balance.left)} left now."
    )


def _grant(
    context: CommandContext,
    person: str,
    allowance: str,
    seconds: float,
    reason: str,
    until: str | None,
) -> Grant:
    known_allowance(context, allowance)
    somebody = context.person(person)
    expires = context.engine.grant_expiry(somebody, allowance, context.now)
    if until is not None:
        expires = _instant(until, context)
    return Grant(
        uuid.uuid4().hex, person, allowance, seconds, reason, operator(), context.now, expires
    )


def known_allowance(context: CommandContext, allowance: str) -> None:
    """Exit with 1 and a line for a name that is not an allowance of the rules."""
    allowances = context.engine.rule_set.allowances
    if allowance not in allowances:
        close = difflib.get_close_matches(allowance, allowances, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(allowances)}"
        exit_with(f"ALLOWANCE: {allowance!r} is not an allowance of the rules; {hint}")


def _instant(text: str, context: CommandContext) -> float:
    try:
        until = dates.instant(text, context.engine.rule_set.zone)
    except BadDateError as error:
        exit_with(f"--until: {error}")
    if until <= context.now:
        exit_with(f"--until: {text!r} has passed; give a time that is still to come")
    return until


def _seconds(text: str) -> float:
    """The time as rule files write it."""
    try:
        seconds = seconds_of(text.strip())
    except BadValue:
        seconds = 0.0
    if not 1.0 <= seconds <= MAX_SECONDS:
        exit_with(f"TIME: {text!r}: write for example 45s, 10m or 1h30m, up to 31d")
    return seconds
