"""Confirmations of written policies, of every ledger: memory, SQLite and a real Postgres."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from math import inf

import pytest

from proxy_addon.core.notices.gate import ConfirmationInForce
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import (
    AUDIT_LONGER,
    Acknowledgement,
    AuditEntry,
    Ledger,
    LedgerUnavailable,
    NoticeMeeting,
    NoticeVersion,
)
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from tests.ledger import test_ledger_contract as contract
from tests.ledger.test_ledger_contract import START, visit

open_ledger, ledger = contract.open_ledger, contract.ledger
DAY = 86_400.0
IN_FORCE = ConfirmationInForce("social-media", 3, -inf)


def confirmed(at: float = START, **changes: object) -> Acknowledgement:
    """ana confirms version 3 at the gate."""
    made = Acknowledgement("ana", "social-media", "3", "d3", at, "gate")
    return replace(made, **changes)


def met(first: float = START, later: float = 0.0, **changes: object) -> NoticeMeeting:
    """ana meets version 3."""
    return replace(NoticeMeeting("ana", "social-media", 3, first, later), **changes)


def text(digest: str = "d3", at: float = START, **changes: object) -> NoticeVersion:
    """Version 3 in two languages, the office's own first."""
    texts = {"en": "# Social media\n\n{{ allowance }}", "de": "# Soziale Medien 🙂 \x00"}
    return replace(NoticeVersion(digest, "social-media", "3", at, texts), **changes)


def test_what_was_confirmed_is_read(ledger: Ledger) -> None:
    """Every field comes back, oldest first, of one person or one notice where that is asked for."""
    one = confirmed(START + 0.25, person="Zoë 🙂", version="3.1", page="policy")
    other = confirmed(notice="guests", digest="g1", version="1")
    assert [ledger.acknowledge(each) for each in (one, other)] == [True, True]
    assert list(ledger.acknowledgements()) == [other, one]
    assert list(ledger.acknowledgements(person="Zoë 🙂")) == [one]
    assert list(ledger.acknowledgements(notice="guests")) == [other]
    assert list(ledger.acknowledgements(notice="guests", person="bo")) == []
    assert ledger.records("ana").acknowledgements == (other,)


def test_confirmed_again(ledger: Ledger) -> None:
    """The same text again renews its date, never to an earlier one; each that is stored is audited
    once, with the person as the one who did it."""
    done = confirmed(START + 60)
    assert ledger.acknowledge(done)
    assert not ledger.acknowledge(done)
    assert not ledger.acknowledge(confirmed(START, page="policy"))
    assert list(ledger.acknowledgements()) == [done]
    again = confirmed(START + 90, page="policy")
    assert ledger.acknowledge(again)
    assert list(ledger.acknowledgements()) == [again]
    assert ledger.acknowledge(confirmed(START + 99, digest="d4", version="4"))
    assert list(ledger.audit_log(subject="ana")) == [
        AuditEntry(START + 60, "web:ana", "acknowledge", "ana", "social-media 3 by gate: d3"),
        AuditEntry(START + 90, "web:ana", "acknowledge", "ana", "social-media 3 by policy: d3"),
        AuditEntry(START + 99, "web:ana", "acknowledge", "ana", "social-media 4 by gate: d4"),
    ]


def test_two_nodes_confirm_at_once(open_ledger: contract.Open) -> None:
    """Of several who store the same confirmation at the same moment one does; of different dates
    the latest stays."""
    ledgers = [open_ledger() for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda n: ledgers[n % 4].acknowledge(confirmed()), range(16)))
        assert sum(done) == len(ledgers[0].audit_log()) == 1
        later = list(
            threads.map(lambda n: ledgers[n % 4].acknowledge(confirmed(START + n)), range(1, 17))
        )
    assert list(ledgers[1].acknowledgements()) == [confirmed(START + 16)]
    assert len(ledgers[1].audit_log()) == 1 + sum(later)


def test_meetings_are_merged(ledger: Ledger) -> None:
    """The earliest first meeting and the greatest "later" stay, whatever the order; versions and
    notices are apart. An end that never comes is the last instant that can be stored."""
    for each in (met(START + 5, START + 50), met(START, START + 10), met(START + 9)):
        ledger.meet(each)
    others = [met(START + 1, major=4), met(START + 2, notice="guests"), met(START + 3, person="bo")]
    for each in others:
        ledger.meet(each)
    assert list(ledger.meetings()) == [met(START, START + 50), *others]
    assert list(ledger.meetings(person="bo")) == [others[2]]
    assert ledger.records("ana").meetings == (met(START, START + 50), *others[:2])
    ledger.meet(met(START, inf, person="cy"))
    assert ledger.meetings(person="cy")[0].later > 2e11


