"""A ledger that forgets when the process ends: for simulation, and for tests of what stands on a
ledger.

It keeps the whole contract of `proxy_addon.ledger.interface.Ledger`; the tests run it beside the
databases. Several nodes of one process may share one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from math import inf
from secrets import token_hex
from threading import Lock

from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.erasure import ERASURES_KEPT, Erasure
from proxy_addon.ledger.interface import (
    AUDIT_LONGER,
    REFUSED,
    Acknowledgement,
    AuditEntry,
    History,
    News,
    NoticeMeeting,
    NoticeVersion,
    Records,
    TimeRequest,
    Total,
)
from tests.ledger.memory_notices import MemoryNotices
from tests.ledger.memory_rows import as_actor, ids, refuse_backwards


class MemoryLedger:
    """`proxy_addon.ledger.interface.Ledger` in dictionaries under one lock; the cursor counts
    writes."""

    def __init__(self) -> None:
        self._identity = token_hex(16)
        self._lock = Lock()
        self._writes = 0
        self._visits: dict[str, tuple[int, Visit]] = {}  # id -> (number of the write, row)
        self._grants: dict[str, tuple[int, Grant]] = {}
        self._requests: dict[str, TimeRequest] = {}
        self._audit: list[AuditEntry] = []
        self._erasures: dict[str, tuple[int, Erasure]] = {}
        self._notices = MemoryNotices(self._number)

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """Insert or update all or none; a row whose stored `rev` is equal or higher is left
        alone."""
        for visit in visits:
            refuse_backwards(visit.id, visit.start, visit.end)
        with self._lock:
            signs = [erasure for _, erasure in self._erasures.values()]
            for visit in visits:
                if any(visit.start < sign.at and sign.names(visit.person) for sign in signs):
                    continue
                stored = self._visits.get(visit.id)
                if stored is None or stored[1].rev < visit.rev:
                    self._visits[visit.id] = (self._number(), visit)

    def visits(
        self, since: float, *, person: str | None = None, people: Collection[str] | None = None
    ) -> Iterable[Visit]:
        """Visits that end after `since`, oldest start first; optionally of one person or of
        some."""
        with self._lock:
            found = [visit for _, visit in self._visits.values() if visit.end > since]
        if person is not None:
            found = [visit for visit in found if visit.person == person]
        if people is not None:
            names = frozenset(people)
            found = [visit for visit in found if visit.person in names]
        return sorted(found, key=lambda visit: (visit.start, visit.id))

    def histories(self, since: float) -> Iterable[History]:
        """The same visits of everybody, one history for each person."""
        found: dict[str, list[Visit]] = {}
        for visit in self.visits(since):
            found.setdefault(visit.person, []).append(visit)
        return [
            History(person, max(visit.end for visit in visits), visits.copy)
            for person, visits in found.items()
        ]

    def people(self, since: float) -> Collection[str]:
        """Names of those with a visit that ends after `since`, each once."""
        return {visit.person for visit in self.visits(since)}

    def totals(self, start: float, end: float) -> Sequence[Total]:
        """Seconds by person, platform and allowance; what overlaps is counted once."""
        with self._lock:
            visits = [visit for _, visit in self._visits.values()]
        cut = [(max(visit.start, start), min(visit.end, end), visit) for visit in visits]
        reached: dict[tuple[str, str | None], float] = {}
        found: dict[tuple[str, str, str | None], float] = defaultdict(float)
        for since, until, visit in sorted(
            (each for each in cut if each[0] < each[1]), key=lambda each: each[:2]
        ):
            key = (visit.person, visit.allowance)
            known = reached.get(key, since)
            found[visit.person, visit.platform, visit.allowance] += max(until, known) - max(
                since, known
            )
            reached[key] = max(until, known)
        return [Total(*key, seconds) for key, seconds in found.items() if seconds > 0]

    def grants(self, valid_after: float, *, person: str | None = None) -> Sequence[Grant]:
        """Grants that expire after `valid_after`, oldest first."""
        with self._lock:
            found = [grant for _, grant in self._grants.values() if grant.expires > valid_after]
        if person is not None:
            found = [grant for grant in found if grant.person == person]
        return sorted(found, key=lambda grant: (grant.created, grant.id))

    def add_grant(self, grant: Grant, *, actor: str) -> None:
        """Store a grant and its audit entry; the same id again changes nothing."""
        refuse_backwards(grant.id, grant.created, grant.expires)
        with self._lock:
            erased = self._is_erased(grant.person, grant.created)
            if not erased and grant.id not in self._grants:
                self._grants[grant.id] = (self._number(), grant)
                self._audit.append(AuditEntry.of_grant(grant, actor))

    def take(self, grant: Grant, *, actor: str, most: int, since: float) -> bool:
        """Store an urgent grant, unless the person has taken `most` since `since` already."""
        refuse_backwards(grant.id, grant.created, grant.expires)
        with self._lock:
            if self._is_erased(grant.person, grant.created):
                return False
            if grant.id in self._grants:
                return True
            taken = [
                each
                for _, each in self._grants.values()
                if each.is_urgent and each.person == grant.person and each.created >= since
            ]
            if len(taken) >= most:
                return False
            self._grants[grant.id] = (self._number(), grant)
            self._audit.append(AuditEntry.of_grant(grant, actor))
            return True

    def ask(self, request: TimeRequest, *, most_open: int) -> bool:
        """Store an open request for more, unless the person has `most_open` open ones already."""
        with self._lock:
            if self._is_erased(request.person, request.created):
                return False
            if request.id in self._requests:
                return True
            own = [each for each in self._requests.values() if each.person == request.person]
            if sum(each.status == "open" for each in own) >= most_open:
                return False
            self._requests[request.id] = request
            return True

    def requests(
        self, *, person: str | None = None, status: str | None = None
    ) -> Sequence[TimeRequest]:
        """Requests for more, oldest first; optionally of one person, or of one status."""
        with self._lock:
            found = [self._with_outcome(each) for each in self._requests.values()]
        if person is not None:
            found = [each for each in found if each.person == person]
        if status is not None:
            found = [each for each in found if each.status == status]
        return sorted(found, key=lambda each: (each.created, each.id))

    def decide(
        self, request: str, *, at: float, by: str, actor: str, grant: Grant | None, note: str = ""
    ) -> TimeRequest | None:
        """Close an open request, with its grant or without one."""
        with self._lock:
            asked = self._requests.get(request)
            if asked is None or asked.status != "open":
                return None
            status, given = ("refused", None) if grant is None else ("granted", grant.id)
            closed = replace(asked, status=status, decided=at, decided_by=by, grant=given)
            self._requests[request] = closed
            if grant is None:
                self._audit.append(AuditEntry.of_refusal(closed, at, actor, note))
            elif grant.id not in self._grants:
                self._grants[grant.id] = (self._number(), grant)
                self._audit.append(AuditEntry.of_grant(grant, actor))
            return self._with_outcome(closed)

    def _with_outcome(self, request: TimeRequest) -> TimeRequest:
        """A request with what stands elsewhere: the note in the audit, the end in the grant."""
        _, grant = self._grants.get(request.grant or "", (0, None))
        if grant is None and request.grant is not None:
            request = replace(request, grant=None)
        notes = (
            entry.note_for(request)
            for entry in self._audit
            if request.status == "refused"
            and (entry.subject, entry.at, entry.action)
            == (request.person, request.decided, REFUSED)
        )
        return replace(
            request, until=None if grant is None else grant.expires, note=next(notes, "")
        )

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """Visits (of other nodes than `not_from`) and grants written since `cursor` (0 = the
        beginning)."""
        with self._lock:
            if self._writes < cursor < inf:
                cursor = (
                    0.0  # not one of ours: repeating all is allowed, leaving something out is not
                )
            visits = (visit for number, visit in self._visits.values() if number > cursor)
            grants = (grant for number, grant in self._grants.values() if number > cursor)
            fresh = tuple(visit for visit in visits if visit.node != not_from)
            signs = tuple(erasure for number, erasure in self._erasures.values() if number > cursor)
            done, met = (
                self._notices.acknowledgements(after=cursor),
                self._notices.meetings(after=cursor),
            )
            return News(fresh, tuple(grants), float(self._writes), signs, tuple(done), tuple(met))

    def acknowledge(self, done: Acknowledgement) -> bool:
        """Store a confirmation and its audit entry, unless an equal or a later one is there."""
        with self._lock:
            if self._is_erased(done.person, done.at) or not self._notices.acknowledge(done):
                return False
            self._audit.append(AuditEntry.of_acknowledgement(done))
            return True

    def acknowledgements(
        self, *, person: str | None = None, notice: str | None = None
    ) -> Sequence[Acknowledgement]:
        """Confirmations, oldest first; optionally of one person, or of one notice."""
        with self._lock:
            return self._notices.acknowledgements(person, notice)

    def meet(self, meeting: NoticeMeeting) -> None:
        """Store a meeting, or merge it with the stored one."""
        with self._lock:
            if not self._is_erased(meeting.person, meeting.first):
                self._notices.meet(meeting)

    def meetings(self, *, person: str | None = None) -> Sequence[NoticeMeeting]:
        """Meetings, oldest first; optionally of one person."""
        with self._lock:
            return self._notices.meetings(person)

    def keep_notice(self, version: NoticeVersion) -> None:
        """Store the texts of a notice; the same digest again changes nothing."""
        with self._lock:
            self._notices.keep(version)

    def notice_versions(self, *, notice: str | None = None) -> Sequence[NoticeVersion]:
        """The texts that are kept, oldest first; optionally of one notice."""
        with self._lock:
            return self._notices.versions(notice)

    def _is_erased(self, person: str, at: float) -> bool:
        return any(at < sign.at and sign.names(person) for _, sign in self._erasures.values())

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

    def records(self, person: str) -> Records:
        """Everything about one person."""
        visits, grants = self.visits(-inf, person=person), self.grants(-inf, person=person)
        names = as_actor(person)
        audit = tuple(
            entry for entry in self.audit_log() if entry.subject == person or entry.actor in names
        )
        return Records(
            tuple(visits),
            tuple(grants),
            tuple(self.requests(person=person)),
            tuple(self.acknowledgements(person=person)),
            tuple(self.meetings(person=person)),
            audit,
        )

    def erase(
        self, erasure: Erasure, person: str, *, label: str, actor: str, reason: str
    ) -> Records:
        """Delete everything about a person; what was there before."""
        found = self.records(person)
        names = as_actor(person)
        word = re.compile(rf"(?<!\w){re.escape(person)}(?!\w)", re.IGNORECASE)

        def renamed(entry: AuditEntry) -> AuditEntry:
            if entry.subject == person:
                entry = replace(entry, subject=label, detail="")
            if entry.actor in names:
                entry = replace(entry, actor=entry.actor.removesuffix(person) + label)
            return replace(entry, detail=word.sub(label, entry.detail))

        with self._lock:
            self._erasures[erasure.id] = (self._number(), erasure)
            self._visits = {
                key: row for key, row in self._visits.items() if row[1].person != person
            }
            self._grants = {
                key: row for key, row in self._grants.items() if row[1].person != person
            }
            self._notices.erase(person)
            for key, (number, grant) in self._grants.items():
                doer = label if grant.granted_by == person else grant.granted_by
                told = replace(grant, granted_by=doer, reason=word.sub(label, grant.reason))
                self._grants[key] = (number, told)
            self._requests = {
                key: replace(
                    each,
                    decided_by=label if each.decided_by == person else each.decided_by,
                    reason=word.sub(label, each.reason),
                )
                for key, each in self._requests.items()
                if each.person != person
            }
            self._audit = [renamed(entry) for entry in self._audit]
            counted = ", ".join(f"{count} {what}" for what, count in found.counts.items())
            self._audit.append(
                renamed(AuditEntry(erasure.at, actor, "erase", label, f"{counted}: {reason}"))
            )
        return found

    def rules_in_force(self, digest: str, at: float, node: str) -> None:
        """Audited where the last entry about rules has another digest."""
        with self._lock:
            last = next(
                (entry.detail for entry in reversed(self._audit) if entry.subject == "rules"), None
            )
            if last != digest:
                self._audit.append(AuditEntry(at, f"node:{node}", "rules", "rules", digest))

    def prune(
        self,
        before: float,
        *,
        batch: int = 5000,
        kept: Collection[ConfirmationInForce] | None = (),
    ) -> int:
        """Delete what ended before `before`; the count. All in one batch."""
        with self._lock:
            stays = [entry for entry in self._audit if entry.at >= before - AUDIT_LONGER]
            old_audit = len(self._audit) - len(stays)
            self._audit = stays
            old_signs = ids(self._erasures, lambda sign: sign.at < before - ERASURES_KEPT)
            for sign in old_signs:
                del self._erasures[sign]
            old_visits = ids(self._visits, lambda visit: visit.end < before)
            old_grants = ids(self._grants, lambda grant: grant.expires < before)
            old_requests = [key for key, each in self._requests.items() if each.created < before]
            for request in old_requests:
                del self._requests[request]
            for visit_id in old_visits:
                del self._visits[visit_id]
            for grant_id in old_grants:
                del self._grants[grant_id]
            notices = 0 if kept is None else self._notices.prune(before, kept)
        return notices + sum(
            (len(old_visits), len(old_grants), len(old_requests), old_audit, len(old_signs))
        )

    def identity(self) -> str:
        """The id of this ledger."""
        return self._identity

    def clock(self) -> float | None:
        """None: memory is on this host."""
        return None

    def check(self) -> None:
        """Memory can always be written to."""

    def close(self) -> None:
        """Nothing is held."""

    def _number(self) -> int:
        self._writes += 1
        return self._writes
