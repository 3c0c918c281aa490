"""Visits that wait for the ledger, in memory: the newest revision of each, oldest visit first,
bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice

import structlog

from proxy_addon.core.types import Visit

log = structlog.get_logger("allowance.ledger")


class PendingVisits:
    """At most `most` visits; beyond that the oldest is dropped, with a count. Safe to call from any
    thread, and quick enough for the event loop.

    `take_fresh` gives what was put since it was last asked: for the journal.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._fresh: dict[str, Visit] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._visits)

    def has(self, visit: str) -> bool:
        """Whether some revision of the visit with this id waits."""
        return visit in self._visits

    def put(self, visit: Visit) -> None:
        """Take a visit, unless this revision or a newer one waits already."""
        with self._lock:
            known = self._visits.get(visit.id)
            if known is not None and known.rev >= visit.rev:
                return
            self._visits[visit.id] = visit
            self._fresh[visit.id] = visit
            if len(self._visits) <= self._most:
                return
            oldest, _ = self._visits.popitem(last=False)
            self._fresh.pop(oldest, None)
            self.dropped += 1
            is_first = self.dropped == 1
        if is_first:
            log.error(
                "visits are dropped", because="too many wait for the ledger", waiting=self._most
            )

    def first(self, count: int) -> Sequence[Visit]:
        """The oldest `count` visits. They stay until they are forgotten."""
        with self._lock:
            return tuple(islice(self._visits.values(), count))

    def forget(self, written: Sequence[Visit]) -> None:
        """These need not wait any longer; a newer revision of one of them does."""
        with self._lock:
            for visit in written:
                for kept in (self._visits, self._fresh):
                    known = kept.get(visit.id)
                    if known is not None and known.rev <= visit.rev:
                        del kept[visit.id]

    def take_fresh(self) -> Sequence[Visit]:
        """What was put since the last call and still waits."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
        return tuple(fresh.values())

    def give_back(self, fresh: Sequence[Visit]) -> None:
        """What was taken could not be kept: it is fresh again, unless a newer revision is."""
        with self._lock:
            self._fresh = {**{visit.id: visit for visit in fresh}, **self._fresh}
