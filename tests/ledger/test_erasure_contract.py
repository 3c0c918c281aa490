"""Erasure, records, resets and retention of every ledger: memory, SQLite and a real Postgres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from proxy_addon.core.types import URGENT
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.erasure import ERASURES_KEPT, Erasure
from proxy_addon.ledger.interface import AUDIT_LONGER, AuditEntry, Ledger, TimeRequest
from proxy_addon.ledger.pseudonymous import PseudonymLedger
from tests.ledger import test_ledger_contract as contract
from tests.ledger.test_ledger_contract import START, grant, visit

open_ledger, ledger = contract.open_ledger, contract.ledger
NOW = START + 3600.0


def erase(ledger: Ledger, person: str = "ana", at: float = NOW, reason: str = "asked") -> Erasure:
    """Erase somebody at an instant."""
    sign = Erasure.of(person, at)
    ledger.erase(sign, person, label="erased:1", actor="cli:ada", reason=reason)
    return sign


def test_records_of_a_person(ledger: Ledger) -> None:
    """Records hold what is about one person, and the audit entries by or about them, of nobody
    else."""
    ledger.write_visits([visit(1), visit(2, person="bo")])
    ledger.add_grant(grant(1), actor="cli:ada")
    ledger.add_grant(grant(2, person="bo", granted_by="ana"), actor="cli:ana")
    found = ledger.records("ana")
    assert found.visits == (visit(1),)
    assert found.grants == (grant(1),)
    assert [(entry.actor, entry.subject) for entry in found.audit] == [
        ("cli:ada", "ana"),
        ("cli:ana", "bo"),
    ]
    assert ledger.records("an").counts == dict.fromkeys(found.counts, 0)


def test_erasure_leaves_no_name(ledger: Ledger) -> None:
    """After an erasure the name stands nowhere, not even where others' rows mentioned it; others
    keep theirs."""
    ledger.write_visits([visit(1), visit(2, person="bo"), visit(3, person="anatol")])
    ledger.add_grant(grant(1), actor="cli:ada")
    ledger.add_grant(
        grant(2, person="bo", granted_by="ana", reason="as Ana said, not anatol"), actor="cli:ana"
    )
    erase(ledger, reason="Ana asked")
    assert not any(ledger.records("ana").counts.values())
    assert [row.person for row in ledger.visits(0.0)] == ["bo", "anatol"]
    (kept,) = ledger.grants(0.0)
    assert (kept.granted_by, kept.reason) == ("erased:1", "as erased:1 said, not anatol")
    assert list(ledger.audit_log()) == [
        AuditEntry(START + 1, "cli:ada", "grant", "erased:1"),
        AuditEntry(
            START + 2, "cli:erased:1", "grant", "bo", "daily 600 s: as erased:1 said, not anatol"
        ),
        AuditEntry(
            NOW,
            "cli:ada",
            "erase",
            "erased:1",
            "1 visits, 1 grants, 0 requests, 0 acknowledgements, 0 notices shown, 2 audit entries: erased:1 asked",
        ),
    ]


def test_late_rows_of_somebody_erased_are_not_taken(open_ledger: contract.Open) -> None:
    """Who comes late with visits from before the erasure writes nothing; later visits count."""
    first, second = open_ledger(), open_ledger()
    first.write_visits([visit(1)])
    erase(first)
    second.write_visits([visit(1, rev=9), visit(2), visit(2, id="b", person="bo")])
    again = visit(3, start=NOW, end=NOW + 5)
    second.write_visits([again])
    assert {row.id for row in first.visits(0.0)} == {"b", "v3"}


def test_late_grants_and_requests_of_somebody_erased(open_ledger: contract.Open) -> None:
    """A call that was under way, is repeated, or is another proxy's writes nothing of somebody
    who was erased meanwhile, not even to the audit; what they do later, and others, counts."""
    first, second = open_ledger(), open_ledger()
    asked = TimeRequest("r1", "ana", "daily", 600.0, "a customer", "open", NOW - 60.0)
    urgent = grant(2, id=f"{URGENT}1", created=NOW - 60.0)
    first.ask(asked, most_open=3)
    first.add_grant(grant(1), actor="cli:ada")
    erase(first)
    entries = list(first.audit_log())
    for ledger in (first, second):
        ledger.add_grant(grant(1), actor="cli:ada")
        assert not ledger.take(urgent, actor="web:ana", most=2, since=0.0)
        assert not ledger.ask(asked, most_open=3)
        assert not ledger.ask(replace(asked, id="r2"), most_open=3)
        assert ledger.decide("r1", at=NOW, by="ada", actor="web:ada", grant=grant(5)) is None
    assert list(first.grants(0.0)) == [] and list(first.requests()) == []
    assert list(first.audit_log()) == entries
    assert second.take(replace(urgent, created=NOW + 1.0), actor="web:ana", most=2, since=0.0)
    assert second.ask(replace(asked, created=NOW + 1.0), most_open=3)
    second.add_grant(grant(4, person="bo"), actor="cli:ada")
    assert {each.person for each in first.grants(0.0)} == {"ana", "bo"}


def test_erasure_is_news(open_ledger: contract.Open) -> None:
    """Every node hears of an erasure by a sign that only those can read who know the name."""
    writer, reader = open_ledger(), open_ledger()
    cursor = reader.news(float("inf")).cursor
    sign = erase(writer)
    (heard,) = reader.news(cursor).erasures
    assert heard == sign
    assert heard.names("ana")
    assert not heard.names("bo")
    assert "ana" not in repr(heard).replace("names", "")


def test_erasing_while_others_write(open_ledger: contract.Open) -> None:
    """Whatever is written at the same moment, nothing from before the erasure survives it."""
    writers = [open_ledger() for _ in range(3)]
    eraser = open_ledger()

    def write(worker: int) -> None:
        for rev in range(1, 40):
            writers[worker].write_visits([visit(n, rev=rev, id=f"{worker}-{n}") for n in range(5)])

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(write, worker) for worker in range(3)]
        pool.submit(erase, eraser).result()
        for each in running:
            each.result()
    assert list(eraser.visits(0.0)) == []


def test_a_reset_is_stored_and_audited_once(ledger: Ledger) -> None:
    """A reset is a grant that says so: stored, news, and audited as a reset."""
    reset = replace(grant(), resets=True, seconds=0.0)
    for _ in range(2):
        ledger.add_grant(reset, actor="cli:ada")
    assert list(ledger.grants(0.0)) == [reset]
    assert ledger.news(0.0).grants == (reset,)
    assert list(ledger.audit_log()) == [
        AuditEntry(START + 1, "cli:ada", "reset", "ana", "daily: course")
    ]


def test_rule_versions_are_audited_when_they_change(ledger: Ledger) -> None:
    """The same rules on another node or after a restart are not a change; going back to old ones
    is."""
    for at, digest in enumerate(["a", "a", "b", "b", "a"]):
        ledger.rules_in_force(digest, START + at, f"node{at}")
    assert [
        (entry.at, entry.actor, entry.detail) for entry in ledger.audit_log(subject="rules")
    ] == [
        (START, "node:node0", "a"),
        (START + 2, "node:node2", "b"),
        (START + 4, "node:node4", "a"),
    ]


def test_the_audit_outlasts_visits_by_a_year(ledger: Ledger) -> None:
    """Retention takes audit entries a year after visits, in batches, and erasure markers after a
    month."""
    for day in range(8):
        ledger.audit(AuditEntry(START + day, "ada", "reset", "ana"))
    erase(ledger, "zoe", at=START)
    assert ledger.prune(START + AUDIT_LONGER - 1, batch=3) == 1  # the sign
    assert (
        ledger.prune(START + AUDIT_LONGER + 3, batch=2) == 4
    )  # three entries and the one of the erasure
    assert [entry.at for entry in ledger.audit_log()] == [START + day for day in range(3, 8)]
    erase(ledger, "zoe", at=START)
    assert ledger.prune(START + ERASURES_KEPT) == 0


def test_a_ledger_behind_pseudonyms(ledger: Ledger) -> None:
    """By name or by pseudonym the answers are the same, and no name gets into the ledger."""
    names = Pseudonyms(b"k" * 32)
    behind = PseudonymLedger(ledger, names)
    hidden = names.of("ana")
    behind.write_visits([visit(1), visit(2, person="bo")])
    behind.add_grant(grant(), actor="cli:ada")
    behind.audit(AuditEntry(NOW, "web:ada", "unmask", "ana", "why"))
    assert list(behind.visits(0.0, person="ana")) == list(behind.visits(0.0, person=hidden))
    assert list(behind.visits(0.0, people=["ana"])) == [visit(1, person=hidden)]
    assert [one.person for one in behind.grants(0.0, person="ana")] == [hidden]
    assert len(behind.audit_log(subject="ana")) == 2
    everything = f"{list(ledger.visits(0.0))}{ledger.grants(0.0)}{ledger.audit_log()}"
    assert not any(
        f"'{name}'" in everything or f":{name}" in everything
        for name in ("ana", "bo", "ada", "lead")
    )
    behind.erase(Erasure.of("ana", NOW), "ana", label="erased:1", actor="cli:ada", reason="asked")
    behind.write_visits([visit(1)])
    assert not any(behind.records("ana").counts.values())
    assert behind.news(0.0).erasures[0].names(hidden)
