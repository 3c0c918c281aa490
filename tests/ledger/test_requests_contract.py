"""Requests for more time, of every ledger: memory, SQLite and a real Postgres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from proxy_addon.core.types import Grant
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import AuditEntry, Ledger, TimeRequest
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from tests.ledger import test_ledger_contract as contract
from tests.ledger.test_ledger_contract import START, grant

open_ledger, ledger = contract.open_ledger, contract.ledger
LATER = START + 100.0


def request(number: int = 1, **changes: object) -> TimeRequest:
    """ana asks for ten minutes."""
    made = TimeRequest(f"r{number}", "ana", "daily", 600.0, "a launch", "open", START + number)
    return replace(made, **changes)


def refuse(
    ledger: Ledger, key: str, note: str = "not today", at: float = LATER
) -> TimeRequest | None:
    """lead says no."""
    return ledger.decide(key, at=at, by="lead", actor="web:lead", grant=None, note=note)


def test_what_was_asked_is_read(ledger: Ledger) -> None:
    """Every field comes back, oldest first, of one person or one status where that is asked for."""
    asked = [request(2, person="Zoë 🙂"), request(1, reason="'; DROP TABLE visits; --")]
    assert all(ledger.ask(each, most_open=3) for each in asked)
    assert list(ledger.requests()) == asked[::-1]
    assert list(ledger.requests(person="ana")) == [asked[1]]
    assert list(ledger.requests(status="open", person="ana")) == [asked[1]]
    assert list(ledger.requests(status="granted")) == []


def test_only_so_many_are_open(ledger: Ledger) -> None:
    """One more than allowed is not stored; what is decided makes room; others are not concerned."""
    assert [ledger.ask(request(n), most_open=2) for n in range(3)] == [True, True, False]
    assert ledger.ask(request(0), most_open=2)  # the same once more
    assert ledger.ask(request(7, person="bo"), most_open=2)
    assert refuse(ledger, "r0")
    assert ledger.ask(request(2), most_open=2)
    assert [each.id for each in ledger.requests(person="ana")] == ["r0", "r1", "r2"]


def test_many_asks_at_once(open_ledger: contract.Open) -> None:
    """However many ask for one person at the same moment, no more are open than may be."""
    ledgers = [open_ledger() for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        stored = list(threads.map(lambda n: ledgers[n % 4].ask(request(n), most_open=3), range(16)))
    assert sum(stored) == len(ledgers[0].requests(status="open")) == 3


def test_a_grant_for_a_request(ledger: Ledger) -> None:
    """Granting stores the grant as `add_grant` does, audits it once, is news, and says until when
    it lasts."""
    ledger.ask(request(), most_open=3)
    given = grant()
    closed = ledger.decide("r1", at=LATER, by="lead", actor="web:lead", grant=given)
    assert closed == request(
        status="granted", decided=LATER, decided_by="lead", grant="g1", until=given.expires
    )
    assert list(ledger.requests()) == [closed]
    assert list(ledger.grants(0.0)) == list(ledger.news(0.0).grants) == [given]
    assert list(ledger.audit_log()) == [AuditEntry.of_grant(given, "web:lead")]
    much = replace(given, seconds=1_800_000.0)
    assert " 1800000 s: " in AuditEntry.of_grant(much, "web:lead").detail


def test_a_refusal(ledger: Ledger) -> None:
    """A refusal keeps its note, in the audit and with the request, and grants nothing."""
    ledger.ask(request(), most_open=3)
    ledger.ask(request(2), most_open=3)
    closed = refuse(ledger, "r1", "daily 600 s: not today: really")
    assert closed == request(
        status="refused", decided=LATER, decided_by="lead", note="daily 600 s: not today: really"
    )
    assert refuse(ledger, "r2", "", LATER + 1) is not None
    assert [each.note for each in ledger.requests()] == [closed.note, ""]
    assert not ledger.grants(0.0)
    (first, _) = ledger.audit_log(subject="ana")
    assert first == AuditEntry(LATER, "web:lead", "refuse", "ana", f"daily 600 s: {closed.note}")


def test_decided_once(open_ledger: contract.Open) -> None:
    """Of several who decide about one request at the same moment one does; the others change
    nothing."""
    ledgers = [open_ledger() for _ in range(4)]
    ledgers[0].ask(request(), most_open=3)

    def decide(n: int) -> TimeRequest | None:
        given = grant(n) if n % 2 else None
        return ledgers[n % 4].decide(
            "r1", at=LATER + n, by=f"lead{n}", actor=f"cli:lead{n}", grant=given
        )

    with ThreadPoolExecutor(8) as threads:
        done = [each for each in threads.map(decide, range(8)) if each is not None]
    assert done == list(ledgers[1].requests())
    assert len(ledgers[1].grants(0.0)) == (done[0].status == "granted")
    assert len(ledgers[1].audit_log()) == 1
    assert (
        ledgers[1].decide("nothing", at=LATER, by="lead", actor="cli:lead", grant=grant(99)) is None
    )


def test_records_erasure_and_retention(ledger: Ledger) -> None:
    """Requests are in the records with their note and go with an erasure; the name of a decider
    goes too, and what was asked before the retention is deleted."""
    ledger.ask(request(), most_open=3)
    ledger.ask(request(2, person="bo", reason="Ana says so"), most_open=3)
    refuse(ledger, "r1", "ask bo")
    ledger.decide("r2", at=LATER, by="ana", actor="web:ana", grant=grant(5, person="bo"))
    (own,) = ledger.records("ana").requests
    assert (own.status, own.note) == ("refused", "ask bo")
    erased = ledger.erase(
        Erasure.of("ana", LATER), "ana", label="erased:1", actor="cli:ada", reason="asked"
    )
    assert erased.counts["requests"] == 1
    (left,) = ledger.requests()
    assert (left.person, left.decided_by, left.reason) == ("bo", "erased:1", "erased:1 says so")
    assert ledger.prune(START + 3.0) == 1
    assert not ledger.requests()


def test_a_grant_that_is_gone(ledger: Ledger) -> None:
    """When the grant is pruned the request stays granted; there is only no end to tell."""
    ledger.ask(request(created=START + 5000.0), most_open=3)
    ledger.decide(
        "r1", at=LATER, by="lead", actor="cli:lead", grant=grant(1, expires=START + 900.0)
    )
    ledger.prune(START + 1000.0)
    (left,) = ledger.requests()
    assert (left.status, left.until, left.grant) == ("granted", None, None)


def test_requests_behind_pseudonyms(ledger: Ledger) -> None:
    """No name of who asks or decides gets into the ledger, and asking by name finds the rows."""
    names = Pseudonyms(b"k" * 32)
    behind = PseudonymLedger(ledger, names)
    assert behind.ask(request(), most_open=3)
    assert behind.ask(request(2), most_open=3)
    assert [each.person for each in behind.requests(person="ana")] == [names.of("ana")] * 2
    assert refuse(behind, "r1") is not None
    behind.decide("r2", at=LATER, by="lead", actor="web:lead", grant=grant())
    everything = f"{ledger.requests()}{ledger.grants(0.0)}{ledger.audit_log()}"
    assert not any(
        f"'{name}'" in everything or f":{name}" in everything for name in ("ana", "lead")
    )


def urgent(number: int = 1, **changes: object) -> Grant:
    """ana takes ten minutes herself."""
    made = grant(number, seconds=600.0, reason="a customer waits", granted_by="ana")
    return replace(made, **{"id": f"urgent-{number}"} | changes)


def take(ledger: Ledger, given: Grant, most: int = 2, since: float = START) -> bool:
    """By the page."""
    return ledger.take(given, actor=f"web:{given.person}", most=most, since=since)


def test_urgent_grants_are_counted_over_all_allowances(ledger: Ledger) -> None:
    """So many in a period, whichever allowance they go to; grants of others, of somebody else or
    from before do not count; each is audited once and is news."""
    ledger.add_grant(grant(5), actor="cli:lead")
    taken = [urgent(1), urgent(2, allowance="video")]
    assert [take(ledger, each) for each in (*taken, urgent(3))] == [True, True, False]
    assert take(ledger, taken[0])  # the same once more
    assert take(ledger, urgent(4, person="bo"))
    assert take(ledger, urgent(6), since=taken[1].created)
    assert not take(ledger, urgent(7), since=taken[1].created)
    ids = [each.id for each in ledger.grants(0.0, person="ana")]
    assert ids == ["urgent-1", "urgent-2", "g5", "urgent-6"]
    assert {each.id for each in ledger.news(0.0).grants} == {*ids, "urgent-4"}
    own = [each for each in ledger.audit_log(subject="ana") if each.action == "urgent"]
    assert [(each.actor, each.detail) for each in own][:2] == [
        ("web:ana", "daily 600 s: a customer waits"),
        ("web:ana", "video 600 s: a customer waits"),
    ]
    assert len(own) == 3


def test_many_urgent_grants_at_once(open_ledger: contract.Open) -> None:
    """However many clicks on however many proxies come at the same moment, no more are given than
    the rules say."""
    ledgers = [open_ledger() for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda n: take(ledgers[n % 4], urgent(n)), range(16)))
    assert sum(given) == len(ledgers[0].grants(0.0, person="ana")) == 2


def test_an_urgent_grant_is_erased_exported_and_masked(ledger: Ledger) -> None:
    """It is a grant: among the records of its person, gone with them, and under a pseudonym where
    the ledger keeps those, where it is counted as well."""
    assert take(ledger, urgent())
    assert [each.id for each in ledger.records("ana").grants] == ["urgent-1"]
    ledger.erase(Erasure.of("ana", LATER), "ana", label="erased", actor="cli:lead", reason="left")
    assert list(ledger.grants(0.0)) == []
    hidden = PseudonymLedger(ledger, Pseudonyms(b"k" * 32))
    assert [take(hidden, urgent(n)) for n in (2, 3, 4)] == [True, True, False]
    (stored, _) = ledger.grants(0.0)
    assert stored.person == stored.granted_by == hidden.names.of("ana")
    assert "ana" not in "".join(each.actor + each.subject for each in ledger.audit_log()[-2:])
