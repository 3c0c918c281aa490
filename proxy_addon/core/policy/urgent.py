"""Urgent minutes: time that somebody whose allowance is used up takes at once, without asking.

They are a grant to that allowance, so they never open what a rule blocks. How many somebody has
taken is counted over all allowances. The ledger decides in the end (`Ledger.take`), because another
proxy may have given some a moment ago.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core import periods
from proxy_addon.core.policy.balance import Usage
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.ruleset import Period, RuleSet, Urgent
from proxy_addon.core.types import Interval, Person


class UrgentOffer(NamedTuple):
    """What somebody may take now: `seconds`, `left` more times of `times`. `renews`: the instant at
    which they are counted anew."""

    seconds: float
    left: int
    times: int
    period: Period
    renews: float


def window(rs: RuleSet, urgent: Urgent, now: float) -> Interval:
    """The period of the calendar in which they are counted."""
    return periods.calendar_window(urgent.period, rs, now)


def offer(engine: Engine, person: Person, taken: int, now: float) -> UrgentOffer | None:
    """What the rules give the person who has taken `taken` in the window of `now`; None: none."""
    urgent = engine.rule_set.urgent
    if urgent is None or not urgent.is_for(person.roles):
        return None
    renews = window(engine.rule_set, urgent, now).end
    left = max(0, urgent.times - taken)
    return UrgentOffer(urgent.seconds, left, urgent.times, urgent.period, renews)


def taken_in_memory(engine: Engine, usage: Usage, now: float) -> int:
    """How many the person has taken in the window of `now`, as far as their usage still has the
    grants: those of a window before the oldest that counts may be gone."""
    urgent = engine.rule_set.urgent
    if urgent is None:
        return 0
    since = window(engine.rule_set, urgent, now).start
    grants = (each for name in engine.rule_set.allowances for each in usage.grants(name))
    return sum(each.is_urgent and each.created >= since for each in grants)


def is_used_up(engine: Engine, person: Person, allowance: str, usage: Usage, now: float) -> bool:
    """Whether the allowance gives the person some time, and none of it is left now."""
    if not any(limit.seconds > 0 for limit in engine.limits(person, allowance, now)):
        return False
    return engine.balance(person, allowance, usage, now).left <= 0


def expiry(engine: Engine, person: Person, allowance: str, now: float) -> float:
    """When they end: with the period of the allowance, and with the policy's day at the latest. An
    instant."""
    today = periods.calendar_window(Period.DAY, engine.rule_set, now).end
    return min(today, engine.grant_expiry(person, allowance, now))