def test_many_meet_at_once(open_ledger: contract.Open) -> None:
    """Meetings that several nodes store at the same moment are one."""
    ledgers = [open_ledger() for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: ledgers[n % 4].meet(met(START - n, START + n)), range(16)))
    assert list(ledgers[0].meetings()) == [met(START - 15, START + 15)]


def test_texts_are_kept_once(ledger: Ledger) -> None:
    """A digest is stored once, with all its languages in their order; of one notice or of all."""
    ledger.keep_notice(text())
    ledger.keep_notice(text(at=START + 9, texts={}))
    ledger.keep_notice(text("g1", START - 1, notice="guests", version="1"))
    assert [each.digest for each in ledger.notice_versions()] == ["g1", "d3"]
    (kept,) = ledger.notice_versions(notice="social-media")
    assert kept == text()
    assert list(kept.texts) == ["en", "de"]


def test_confirmations_are_news(open_ledger: contract.Open) -> None:
    """Another node hears of confirmations and meetings after its cursor, and of each change."""
    writer, reader = open_ledger(), open_ledger()
    cursor = reader.news(inf).cursor
    assert (reader.news(inf).acknowledgements, reader.news(inf).meetings) == ((), ())
    writer.acknowledge(confirmed())
    writer.meet(met())
    news = reader.news(cursor, not_from="a")
    assert (news.acknowledgements, news.meetings) == ((confirmed(),), (met(),))
    writer.acknowledge(confirmed(START + 1))
    writer.meet(met(START, START + 9))
    news = reader.news(news.cursor, not_from="a")
    assert confirmed(START + 1) in news.acknowledgements
    assert met(START, START + 9) in news.meetings


def test_no_confirmation_is_missed_while_others_write(open_ledger: contract.Open) -> None:
    """A reader that follows the cursor while several nodes confirm hears of every one."""
    reader, writers = open_ledger(), [open_ledger() for _ in range(3)]
    heard: set[str] = set()
    met_by: set[str] = set()

    def store(write: Callable[[], object]) -> None:
        """As those do who call a ledger: one that is locked for long is asked again."""
        while True:
            with suppress(LedgerUnavailable):
                write()
                return

    def write(worker: int) -> None:
        for number in range(20):
            person = f"p{worker}-{number}"
            store(partial(writers[worker].acknowledge, confirmed(person=person)))
            store(partial(writers[worker].meet, met(person=person)))

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(write, worker) for worker in range(3)]
        cursor, last_round = 0.0, False
        while not last_round:
            last_round = all(each.done() for each in running)
            news = reader.news(cursor)
            heard.update(done.person for done in news.acknowledgements)
            met_by.update(meeting.person for meeting in news.meetings)
            cursor = news.cursor
        for each in running:
            each.result()
    assert heard == met_by == {f"p{worker}-{number}" for worker in range(3) for number in range(20)}


def test_what_is_in_force_outlives_retention(ledger: Ledger) -> None:
    """A confirmation of the major version in force or a later one stays while `again_after` lasts;
    others go with the retention, as if nobody had ever confirmed them."""
    rows = [
        confirmed(START, digest="d2", version="2.9"),
        confirmed(START + 1),
        confirmed(START + 2, digest="d10", version="10"),
        confirmed(START + 3, digest="g1", notice="guests", version="7"),
        confirmed(START + 9 * DAY, digest="g2", notice="guests", version="7"),
    ]
    for row in rows:
        ledger.acknowledge(row)
    before = START + 5 * DAY
    assert ledger.prune(before, kept=None) == 0
    kept = [IN_FORCE, ConfirmationInForce("other", 1, -inf)]
    assert ledger.prune(before, batch=1, kept=kept) == 2
    assert list(ledger.acknowledgements()) == [rows[1], rows[2], rows[4]]
    assert ledger.prune(before, kept=[IN_FORCE._replace(since=START + 2)]) == 1
    assert list(ledger.acknowledgements()) == [rows[2], rows[4]]
    assert ledger.prune(before) == 1
    assert list(ledger.acknowledgements()) == [rows[4]]


def test_meetings_in_force_outlive_retention(ledger: Ledger) -> None:
    """A meeting with the version in force stays; with any other it goes by its first instant."""
    rows = [met(START), met(START + 1, inf, major=2), met(START + 2, major=4), met(START + 9 * DAY)]
    rows[3] = replace(rows[3], notice="guests")
    for row in rows:
        ledger.meet(row)
    assert ledger.prune(START + 5 * DAY, kept=[IN_FORCE]) == 2
    assert list(ledger.meetings()) == [rows[0], rows[3]]
    assert ledger.prune(START + 5 * DAY) == 1
    assert list(ledger.meetings()) == [rows[3]]


