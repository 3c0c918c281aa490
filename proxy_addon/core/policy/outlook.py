"""What comes next for somebody: when something that is closed opens, and when an answer changes.

The same question is put to the engine again at each instant at which its answer may change, with
what has been used until now: nobody knows what will be used in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from proxy_addon.core.policy.balance import Usage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Decision, Person, Target, Verdict

AHEAD = 32 * 86_400.0  # seconds: a month, for windows of a month
_STEPS = 200  # changes looked at; a rota of hours has fewer in a month that matter


class NextAnswer(NamedTuple):
    """From the instant `at` on the answer is `decision`."""

    at: float
    decision: Decision


def answers(
    engine: Engine, person: Person, target: Target, usage: Usage, now: float
) -> Iterator[NextAnswer]:
    """The answer now, and at each later instant at which it may be another one, for a month
    ahead."""
    at = now
    for _ in range(_STEPS):
        who = engine.person(person.name, at) if person.duty else person
        decision = engine.decide(who, target, usage, at)
        yield NextAnswer(at, decision)
        match = engine.match(who, target, at)
        later = [each for each in (decision.until, match.until) if each is not None and each > at]
        if not later or min(later) > now + AHEAD:
            return
        at = min(later)


def next_opening(
    engine: Engine, person: Person, target: Target, usage: Usage, now: float
) -> NextAnswer | None:
    """When something that is closed now lets somebody in again; None: not within a month."""
    changes = answers(engine, person, target, usage, now)
    return next((each for each in changes if each.at > now and not each.decision.blocks), None)


def next_change(
    engine: Engine, person: Person, target: Target, usage: Usage, now: float
) -> NextAnswer | None:
    """When the answer becomes another one: open, charged, free or closed; None: not within a
    month."""
    changes = answers(engine, person, target, usage, now)
    first = kind(next(changes).decision)
    return next((each for each in changes if kind(each.decision) != first), None)


def free_until(
    engine: Engine, person: Person, target: Target, usage: Usage, change: NextAnswer
) -> float | None:
    """When a free time that begins with `change` ends; None: nothing is known to end it."""
    after = answers(engine, person, target, usage, change.at)
    return next((each.at for each in after if kind(each.decision) != kind(change.decision)), None)


def kind(decision: Decision) -> tuple[Verdict, str | None]:
    """What people see of a decision: whether it is open, charged to which allowance, or closed."""
    charged = decision.allowance if decision.verdict is not Verdict.ALLOW else None
    return decision.verdict, charged
