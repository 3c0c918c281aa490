"""The ledger as a protocol, its values, and the errors that it raises."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.core.notices.notice import major_of
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.erasure import Erasure


class LedgerError(Exception):
    """Base: the ledger did not do what was asked. The message names the database and the remedy.

    `kind` is one stable word for metrics: locked, full, unreachable, slow, schema, …
    """

    def __init__(self, message: str, *, kind: str = "other") -> None:
        super().__init__(message)
        self.kind = kind


class LedgerUnavailable(LedgerError):
    """It may work again later: locked, full, unreachable, slow."""


class LedgerUnusable(LedgerError):
    """It will not work until a person fixes it: wrong URL, wrong password, newer schema, another
    program's tables."""


class LedgerRefused(LedgerError):
    """These rows are not taken; others may be. Nothing of the call was stored."""


@dataclass(frozen=True, slots=True)
class History:
    """The visits of one person, packed: at a start there are thousands of people, and few of them
    come at once.

    `latest` is the end of the last visit; `unpack` gives the visits in no order, as often as it is
    called.
    """

    person: str
    latest: float
    unpack: Callable[[], Sequence[Visit]]


@dataclass(frozen=True, slots=True)
class Total:
    """Seconds of one person on one platform, charged to one allowance (None: free time)."""

    person: str
    platform: str
    allowance: str | None
    seconds: float