def test_texts_outlive_their_confirmations(ledger: Ledger) -> None:
    """A text stays while a confirmation has its digest, while it is in force, and as long as the
    audit."""
    old = [text(), text("d2", version="2"), text("d1", version="1")]
    for row in old:
        ledger.keep_notice(row)
    ledger.acknowledge(confirmed(START + 9 * DAY, digest="d2", version="2"))
    assert ledger.prune(START + AUDIT_LONGER, kept=[IN_FORCE]) == 1  # the confirmation goes
    ledger.acknowledge(confirmed(START + 2 * AUDIT_LONGER, digest="d2", version="2"))
    assert ledger.prune(START + AUDIT_LONGER + 1, kept=[IN_FORCE]) == 1
    assert {row.digest for row in ledger.notice_versions()} == {"d3", "d2"}
    assert ledger.prune(START + AUDIT_LONGER + 1) == 1
    assert [row.digest for row in ledger.notice_versions()] == ["d2"]


def test_erasure_takes_confirmations(open_ledger: contract.Open) -> None:
    """After an erasure neither they nor what comes late from before it is there: a visit of a late
    journal, a confirmation on its way, a meeting that a node remembers. What is done afterwards
    counts, and others are not concerned."""
    first, second = open_ledger(), open_ledger()
    for person in ("ana", "bo"):
        first.acknowledge(confirmed(person=person))
        first.meet(met(person=person))
    now = START + 3600.0
    erased = first.erase(
        Erasure.of("ana", now), "ana", label="erased:1", actor="cli:ada", reason="asked"
    )
    assert (erased.counts["acknowledgements"], erased.counts["notices shown"]) == (1, 1)
    second.write_visits([visit(1)])
    assert not second.acknowledge(confirmed(now - 1, digest="d4"))
    second.meet(met(now - 1, now + DAY))
    assert not any(second.records("ana").counts.values())
    assert [row.person for row in second.acknowledgements()] == ["bo"]
    assert [row.person for row in second.meetings()] == ["bo"]
    (entry,) = second.audit_log(subject="erased:1")[:1]
    assert (entry.actor, entry.action, entry.detail) == ("web:erased:1", "acknowledge", "")
    assert second.acknowledge(confirmed(now))
    second.meet(met(now))
    assert second.records("ana").counts["acknowledgements"] == 1
    assert list(first.meetings(person="ana")) == [met(now)]


def test_erasing_while_others_confirm(open_ledger: contract.Open) -> None:
    """Whatever is confirmed at the same moment, nothing from before the erasure survives it."""
    writers, eraser = [open_ledger() for _ in range(3)], open_ledger()

    def write(worker: int) -> None:
        for number in range(30):
            writers[worker].acknowledge(confirmed(START + number, digest=f"{worker}-{number}"))
            writers[worker].meet(met(START + number, major=number))
            writers[worker].write_visits([visit(number, id=f"{worker}-{number}")])

    sign = Erasure.of("ana", START + 1e6)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(write, worker) for worker in range(3)]
        pool.submit(
            eraser.erase, sign, "ana", label="erased:1", actor="cli:ada", reason="asked"
        ).result()
        for each in running:
            each.result()
    assert not any(eraser.records("ana").counts.values())


def test_confirmations_behind_pseudonyms(ledger: Ledger) -> None:
    """No name of who confirms gets into the ledger, and asking by name or pseudonym finds it."""
    names = Pseudonyms(b"k" * 32)
    behind, hidden = PseudonymLedger(ledger, names), names.of("ana")
    assert behind.acknowledge(confirmed())
    assert not behind.acknowledge(confirmed())
    behind.meet(met())
    behind.keep_notice(text())
    assert list(behind.acknowledgements(person="ana")) == [confirmed(person=hidden)]
    assert list(behind.acknowledgements(person=hidden)) == [confirmed(person=hidden)]
    assert list(behind.meetings(person="ana")) == [met(person=hidden)]
    assert list(behind.notice_versions(notice="social-media")) == [text()]
    (entry,) = behind.audit_log(subject="ana")
    assert (entry.actor, entry.subject) == (f"web:{hidden}", hidden)
    assert "ana" not in repr(ledger.records(hidden))
    assert behind.prune(START + DAY, kept=[IN_FORCE]) == 0
    assert behind.prune(START + DAY) == 2


@pytest.mark.parametrize("version", ["", "three", "3.1.4", "v3"])
def test_what_is_no_version_is_never_in_force(ledger: Ledger, version: str) -> None:
    """A version that cannot be read counts as 0: it is stored and read, and covers nothing."""
    done = confirmed(version=version)
    assert ledger.acknowledge(done)
    assert list(ledger.acknowledgements()) == [done]
    assert ledger.prune(START + DAY, kept=[IN_FORCE._replace(major=1)]) == 1
