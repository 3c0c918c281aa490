"""Twin of proxy_addon/ledger/pseudonymous.py. The ledger behind pseudonyms:
tests/ledger/test_erasure_contract.py."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from proxy_addon.identity.pseudonyms import PseudonymKeyError, Pseudonyms, read_key
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import (
    Acknowledgement,
    AuditEntry,
    Ledger,
    NoticeMeeting,
    TimeRequest,
)
from proxy_addon.ledger.pseudonymous import PseudonymLedger, ledger_pseudonyms
from proxy_addon.metering.usage_book import UsageBook
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.test_ledger_contract import grant, visit

NAMES = Pseudonyms(b"k" * 32)
NAME = "ana"

# Methods of the port that are given no name of a person.
HARMLESS = {"histories", "totals", "news", "rules_in_force", "prune", "check", "close"}
HARMLESS |= {"keep_notice", "notice_versions", "people", "identity", "clock"}

# What the others are given: a name wherever one can stand.
REQUEST = TimeRequest("r", NAME, "daily", 60.0, "", "open", 1.0)
DONE = Acknowledgement(NAME, "social-media", "3", "d", 1.0, "gate")
ENTRY = AuditEntry(1.0, f"cli:{NAME}", "look", NAME, "")
NAMED: dict[str, tuple[tuple[object, ...], dict[str, object]]] = {
    "write_visits": (([visit(1, person=NAME)],), {}),
    "visits": ((0.0,), {"person": NAME, "people": {NAME}}),
    "grants": ((0.0,), {"person": NAME}),
    "add_grant": ((grant(person=NAME),), {"actor": f"cli:{NAME}"}),
    "take": (
        (grant(person=NAME, granted_by=NAME),),
        {"actor": f"web:{NAME}", "most": 2, "since": 0.0},
    ),
    "ask": ((REQUEST,), {"most_open": 3}),
    "requests": ((), {"person": NAME}),
    "decide": (
        ("r",),
        {"at": 1.0, "by": NAME, "actor": f"cli:{NAME}", "grant": grant(person=NAME)},
    ),
    "acknowledge": ((DONE,), {}),
    "acknowledgements": ((), {"person": NAME}),
    "meet": ((NoticeMeeting(NAME, "social-media", 3, 1.0),), {}),
    "meetings": ((), {"person": NAME}),
    "audit": ((ENTRY,), {}),
    "audit_log": ((), {"subject": NAME}),
    "records": ((NAME,), {}),
    "erase": (
        (Erasure.of(NAME, 1.0), NAME),
        {"label": "somebody", "actor": f"cli:{NAME}", "reason": "asked"},
    ),
}


class RecordingLedger:
    """A ledger that keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[object] = []

    def __getattr__(self, name: str) -> object:
        def called(*values: object, **more: object) -> None:
            self.given += [*values, *more.values()]

        return called


def methods(of: type) -> set[str]:
    """The public methods of a class."""
    return {name for name, _ in inspect.getmembers(of, inspect.isfunction) if name[0] != "_"}


def test_every_method_of_the_port_is_masked_or_harmless() -> None:
    """A new method of the port has to be thought about; nothing is passed on by itself."""
    assert methods(Ledger) == HARMLESS | NAMED.keys()
    assert methods(PseudonymLedger) == methods(Ledger)
    assert not hasattr(PseudonymLedger, "__getattr__")
    with pytest.raises(AttributeError):
        _ = PseudonymLedger(MemoryLedger(), NAMES).mask_names  # type: ignore[attr-defined]


def test_harmless_methods_take_no_name() -> None:
    """None of them has an argument in which a person could stand."""
    told = {
        name: set(inspect.signature(getattr(Ledger, name)).parameters) - {"self"}
        for name in HARMLESS
    }
    assert set().union(*told.values()) == {
        "since",
        "start",
        "end",
        "cursor",
        "not_from",
        "digest",
        "at",
        "node",
        "before",
        "batch",
        "kept",
        "version",
        "notice",
    }


@pytest.mark.parametrize("name", sorted(HARMLESS | NAMED.keys()))
def test_what_is_left_out_means_the_same(name: str) -> None:
    """Who leaves an argument out gets what the port promises, with pseudonyms and without, in
    memory and in SQL."""
    promised = inspect.signature(getattr(Ledger, name)).parameters.values()
    for ledger in (PseudonymLedger, MemoryLedger, SqlLedger):
        kept = inspect.signature(getattr(ledger, name)).parameters.values()
        assert [(one.name, one.default) for one in kept] == [
            (one.name, one.default) for one in promised
        ]


@pytest.mark.parametrize("name", NAMED)
def test_no_name_reaches_the_ledger(name: str) -> None:
    """Whatever a method is given, the ledger behind it hears the pseudonym and never the name."""
    ledger = RecordingLedger()
    values, more = NAMED[name]
    getattr(PseudonymLedger(ledger, NAMES), name)(*values, **more)  # type: ignore[arg-type]
    assert NAMES.of(NAME) in repr(ledger.given)
    assert f"'{NAME}'" not in repr(ledger.given)
    assert f":{NAME}'" not in repr(ledger.given)


def test_a_decision_behind_pseudonyms() -> None:
    """A yes stores its grant under the pseudonym; a no has none, and is audited with its note."""
    inner = MemoryLedger()
    ledger, hidden = PseudonymLedger(inner, NAMES), NAMES.of(NAME)
    for key in ("r", "s"):
        ledger.ask(replace(REQUEST, id=key), most_open=3)
    given = grant(person=NAME)
    yes = ledger.decide("r", at=2.0, by="lead", actor="web:lead", grant=given)
    no = ledger.decide("s", at=3.0, by="lead", actor="web:lead", grant=None, note="not today")
    assert yes is not None and (yes.person, yes.status, yes.grant) == (hidden, "granted", given.id)
    assert no is not None and (no.person, no.status, no.note) == (hidden, "refused", "not today")
    assert [each.person for each in inner.grants(0.0)] == [hidden]


def test_one_key_for_one_ledger(tmp_path: Path) -> None:
    """A second proxy with a key of its own is refused, and none is made for it."""
    ledger = MemoryLedger()
    first = ledger_pseudonyms(ledger, tmp_path / "one", 1.0)
    assert ledger_pseudonyms(ledger, tmp_path / "one", 2.0).of("ana") == first.of("ana")
    assert len(ledger.audit_log()) == 1
    with pytest.raises(PseudonymKeyError, match="there is no pseudonym key"):
        ledger_pseudonyms(ledger, tmp_path / "two", 3.0)
    read_key(tmp_path / "two", make=True)
    with pytest.raises(PseudonymKeyError, match="made with another key"):
        ledger_pseudonyms(ledger, tmp_path / "two", 3.0)


def test_a_book_by_pseudonym() -> None:
    """What others wrote under the pseudonym and what is asked for by the name is one person's
    usage."""
    book = UsageBook(NAMES.of)
    book.load([visit(1, person=NAMES.of("ana"))], [grant(person=NAMES.of("ana"))])
    book.of("ana").apply(visit(2))
    assert len(book) == 1
    assert book.of("ana").spent("daily", 0.0, 1e12) == 20.0
    assert len(book.of("ana").grants("daily")) == 1
    book.drop("ana")
    assert list(book) == []
