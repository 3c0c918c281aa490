"""Visits under the name that the ledger knows. Without the key of the pseudonyms they wait here: no
name may reach the queue, the journal or the database, nor a pseudonym that nobody else knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.pseudonymous import masked

MOST: Final = 50_000  # visits that wait, a day of one worker; then the oldest are given up

log = structlog.get_logger("allowance.ledger")


class VisitNames:
    """Event loop only, but for `lost`. `take` is given each visit under its name in the ledger."""

    def __init__(self, names: Pseudonyms | None, take: Callable[[Visit], None]) -> None:
        self._names, self._take = names, take
        self._held: dict[str, Visit] = {}  # the newest revision of each, by id
        self._given_up = 0

    def put(self, visit: Visit) -> None:
        """A new revision of a visit, under the name of its person."""
        if self._names is None:
            self._take(visit)
        elif self._names.has_key:
            self._take(masked(visit, self._names.of))
        else:
            self._held[visit.id] = visit
            if len(self._held) > MOST:
                del self._held[next(iter(self._held))]
                self._given_up += 1

    def release(self) -> Sequence[Visit]:
        """The key may be known now: then what has waited is passed on, and returned."""
        if self._names is None or not self._names.has_key:
            return ()
        held, self._held = [masked(each, self._names.of) for each in self._held.values()], {}
        for visit in held:
            self._take(visit)
        return held

    def lost(self) -> int:
        """How many visits are lost when this process ends now; a line says so."""
        lost = len(self._held) + self._given_up
        if lost:
            log.error("visits without a pseudonym are lost", visits=lost)
        return lost
