"""How much of an allowance is left at the least, without computing the balance again.

Between two changes of rules and grants use grows by the seconds that pass and by those that are
entered. So what was left a moment ago tells what is left now, up to the instant at which a grant or
a window ends.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.policy.next_refusal import grant_or_window_ends
from proxy_addon.core.types import Balance, Person
from proxy_addon.metering.usage_book import PersonUsage

WORTH = 60.0  # seconds; where less is left than this, the balance is computed each time


class TimeLeft(NamedTuple):
    """What was left of one allowance of one person at the instant `at`, seconds; a lower bound can
    be told from it before the instant `until`."""

    engine: Engine
    person: Person
    usage: PersonUsage
    revision: int
    entered: float
    allowance: str
    left: float
    at: float
    until: float

    @classmethod
    def seen(
        cls,
        engine: Engine,
        person: Person,
        usage: PersonUsage,
        allowance: str,
        left: float,
        now: float,
    ) -> TimeLeft | None:
        """After a balance was computed at the instant `now`; None where it is of no use."""
        if left < WORTH or person.duty:
            return None
        limits = engine.limits(person, allowance, now)
        until = grant_or_window_ends(engine.rule_set, allowance, limits, usage, now, math.inf)
        return cls(
            engine, person, usage, usage.revision, usage.entered, allowance, left, now, until
        )

    def at_least(
        self, engine: Engine, person: Person, usage: PersonUsage, allowance: str, now: float
    ) -> float:
        """Seconds of the allowance that are left at `now` for certain; minus infinity where this
        does not tell."""
        if (
            self.engine is not engine
            or self.usage is not usage
            or self.revision != usage.revision
            or self.allowance != allowance
            or self.person != person
            or not self.at <= now < self.until
        ):
            return -math.inf
        return self.left - (now - self.at) - (usage.entered - self.entered)


def overspent(balance: Balance) -> float:
    """Seconds used beyond what there was; negative while something is left."""
    return balance.spent - balance.limit - balance.carried - balance.granted
