"""A ledger that forgets when the process ends: for simulation, and for tests of what stands on a ledger.

It keeps the whole contract of `proxy_addon.ports.Ledger`; the tests run it beside the databases. Several
nodes of one process may share one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from math import inf
from threading import Lock

from proxy_addon.core.types import Grant, Visit
from proxy_addon.ports import AuditEntry, LedgerRefused, News


class MemoryLedger:
    """`proxy_addon.ports.Ledger` in dictionaries under one lock; the cursor counts writes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._writes = 0
        self._visits: dict[str, tuple[int, Visit]] = {}  # id -> (number of the write, row)
        self._grants: dict[str, tuple[int, Grant]] = {}
        self._audit: list[AuditEntry] = []

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """Insert or update all or none; a row whose stored `rev` is equal or higher is left alone."""
        for visit in visits:
            _refuse_backwards(visit.id, visit.start, visit.end)
        with self._lock:
            for visit in visits:
                stored = self._visits.get(visit.id)
                if stored is None or stored[1].rev < visit.rev:
                    self._visits[visit.id] = (self._number(), visit)

    def visits(
        self, since: float, *, person: str | None = None, people: Collection[str] | None = None
    ) -> Iterable[Visit]:
        """Visits that end after `since`, oldest start first; optionally of one person or of some."""
        with self._lock:
            found = [visit for _, visit in self._visits.values() if visit.end > since]
        if person is not None:
            found = [visit for visit in found if visit.person == person]
        if people is not None:
            names = frozenset(people)
            found = [visit for visit in found if visit.person in names]
        return sorted(found, key=lambda visit: (visit.start, visit.id))

    def grants(self, valid_after: float, *, person: str | None = None) -> Sequence[Grant]:
        """Grants that expire after `valid_after`, oldest first."""
        with self._lock:
            found = [grant for _, grant in self._grants.values() if grant.expires > valid_after]
        if person is not None:
            found = [grant for grant in found if grant.person == person]
        return sorted(found, key=lambda grant: (grant.created, grant.id))

    def add_grant(self, grant: Grant, *, actor: str) -> None:
        """Store a grant and its audit entry; the same id again changes nothing."""
        _refuse_backwards(grant.id, grant.created, grant.expires)
        with self._lock:
            if grant.id not in self._grants:
                self._grants[grant.id] = (self._number(), grant)
                self._audit.append(AuditEntry.of_grant(grant, actor))

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """Visits (of other nodes than `not_from`) and grants written since `cursor` (0 = the beginning)."""
        with self._lock:
            if self._writes < cursor < inf:
                cursor = 0.0  # not one of ours: repeating all is allowed, leaving something out is not
            visits = (visit for number, visit in self._visits.values() if number > cursor)
            grants = (grant for number, grant in self._grants.values() if number > cursor)
            fresh = tuple(visit for visit in visits if visit.node != not_from)
            return News(fresh, tuple(grants), float(self._writes))

    def audit(self, entry: AuditEntry) -> None:
        """Append to the audit."""
        with self._lock:
            self._audit.append(entry)

    def audit_log(self, since: float = 0.0, *, subject: str | None = None) -> Sequence[AuditEntry]:
        """Audit entries, oldest first."""
        with self._lock:
            found = [entry for entry in self._audit if entry.at >= since]
        if subject is not None:
            found = [entry for entry in found if entry.subject == subject]
        return sorted(found, key=lambda entry: entry.at)

    def prune(self, before: float, *, batch: int = 5000) -> int:
        """Delete visits and expired grants that ended before `before`; the count. All in one batch."""
        with self._lock:
            old_visits = _ids(self._visits, lambda visit: visit.end < before)
            old_grants = _ids(self._grants, lambda grant: grant.expires < before)
            for visit_id in old_visits:
                del self._visits[visit_id]
            for grant_id in old_grants:
                del self._grants[grant_id]
        return len(old_visits) + len(old_grants)

    def check(self) -> None:
        """Memory can always be written to."""

    def close(self) -> None:
        """Nothing is held."""

    def _number(self) -> int:
        self._writes += 1
        return self._writes


def _ids[Row](stored: dict[str, tuple[int, Row]], is_old: Callable[[Row], bool]) -> list[str]:
    return [key for key, (_, row) in stored.items() if is_old(row)]


def _refuse_backwards(key: str, start: float, end: float) -> None:
    if end < start:
        raise LedgerRefused(f"memory will not take these rows ({key} ends before it begins)", kind="refused")
