"""The ledger in a database: SQLite or Postgres, by one path through the code."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row, select, text

from db import audit, late, notices, personal_data, time_requests
from db.address import parse
from db.columns import GRANT, VISIT, grant_values, visit_values
from db.connections import LedgerConnections
from db.engine import VERSION_TABLE, require_head, schema_version, server_version
from db.errors import translated
from db.identity import identity
from db.in_flight import notify
from db.models import (
    AcknowledgementRow,
    AuditRow,
    GrantRow,
    NoticeMeetingRow,
    NoticeVersionRow,
    TimeRequestRow,
    VisitRow,
)
from db.news_query import news
from db.people_query import people
from db.pseudonymise import PseudonymFunction, mask_names
from db.report_query import stretches
from db.retention import prune
from db.sqlite import empty_wal
from db.startup_query import histories
from db.totals_query import totals
from db.types import database_now
from db.upserts import insert_grant, upsert_visits
from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.core.types import Grant, Visit
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import (
    Acknowledgement,
    AuditEntry,
    History,
    LedgerUnavailable,
    News,
    NoticeMeeting,
    NoticeVersion,
    PlainVisit,
    Records,
    TimeRequest,
    Total,
)

PEOPLE_AT_ONCE = 1000  # names in one query; SQLite takes 32,766 parameters, Postgres 65,535


class SqlLedger:
    """`proxy_addon.ledger.interface.Ledger` over SQLite or Postgres; `node` names this proxy in its
    sessions.

    Opening it touches nothing: `db.upgrade.upgrade` makes the tables, `check` raises unless all
    works. `permit` is called before each query and may raise LedgerError. `listen_url` is that of
    the server itself, where `url` is that of a pooler.
    """

    def __init__(
        self,
        url: str,
        node: str,
        permit: Callable[[], None] = lambda: None,
        *,
        listen_url: str = "",
    ) -> None:
        self._address = parse(url)
        self._listen_address = parse(listen_url) if listen_url else self._address
        self.place = self._address.place
        self._connections = LedgerConnections(self._address, node, permit)
        self._reading, self._writing = self._connections.reading, self._connections.writing
        self._node = node
        self._totalling = (
            threading.Lock()
        )  # one report at a time, or the writer would find no connection
        self._listener: Any = None
        self._schema = ""  # its revision, once it was looked at
        self._upsert = upsert_visits(self._connections.engine.dialect.name)
        self._insert_grant = insert_grant(self._connections.engine.dialect.name)

    def write_visits(self, visits: Sequence[Visit]) -> None:
        """Insert or update in one transaction; a row whose stored `rev` is equal or higher is left
        alone."""
        if not visits:
            return
        # In one order on all nodes, so that two of them never wait for each other.
        in_order = sorted(visits, key=lambda visit: (visit.id, visit.rev))
        try:
            self._write(in_order)
        except LedgerUnavailable as problem:
            if problem.kind != "read-only":
                raise
            # That connection may be older than the new primary; now all of them are thrown away.
            self._write(in_order)

    def _write(self, visits: Sequence[Visit]) -> None:
        with self._writing() as connection:
            rows = [
                visit_values(visit) for visit in personal_data.without_erased(connection, visits)
            ]
            if rows:
                connection.execute(self._upsert, rows)
                notify(connection, self._node)

    def visits(
        self, since: float, *, person: str | None = None, people: Collection[str] | None = None
    ) -> Iterable[Visit]:
        """Visits that end after `since`, oldest start first; optionally of one person or of
        some."""
        wanted = select(*VISIT).where(VisitRow.ended_at > since)
        if person is not None:
            wanted = wanted.where(VisitRow.person == person)
        queries = (
            [wanted]
            if people is None
            else [wanted.where(VisitRow.person.in_(some)) for some in _batches(people)]
        )
        with self._reading() as connection:
            found = [_visit(row) for query in queries for row in connection.execute(query)]
        found.sort(key=lambda visit: (visit.start, visit.id))
        return found

    def histories(self, since: float) -> Iterable[History]:
        """The same visits of everybody, one history for each person: quick to read, unpacked when
        needed."""
        with self._reading() as connection:
            return list(histories(connection, since))

    def people(self, since: float) -> Collection[str]:
        """Names of those with a visit that ends after `since`, each once."""
        with self._reading() as connection:
            return list(people(connection, since))

    def totals(self, start: float, end: float) -> Sequence[Total]:
        """Everybody's seconds within `[start, end)`; what overlaps is counted once. See
        `Ledger.totals`."""
        with self._totalling:
            return totals(partial(self._reading, in_transaction=True), start, end)

    def stretches(self, start: float, end: float) -> Iterator[PlainVisit]:
        """Visits of everybody that touch `[start, end)`, person after person, read as they are
        asked for."""
        with self._reading(in_transaction=True) as connection:
            yield from stretches(connection, start, end)

    def grants(self, valid_after: float, *, person: str | None = None) -> Sequence[Grant]:
        """Grants that expire after `valid_after`, oldest first."""
        wanted = select(*GRANT).where(GrantRow.expires_at > valid_after)
        if person is not None:
            wanted = wanted.where(GrantRow.person == person)
        with self._reading() as connection:
            rows = connection.execute(wanted.order_by(GrantRow.created_at, GrantRow.id))
            return [_grant(row) for row in rows]

    def add_grant(self, grant: Grant, *, actor: str) -> None:
        """Store a grant and its audit entry; the same id again changes nothing, nor does a grant
        that comes late for somebody erased."""
        with self._writing() as connection:
            if personal_data.is_erased(connection, grant.person, grant.created):
                return
            is_new = connection.execute(self._insert_grant, grant_values(grant)).first()
            if is_new:
                notify(connection, self._node)
                audit.append(connection, AuditEntry.of_grant(grant, actor))

    def take(self, grant: Grant, *, actor: str, most: int, since: float) -> bool:
        """Store an urgent grant and its audit entry, unless the person has taken `most` since
        `since`. See `Ledger.take`."""
        with self._writing() as connection:
            erased = personal_data.is_erased(connection, grant.person, grant.created)
            if erased or not time_requests.may_take(connection, grant, most, since):
                return False
            if connection.execute(self._insert_grant, grant_values(grant)).first():
                notify(connection, self._node)
                audit.append(connection, AuditEntry.of_grant(grant, actor))
            return True

    def ask(self, request: TimeRequest, *, most_open: int) -> bool:
        """Store an open request for more, unless the person has `most_open` open ones already."""
        with self._writing() as connection:
            erased = personal_data.is_erased(connection, request.person, request.created)
            return not erased and time_requests.ask(connection, request, most_open)

    def requests(
        self, *, person: str | None = None, status: str | None = None
    ) -> Sequence[TimeRequest]:
        """Requests for more, oldest first; optionally of one person, or of one status."""
        wanted = [TimeRequestRow.person == person] if person is not None else []
        wanted += [TimeRequestRow.status == status] if status is not None else []
        with self._reading() as connection:
            return time_requests.requests(connection, *wanted)

    def decide(
        self, request: str, *, at: float, by: str, actor: str, grant: Grant | None, note: str = ""
    ) -> TimeRequest | None:
        """Close an open request, with its grant or without one. See `Ledger.decide`."""
        with self._writing() as connection:
            if not time_requests.close(connection, request, at, by, is_granted=grant is not None):
                return None
            if grant is None:
                time_requests.refused(connection, request, at, actor, note)
            elif connection.execute(self._insert_grant, grant_values(grant)).first():
                time_requests.granted(connection, request, grant.id)
                audit.append(connection, AuditEntry.of_grant(grant, actor))
                notify(connection, self._node)
            return time_requests.requests(connection, TimeRequestRow.id == request)[0]

    def news(self, cursor: float, *, not_from: str | None = None) -> News:
        """What others wrote since `cursor`. See `db.news_query` and `Ledger.news`."""
        with self._reading() as connection:
            return news(connection, cursor, not_from)

    def audit(self, entry: AuditEntry) -> None:
        """Append to the audit."""
        with self._writing() as connection:
            audit.append(connection, entry)

    def audit_log(self, since: float = 0.0, *, subject: str | None = None) -> Sequence[AuditEntry]:
        """Audit entries, oldest first."""
        wanted = select(*audit.AUDIT).where(AuditRow.at >= since)
        if subject is not None:
            wanted = wanted.where(AuditRow.subject == subject)
        with self._reading() as connection:
            rows = connection.execute(wanted.order_by(AuditRow.at, AuditRow.id))
            return [_entry(row) for row in rows]

    def records(self, person: str) -> Records:
        """Everything about one person, the audit entries that name them as actor or subject
        included."""
        with self._reading() as connection:
            return personal_data.records(connection, person)

    def erase(
        self, erasure: Erasure, person: str, *, label: str, actor: str, reason: str
    ) -> Records:
        """Delete everything about a person, in one transaction; what was there before."""
        with self._writing() as connection:
            notify(connection, self._node)
            found = personal_data.erase(connection, erasure, person, label, actor, reason)
        if self._address.is_sqlite:
            with translated(self.place):
                empty_wal(self._connections.engine)
        return found

    def mask_names(self, mask: PseudonymFunction, mask_actor: PseudonymFunction) -> int:
        """Replace all names by pseudonyms, in one transaction; how many names were changed."""
        with self._writing() as connection:
            return mask_names(connection, mask, mask_actor)

    def rules_in_force(self, digest: str, at: float, node: str) -> None:
        """Rules came into force on a node: kept, and audited where the last entry has another
        digest."""
        with self._writing() as connection:
            audit.rules_in_force(connection, digest, at, node)

    def acknowledge(self, done: Acknowledgement) -> bool:
        """Store a confirmation and its audit entry, unless an equal or a later one is there. See
        `Ledger.acknowledge`."""
        with self._writing() as connection:
            erased = personal_data.is_erased(connection, done.person, done.at)
            if erased or not notices.acknowledge(connection, done):
                return False
            audit.append(connection, AuditEntry.of_acknowledgement(done))
            notify(connection, self._node)
            return True

    def acknowledgements(
        self, *, person: str | None = None, notice: str | None = None
    ) -> Sequence[Acknowledgement]:
        """Confirmations, oldest first; optionally of one person, or of one notice."""
        row = AcknowledgementRow
        wanted = [row.person == person] if person is not None else []
        wanted += [row.notice == notice] if notice is not None else []
        with self._reading() as connection:
            return notices.acknowledgements(connection, *wanted)

    def meet(self, meeting: NoticeMeeting) -> None:
        """Store a meeting, or merge it with the stored one. See `Ledger.meet`."""
        with self._writing() as connection:
            erased = personal_data.is_erased(connection, meeting.person, meeting.first)
            if not erased and notices.meet(connection, meeting):
                notify(connection, self._node)

    def meetings(self, *, person: str | None = None) -> Sequence[NoticeMeeting]:
        """Meetings, oldest first; optionally of one person."""
        wanted = [NoticeMeetingRow.person == person] if person is not None else []
        with self._reading() as connection:
            return notices.meetings(connection, *wanted)

    def keep_notice(self, version: NoticeVersion) -> None:
        """Store the texts of a notice; the same digest again changes nothing."""
        with self._writing() as connection:
            notices.keep(connection, version)

    def notice_versions(self, *, notice: str | None = None) -> Sequence[NoticeVersion]:
        """The texts that are kept, oldest first; optionally of one notice."""
        wanted = [NoticeVersionRow.notice == notice] if notice is not None else []
        with self._reading() as connection:
            return notices.versions(connection, *wanted)

    def prune(
        self,
        before: float,
        *,
        batch: int = 5000,
        kept: Collection[ConfirmationInForce] | None = (),
    ) -> int:
        """Delete what ended before `before`, in small batches; the count. See `Ledger.prune`."""
        return prune(self._writing, before, batch, kept)

    def identity(self) -> str:
        """The id that was written into this ledger when it was made. See `Ledger.identity`."""
        with self._reading() as connection:
            return identity(connection, self.place)

    def clock(self) -> float | None:
        """The time of the database server now; None where that is this host. See `Ledger.clock`."""
        if self._address.is_sqlite:
            return None
        with self._reading() as connection:
            return float(connection.execute(select(database_now())).scalar_one())

    def check(self) -> None:
        """Raise LedgerError unless the database can be written to now and has our schema."""
        with self._reading() as connection:
            require_head(connection, self.place)
            self._schema = schema_version(connection)[0] or ""
        # A real write: a full disk or a read-only server lets everything pass but this.
        with self._writing() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = version_num"))  # noqa: S608

    def versions(self) -> Mapping[str, str]:
        """The revision of the schema and the version of the server, as far as they are known: after
        `check`. From memory."""
        found = {"schema": self._schema, "database": server_version(self._connections.engine)}
        return {name: version for name, version in found.items() if version}

    def listen(self, on_notification: Callable[[], None]) -> None:
        """From now on end calls that hang, and call `on_notification`, on a separate thread,
        whenever another node has written something. For long-running processes; does nothing on
        SQLite."""
        if not self._address.is_sqlite and self._listener is None:
            calls, changeovers = self._connections.calls, self._connections.changeovers
            self._listener = late.listener(
                self._listen_address, calls, self._node, on_notification, changeovers
            )

    def close(self) -> None:
        """Release every connection. Safe to call twice."""
        if self._listener is not None:
            self._listener.stop()
        self._connections.engine.dispose()


def _batches(people: Collection[str]) -> Iterator[Sequence[str]]:
    names = sorted(set(people))
    for first in range(0, len(names), PEOPLE_AT_ONCE):
        yield names[first : first + PEOPLE_AT_ONCE]


def _visit(row: Row[*tuple[Any, ...]]) -> Visit:
    return Visit(*row)


def _grant(row: Row[*tuple[Any, ...]]) -> Grant:
    return Grant(*row)


def _entry(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    return AuditEntry(*row)
