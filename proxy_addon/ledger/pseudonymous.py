"""Pseudonyms: names as keyed hashes, so that a stolen database names nobody.

With `privacy: {pseudonyms: true}` every name is mapped before it reaches the ledger, the journal or
the balances in memory. Who asks, by which role and what a page greets them with is still found by
the name, which stays in memory only. A pseudonym cannot be turned back; whoever has the key and a
list of names can look for the one that gives it (`allowance people unmask`). Mapping is idempotent,
because a pseudonym has a form that no name has: `p:` and sixteen letters, 80 bits of HMAC-SHA-256.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.core.types import Grant, Visit
from proxy_addon.identity.pseudonyms import Mask, PseudonymKeyError, Pseudonyms, read_key
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import (
    EVERYBODY,
    Acknowledgement,
    AuditEntry,
    History,
    Ledger,
    News,
    NoticeMeeting,
    NoticeVersion,
    Records,
    TimeRequest,
    Total,
)


def ledger_pseudonyms(ledger: Ledger, path: Path, now: float | None = None) -> Pseudonyms:
    """The pseudonyms of a ledger, by the key of a file. With `now` a ledger that has none yet gets
    a new key.

    The ledger remembers by which key they were made, so that a second proxy with a key of its own
    is refused instead of giving everybody a second balance. Raises PseudonymKeyError and
    LedgerError.
    """
    key_id = _key_id(ledger)
    names = Pseudonyms(read_key(path, make=now is not None and key_id is None))
    _require(key_id, names, path)
    if key_id is None and now is not None:
        _remember_key(ledger, names, now)
    return names


def require_same_key(ledger: Ledger, names: Pseudonyms, path: Path, now: float) -> None:
    """The same for pseudonyms by a key that was read from `path` before the ledger could be asked:
    a ledger that has no pseudonyms yet remembers this key. Raises PseudonymKeyError and
    LedgerError."""
    key_id = _key_id(ledger)
    _require(key_id, names, path)
    if key_id is None:
        _remember_key(ledger, names, now)


def _key_id(ledger: Ledger) -> str | None:
    """Which key the pseudonyms of a ledger were made with; None: it has none yet."""
    entries = ledger.audit_log(subject="rules")
    return next((each.detail for each in reversed(entries) if each.action == "pseudonyms"), None)


def _require(key_id: str | None, names: Pseudonyms, path: Path) -> None:
    if key_id is not None and key_id != names.key_id:
        raise PseudonymKeyError(
            f"{path}: the pseudonyms of this ledger were made with another key; copy that one from its proxy"
        )


def _remember_key(ledger: Ledger, names: Pseudonyms, now: float) -> None:
    ledger.audit(AuditEntry(now, "node:start", "pseudonyms", "rules", names.key_id))


class PseudonymLedger:
    """A `Ledger` over another one that receives no names: queries and rows are mapped to pseudonyms
    on the way in.

    Its results have pseudonyms. It has the methods of `Ledger` and no others, so that nothing is
    passed on unmasked.
    """

    def __init__(self, ledger: Ledger, names: Pseudonyms) -> None:
        self._ledger = ledger
        self.names = names

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """See `interface.Ledger`."""
        self._ledger.write_visits([masked(visit, self.names.of) for visit in visits])

    def visits(
        self, since: float, *, person: str | None = None, people: Collection[str] | None = None
    ) -> Iterable[Visit]:
        """See `interface.Ledger`."""
        some = None if people is None else {self.names.of(name) for name in people}
        return self._ledger.visits(since, person=self._maybe(person), people=some)

    def grants(self, valid_after: float, *, person: str | None = None) -> Sequence[Grant]:
        """See `interface.Ledger`."""
        return self._ledger.grants(valid_after, person=self._maybe(person))

    def add_grant(self, grant: Grant, *, actor: str) -> None:
        """See `interface.Ledger`."""
        self._ledger.add_grant(self._hidden(grant), actor=self.names.actor(actor))

    def take(self, grant: Grant, *, actor: str, most: int, since: float) -> bool:
        """See `interface.Ledger`."""
        masked_actor = self.names.actor(actor)
        return self._ledger.take(self._hidden(grant), actor=masked_actor, most=most, since=since)

    def ask(self, request: TimeRequest, *, most_open: int) -> bool:
        """See `interface.Ledger`."""
        return self._ledger.ask(
            replace(request, person=self.names.of(request.person)), most_open=most_open
        )

    def requests(
        self, *, person: str | None = None, status: str | None = None
    ) -> Sequence[TimeRequest]:
        """See `interface.Ledger`."""
        return self._ledger.requests(person=self._maybe(person), status=status)

    def decide(
        self, request: str, *, at: float, by: str, actor: str, grant: Grant | None, note: str = ""
    ) -> TimeRequest | None:
        """See `interface.Ledger`."""
        masked_grant = None if grant is None else self._hidden(grant)
        by, actor = self.names.of(by), self.names.actor(actor)
        return self._ledger.decide(
            request, at=at, by=by, actor=actor, grant=masked_grant, note=note
        )

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """See `interface.Ledger`."""
        return self._ledger.news(cursor, not_from=not_from)

    def audit(self, entry: AuditEntry) -> None:
        """See `interface.Ledger`. The subject is taken for a person, unless it is everybody."""
        everybody = entry.subject == EVERYBODY
        subject = EVERYBODY if everybody else self.names.of(entry.subject)
        self._ledger.audit(replace(entry, actor=self.names.actor(entry.actor), subject=subject))

    def audit_log(self, since: float = 0.0, *, subject: str | None = None) -> Sequence[AuditEntry]:
        """See `interface.Ledger`."""
        whose = subject if subject == EVERYBODY else self._maybe(subject)
        return self._ledger.audit_log(since, subject=whose)

    def histories(self, since: float) -> Iterable[History]:
        """See `interface.Ledger`."""
        return self._ledger.histories(since)

    def people(self, since: float) -> Collection[str]:
        """See `interface.Ledger`."""
        return self._ledger.people(since)

    def totals(self, start: float, end: float) -> Sequence[Total]:
        """See `interface.Ledger`."""
        return self._ledger.totals(start, end)

    def records(self, person: str) -> Records:
        """See `interface.Ledger`."""
        return self._ledger.records(self.names.of(person))

    def erase(
        self, erasure: Erasure, person: str, *, label: str, actor: str, reason: str
    ) -> Records:
        """See `interface.Ledger`. The marker becomes that of the pseudonym."""
        pseudonym, masked_actor = self.names.of(person), self.names.actor(actor)
        return self._ledger.erase(
            Erasure.of(pseudonym, erasure.at),
            pseudonym,
            label=label,
            actor=masked_actor,
            reason=reason,
        )

    def rules_in_force(self, digest: str, at: float, node: str) -> None:
        """See `interface.Ledger`."""
        self._ledger.rules_in_force(digest, at, node)

    def acknowledge(self, done: Acknowledgement) -> bool:
        """See `interface.Ledger`."""
        return self._ledger.acknowledge(replace(done, person=self.names.of(done.person)))

    def acknowledgements(
        self, *, person: str | None = None, notice: str | None = None
    ) -> Sequence[Acknowledgement]:
        """See `interface.Ledger`."""
        return self._ledger.acknowledgements(person=self._maybe(person), notice=notice)

    def meet(self, meeting: NoticeMeeting) -> None:
        """See `interface.Ledger`."""
        self._ledger.meet(replace(meeting, person=self.names.of(meeting.person)))

    def meetings(self, *, person: str | None = None) -> Sequence[NoticeMeeting]:
        """See `interface.Ledger`."""
        return self._ledger.meetings(person=self._maybe(person))

    def keep_notice(self, version: NoticeVersion) -> None:
        """See `interface.Ledger`."""
        self._ledger.keep_notice(version)

    def notice_versions(self, *, notice: str | None = None) -> Sequence[NoticeVersion]:
        """See `interface.Ledger`."""
        return self._ledger.notice_versions(notice=notice)

    def prune(
        self,
        before: float,
        *,
        batch: int = 5000,
        kept: Collection[ConfirmationInForce] | None = (),
    ) -> int:
        """See `interface.Ledger`."""
        return self._ledger.prune(before, batch=batch, kept=kept)

    def identity(self) -> str:
        """See `interface.Ledger`."""
        return self._ledger.identity()

    def clock(self) -> float | None:
        """See `interface.Ledger`."""
        return self._ledger.clock()

    def check(self) -> None:
        """See `interface.Ledger`."""
        self._ledger.check()

    def close(self) -> None:
        """See `interface.Ledger`."""
        self._ledger.close()

    def _hidden(self, grant: Grant) -> Grant:
        granted_by = self.names.of(grant.granted_by)
        return replace(grant, person=self.names.of(grant.person), granted_by=granted_by)

    def _maybe(self, name: str | None) -> str | None:
        return None if name is None else self.names.of(name)


def masked(visit: Visit, mask: Mask) -> Visit:
    """A visit under the name that the ledger knows."""
    name = mask(visit.person)
    return visit if name == visit.person else replace(visit, person=name)
