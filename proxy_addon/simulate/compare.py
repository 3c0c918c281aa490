"""The same traffic under two rule sets: who gains, who loses, and when each allowance would have
run out."""

from __future__ import annotations

from typing import NamedTuple

from proxy_addon.core.intervals import measure
from proxy_addon.simulate.result import PersonResult, Result


class SimulatedUse(NamedTuple):
    """One person under one set of rules. Seconds; `exhausted` is when each allowance ran out
    first."""

    used: float
    spent: float
    blocked: int
    exhausted: dict[str, float]


class PersonComparison(NamedTuple):
    """One person under the rules in force and under the others."""

    user: str
    now: SimulatedUse
    then: SimulatedUse

    @property
    def gained(self) -> float:
        """Seconds of use that the other rules would have given; negative where they give less."""
        return self.then.used - self.now.used

    @property
    def differs(self) -> bool:
        """Whether anything would have been different."""
        return self.now != self.then


def side(person: PersonResult) -> SimulatedUse:
    """What counts of one person's result."""
    used = sum(measure(union) for union in person.by_platform().values())
    spent = sum(measure(union) for union in person.by_allowance().values())
    return SimulatedUse(round(used, 3), round(spent, 3), person.blocked, dict(person.exhausted))


def changes(now: Result, then: Result) -> list[PersonComparison]:
    """Everybody for whom something changes, who loses most first."""
    nobody = PersonResult()
    names = sorted(now.users.keys() | then.users.keys())
    found = [
        PersonComparison(
            name, side(now.users.get(name, nobody)), side(then.users.get(name, nobody))
        )
        for name in names
    ]
    return sorted((c for c in found if c.differs), key=lambda c: (c.gained, c.user))
