"""Which roles a person has at an instant: by the people file, and by the duty rota where it names
them.

A rota changes roles at known instants, so an answer is valid for a period of time and is cached
that long. A person whom no rota names always has the same roles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from proxy_addon.core import conditions
from proxy_addon.core.audience import NameIndex, keep
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.types import Person

_KEPT = 20_000  # people cached; the cache is cleared when it is full


class RoleAssignment(NamedTuple):
    """A person's roles, valid within `[since, before)`."""

    person: Person
    since: float
    before: float

    @property
    def names(self) -> tuple[str, ...]:
        """The roles in file order."""
        return self.person.roles


class Roster:
    """The people of one rule set. Thread-safe; its cache is bounded."""

    def __init__(self, rs: RuleSet) -> None:
        self._rs = rs
        self._order = tuple(dict.fromkeys((*rs.people.roles, *rs.people.duties)))
        number = {role: i for i, role in enumerate(self._order)}
        self._members = NameIndex(
            (1 << number[role], names) for role, names in rs.people.roles.items()
        )
        self._duties = [
            (number[role], duty) for role, some in rs.people.duties.items() for duty in some
        ]
        self._named = NameIndex((1 << i, duty.users) for i, (_, duty) in enumerate(self._duties))
        self._known: dict[str, RoleAssignment] = {}

    def person(self, name: str, now: float) -> Person:
        """The person with the roles in force at `now`."""
        return self.roles(name, now).person

    def roles(self, name: str, now: float) -> RoleAssignment:
        """Every role that lists the name at `now`, in file order; the default role when none
        does."""
        roles = self._known.get(name)
        if roles is None or not roles.since <= now < roles.before:
            roles = self._look_up_roles(name, now)
            keep(self._known, name, roles, _KEPT)
        return roles

    def _look_up_roles(self, name: str, now: float) -> RoleAssignment:
        bits = self._members.bits(name)
        duties = tuple(_numbers(self._named.bits(name))) if self._duties else ()
        since, before = (now, now + conditions.HORIZON) if duties else (-math.inf, math.inf)
        for number in duties:
            role, duty = self._duties[number]
            if conditions.fits(duty.when, self._rs, now):
                bits |= 1 << role
            change = conditions.next_change(duty.when, self._rs, now)
            before = min(before, before if change is None else change)
        names = tuple(self._order[i] for i in _numbers(bits)) or (self._rs.people.default_role,)
        return RoleAssignment(Person(name, names, bool(duties)), since, before)


def _numbers(bits: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
