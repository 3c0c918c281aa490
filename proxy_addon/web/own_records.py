"""What the ledger has about the reader of a page: visits of some days, and who saw them by name.

Optional on a page: within a second, else the page says that it cannot be read now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import EVERYBODY, AuditEntry, Ledger, LedgerError
from proxy_addon.web.admin_service import OPTIONAL_TIMEOUT
from proxy_addon.web.ledger_executor import LedgerExecutor

UNMASK: Final = "unmask"  # the action of the audit by which somebody saw one person's name
FRESH: Final = 20.0  # seconds in which the same is not read again: a page keeps itself up to date
_KEPT: Final = 500  # people whose records are in memory for that long


class OwnRecords(NamedTuple):
    """`looks`: who saw the person by name, alone or with everybody, newest first."""

    visits: tuple[Visit, ...]
    looks: tuple[AuditEntry, ...]


class _Remembered(NamedTuple):
    at: float
    since: float
    records: OwnRecords


@dataclass(frozen=True, slots=True)
class RecordReader:
    """For one event loop. `is_up`: whether the ledger answers; `ledger` takes names."""

    ledger: Ledger
    executor: LedgerExecutor
    is_up: Callable[[], bool]
    _known: dict[str, _Remembered]

    @classmethod
    def of(
        cls, ledger: Ledger, executor: LedgerExecutor, is_up: Callable[[], bool]
    ) -> RecordReader:
        """With nothing read yet."""
        return cls(ledger, executor, is_up, {})

    async def read(self, person: str, since: float, until: float, now: float) -> OwnRecords | None:
        """Visits that end after `since` and begin before `until`, oldest first, and all looks; None
        while the ledger is away or slow."""
        known = self._known.get(person)
        if known is None or known.since != since or not 0 <= now - known.at < FRESH:
            if not self.is_up():
                return None
            try:
                found = await self.executor.run(lambda: self._read(person, since), OPTIONAL_TIMEOUT)
            except LedgerError:
                return None
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[person] = _Remembered(now, since, found)
        within = tuple(visit for visit in known.records.visits if visit.start < until)
        return known.records._replace(visits=within)

    def _read(self, person: str, since: float) -> OwnRecords:
        visits = tuple(self.ledger.visits(since, person=person))
        return OwnRecords(visits, self._looks(person))

    def _looks(self, person: str) -> tuple[AuditEntry, ...]:
        mine = [e for e in self.ledger.audit_log(subject=person) if e.action == UNMASK]
        found = [*mine, *self.ledger.audit_log(subject=EVERYBODY)]
        own = f"web:{person}"
        return tuple(
            sorted((e for e in found if e.actor != own), key=lambda entry: entry.at, reverse=True)
        )
