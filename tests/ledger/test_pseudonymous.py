"""Twin of proxy_addon/ledger/pseudonymous.py. The ledger behind pseudonyms: tests/ledger/test_erasure_contract.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.identity.pseudonyms import PseudonymKeyError, Pseudonyms, read_key
from proxy_addon.ledger.pseudonymous import settled
from proxy_addon.metering.usage_book import UsageBook
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.test_ledger_contract import grant, visit

NAMES = Pseudonyms(b"k" * 32)


def test_one_key_for_one_ledger(tmp_path: Path) -> None:
    """A second proxy with a key of its own is refused, and none is made for it."""
    ledger = MemoryLedger()
    first = settled(ledger, tmp_path / "one", 1.0)
    assert settled(ledger, tmp_path / "one", 2.0).of("ana") == first.of("ana")
    assert len(ledger.audit_log()) == 1
    with pytest.raises(PseudonymKeyError, match="there is no pseudonym key"):
        settled(ledger, tmp_path / "two", 3.0)
    read_key(tmp_path / "two", make=True)
    with pytest.raises(PseudonymKeyError, match="made with another key"):
        settled(ledger, tmp_path / "two", 3.0)


def test_a_book_by_pseudonym() -> None:
    """What others wrote under the pseudonym and what is asked for by the name is one person's usage."""
    book = UsageBook(NAMES.of)
    book.load([visit(1, person=NAMES.of("ana"))], [grant(person=NAMES.of("ana"))])
    book.of("ana").apply(visit(2))
    assert len(book) == 1
    assert book.of("ana").spent("daily", 0.0, 1e12) == 20.0
    assert len(book.of("ana").grants("daily")) == 1
    book.drop("ana")
    assert list(book) == []
