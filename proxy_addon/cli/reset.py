"""`allowance reset USER ALLOWANCE --reason …`: what was spent in the current windows no longer
counts."""

from __future__ import annotations

import uuid

from proxy_addon.cli.common import AsJson, Config, Database, Rules, operator, print_json, say
from proxy_addon.cli.grant import AllowanceName, Reason, User, known_allowance
from proxy_addon.cli.ledger_access import CommandContext, ledger_name, open_ledger, reason_words
from proxy_addon.core.types import Grant
from proxy_addon.presentation.durations import duration
from proxy_addon.presentation.usage_statement import statement

_SPARE = 2 * 86_400.0  # seconds


def reset(
    user: User,
    allowance: AllowanceName,
    reason: Reason,
    rules: Rules = None,
    database: Database = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Reset an allowance for one person: what was spent no longer counts. A running proxy follows
    within seconds.

    Visits stay as they are; a later `allowance usage` shows them. Carried time stays as it was.
    """
    name, why = ledger_name(user), reason_words(reason)
    with open_ledger(rules, database, config) as context:
        fact = _reset(context, name, allowance, why)
        context.ledger.add_grant(fact, actor=f"cli:{operator()}")
        person = context.person(fact.person)
        balance = context.engine.balance(person, allowance, context.usage(fact.person), context.now)
        lines = statement(fact.person, person.roles, [balance], [], context.engine.rule_set.zone)
    if as_json:
        print_json({**lines, "reset": fact.id})
    else:
        say(f"{allowance} starts again for {fact.person}; {duration(balance.left)} left now.")


def _reset(context: CommandContext, person: str, allowance: str, reason: str) -> Grant:
    known_allowance(context, allowance)
    # It has to outlast every window that contains this instant, and those that time is carried
    # from; two days more, because the rules may get another zone or beginning of the day meanwhile.
    expires = context.engine.needed_until(context.now) + _SPARE
    return Grant(
        uuid.uuid4().hex,
        person,
        allowance,
        0.0,
        reason,
        operator(),
        context.now,
        expires,
        resets=True,
    )
