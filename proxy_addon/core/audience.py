"""Which lists of people a person is in.

Names are compared case-insensitively: exact ones by one lookup, shell patterns one after the other.
Each list has a bit, so "in which lists" is one integer, and ten thousand listed names cost no more
than ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

from proxy_addon.core.types import Person

EVERYBODY = 1  # the bit that every person has
_KEPT = 20_000  # people cached; the cache is cleared when it is full

type Named = tuple[tuple[str, ...], frozenset[str]]
"""The `users` and `roles` of a rule or an override; both empty is everybody."""


class NameIndex:
    """An index over lists of names and patterns, built once; `lists` gives each with the bit it
    sets."""

    def __init__(self, lists: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        self._exact: dict[str, int] = {}
        patterns: dict[str, int] = {}
        for bit, names in lists:
            for name in map(str.casefold, names):
                index = patterns if is_pattern(name) else self._exact
                index[name] = index.get(name, 0) | bit
        self._patterns = tuple(
            (re.compile(translate(text)), bits) for text, bits in patterns.items()
        )

    def bits(self, name: str) -> int:
        """The bits of every list that names `name`."""
        folded = name.casefold()
        bits = self._exact.get(folded, 0)
        for pattern, more in self._patterns:
            if pattern.match(folded):
                bits |= more
        return bits


class AudienceIndex:
    """The same for lists of users and roles: one of the users *or* one of the roles is enough to be
    in a list."""

    def __init__(self, lists: Iterable[Named]) -> None:
        everybody: Named = ((), frozenset())
        self._bit = {everybody: EVERYBODY}
        for one in lists:
            self._bit.setdefault(one, 1 << len(self._bit))
        self._names = NameIndex((bit, users) for (users, _), bit in self._bit.items())
        self._roles: dict[str, int] = {}
        for (_, roles), bit in self._bit.items():
            for role in roles:
                self._roles[role] = self._roles.get(role, 0) | bit
        self._known: dict[Person, int] = {}

    def bit(self, users: tuple[str, ...], roles: Iterable[str]) -> int:
        """The bit of one list."""
        return self._bit[users, frozenset(roles)]

    def bits(self, person: Person) -> int:
        """The bits of every list that the person is in."""
        bits = self._known.get(person)
        if bits is None:
            bits = EVERYBODY | self._names.bits(person.name)
            for role in person.roles:
                bits |= self._roles.get(role, 0)
            keep(self._known, person, bits, _KEPT)
        return bits


def is_pattern(name: str) -> bool:
    """True when the entry is a shell pattern and not the name of one person."""
    return any(sign in name for sign in "*?[")


def keep[K, V](cache: dict[K, V], key: K, value: V, most: int) -> None:
    """Store in a cache, which is cleared first when it holds `most` entries: bounded and
    thread-safe."""
    if len(cache) >= most:
        cache.clear()
    cache[key] = value