class PlainVisit(NamedTuple):
    """What a report needs of a visit; `allowance` is None for free time. Instants. `estimated`:
    free time in tunnels that were not opened."""

    person: str
    platform: str
    allowance: str | None
    rule: str | None
    start: float
    end: float
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class TimeRequest:
    """A person asked for more time; `status` is open, granted or refused. Instants, seconds.

    `note` is the explanation given with a refusal, `until` when what was granted ends. Neither is
    stored with the request: the first is in the audit, the second in the grant, and each is empty
    once that was deleted.
    """

    id: str
    person: str
    allowance: str
    seconds: float
    reason: str
    status: str
    created: float
    decided: float | None = None
    decided_by: str | None = None
    grant: str | None = None
    until: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person has confirmed the text with this digest, by which page ("gate", "policy", …). No
    signature: it says that they pressed a button at the instant `at`."""

    person: str
    notice: str
    version: str
    digest: str
    at: float
    page: str

    @property
    def major(self) -> int:
        """The number before the dot of the version."""
        return major_of(self.version)


@dataclass(frozen=True, slots=True)
class NoticeMeeting:
    """A person has met a version of a notice: `first` when, `later` the instant before which they
    are not asked again; 0 where that was never said."""

    person: str
    notice: str
    major: int
    first: float
    later: float = 0.0


@dataclass(frozen=True, slots=True)
class NoticeVersion:
    """The texts of a notice by language, as Markdown, and the instant at which they were first in
    force: what somebody read can be shown later."""

    digest: str
    notice: str
    version: str
    at: float
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class News:
    """What others wrote since `cursor`: rows may repeat, order is not promised. `cursor` is
    opaque."""

    visits: tuple[Visit, ...]
    grants: tuple[Grant, ...]
    cursor: float
    erasures: tuple[Erasure, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    meetings: tuple[NoticeMeeting, ...] = ()


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that the ledger has about one person; `audit` is by or about them. Oldest
    first."""

    visits: tuple[Visit, ...] = ()
    grants: tuple[Grant, ...] = ()
    requests: tuple[TimeRequest, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    meetings: tuple[NoticeMeeting, ...] = ()
    audit: tuple[AuditEntry, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {
            "visits": len(self.visits),
            "grants": len(self.grants),
            "requests": len(self.requests),
            "acknowledgements": len(self.acknowledgements),
            "notices shown": len(self.meetings),
            "audit entries": len(self.audit),
        }


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom, when. `detail` is short text, never a URL."""

    at: float
    actor: str
    action: str
    subject: str
    detail: str = ""

    @classmethod
    def of_grant(cls, grant: Grant, actor: str) -> AuditEntry:
        """The entry that every ledger writes beside a new grant."""
        if grant.resets:
            return cls(
                grant.created, actor, "reset", grant.person, f"{grant.allowance}: {grant.reason}"
            )
        detail = f"{grant.allowance} {grant.seconds:.12g} s: {grant.reason}"
        action = "urgent" if grant.is_urgent else "grant"
        return cls(grant.created, actor, action, grant.person, detail)

    @classmethod
    def of_refusal(cls, request: TimeRequest, at: float, actor: str, note: str) -> AuditEntry:
        """The entry that every ledger writes when a request for more is refused; it holds the
        note."""
        return cls(at, actor, REFUSED, request.person, f"{_asked_for(request)}{note}")

    @classmethod
    def of_acknowledgement(cls, done: Acknowledgement) -> AuditEntry:
        """The entry that every ledger writes beside a confirmation."""
        detail = f"{done.notice} {done.version} by {done.page}: {done.digest}"
        return cls(done.at, f"web:{done.person}", "acknowledge", done.person, detail)

    def note_for(self, request: TimeRequest) -> str:
        """The explanation, in the entry about the refusal of `request`."""
        return self.detail.removeprefix(_asked_for(request))


def _asked_for(request: TimeRequest) -> str:
    return f"{request.allowance} {request.seconds:.12g} s: "


REFUSED = "refuse"  # the action of those entries
EVERYBODY = "everybody"  # the subject of entries about looks at many people at once


AUDIT_LONGER = 365 * 86_400.0  # seconds that the audit is kept beyond the retention of visits


def whole_milliseconds(instant: float) -> float:
    """The instant in whole milliseconds: what is written now is in force now, however the ledger
    rounds."""
    return math.floor(instant * 1000) / 1000


class Ledger(Protocol):
    """Durable facts. Every call may block and may raise LedgerError: never call it on the event
    loop.

    Safe to call from several threads. Writes are idempotent: the row with the higher `rev` stays.
    """

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """Insert or update in one transaction; a row whose stored `rev` is equal or higher is left
        alone."""

    def visits(
        self, since: float, *, person: str | None = None, people: Collection[str] | None = None
    ) -> Iterable[Visit]:
        """Visits that end after `since`, oldest start first; optionally of one person or of
        some."""

    def histories(self, since: float) -> Iterable[History]:
        """The same visits of everybody, one history for each person: quick to read, unpacked when
        needed."""

    def people(self, since: float) -> Collection[str]:
        """Names of those with a visit that ends after `since`, each once."""

    def totals(self, start: float, end: float) -> Sequence[Total]:
        """Everybody's seconds within `[start, end)`, in no order. What overlaps on an allowance is
        counted once, for the platform that was used first: the platforms of an allowance add up to
        what was spent."""

    def grants(self, valid_after: float, *, person: str | None = None) -> Sequence[Grant]:
        """Grants that expire after `valid_after`, oldest first."""

    def add_grant(self, grant: Grant, *, actor: str) -> None:
        """Store a grant and its audit entry; the same id again changes nothing, nor does a grant
        made before its person was erased."""

    def take(self, grant: Grant, *, actor: str, most: int, since: float) -> bool:
        """Store an urgent grant and its audit entry; False, and nothing is stored, when the person
        has taken `most` since the instant `since`, of whichever allowance, or was erased after the
        grant was made. The same id again changes nothing."""

    def ask(self, request: TimeRequest, *, most_open: int) -> bool:
        """Store an open request for more; False, and nothing is stored, when the person has
        `most_open` open ones already, or was erased after it was made. The same id again changes
        nothing."""

    def requests(
        self, *, person: str | None = None, status: str | None = None
    ) -> Sequence[TimeRequest]:
        """Requests for more, oldest first; optionally of one person, or of one status."""

    def decide(
        self, request: str, *, at: float, by: str, actor: str, grant: Grant | None, note: str = ""
    ) -> TimeRequest | None:
        """Close the open request of that id: granted with its grant, refused without one. One
        transaction with the grant and the audit entry of either. The request as it is now; None,
        and nothing changed, where none with that id is open."""

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """What was written since `cursor`; of visits those of other nodes than `not_from`.

        0 is the beginning. Infinity reads nothing and gives the current cursor: taken before the
        visits of the past are loaded, it makes sure that nothing is missed in between.
        """

    def audit(self, entry: AuditEntry) -> None:
        """Append to the audit."""

    def audit_log(self, since: float = 0.0, *, subject: str | None = None) -> Sequence[AuditEntry]:
        """Audit entries, oldest first."""

    def records(self, person: str) -> Records:
        """Everything about one person, the audit entries that name them as actor or subject
        included."""

    def erase(
        self, erasure: Erasure, person: str, *, label: str, actor: str, reason: str
    ) -> Records:
        """Delete everything about a person, in one transaction; what was there before.

        Where others' rows name them (as actor, in a reason) `label` takes its place. The erasure is
        audited under that label, reaches the other proxies as news, and visits of the person that
        began before it are taken no more: `write_visits` leaves them out silently.
        """

    def rules_in_force(self, digest: str, at: float, node: str) -> None:
        """Rules came into force on a node: kept, and audited where the last entry has another
        digest."""

    def acknowledge(self, done: Acknowledgement) -> bool:
        """Store a confirmation and its audit entry. A later one of the same text by the same person
        takes the place of the stored one. False, and nothing is changed, where an equal or a later
        one is there, or the person was erased since."""

    def acknowledgements(
        self, *, person: str | None = None, notice: str | None = None
    ) -> Sequence[Acknowledgement]:
        """Confirmations, oldest first; optionally of one person, or of one notice."""

    def meet(self, meeting: NoticeMeeting) -> None:
        """Store a meeting, or merge it with the stored one: the earliest `first` and the greatest
        `later` stay. Changes nothing for a person who was erased since `first`."""

    def meetings(self, *, person: str | None = None) -> Sequence[NoticeMeeting]:
        """Meetings, oldest first; optionally of one person."""

    def keep_notice(self, version: NoticeVersion) -> None:
        """Store the texts of a notice; the same digest again changes nothing."""

    def notice_versions(self, *, notice: str | None = None) -> Sequence[NoticeVersion]:
        """The texts that are kept, oldest first; optionally of one notice."""

    def prune(
        self,
        before: float,
        *,
        batch: int = 5000,
        kept: Collection[ConfirmationInForce] | None = (),
    ) -> int:
        """Delete what ended before `before`, in small batches; the count.

        Visits, expired grants, requests that were made before, and audit entries that are
        `AUDIT_LONGER` older still. Confirmations and meetings go as well, unless they are among
        those in force (`kept`; None: nobody knows which, so all stay). Texts of a notice go when
        they are as old as the audit, are not in force, and no confirmation has their digest.
        """

    def identity(self) -> str:
        """The id of this ledger: 32 hexadecimal digits, written into it when it was made, carried
        along by `allowance db copy`, backups and replication. The same wherever it moves to."""

    def clock(self) -> float | None:
        """The instant that the database server's clock shows now; None where that is the clock of
        this host. The answer is as old as its way back: half the time of the call or so."""

    def check(self) -> None:
        """Raise LedgerError unless the database can be written to now and has our schema."""

    def close(self) -> None:
        """Release every connection. Safe to call twice."""
