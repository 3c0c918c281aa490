"""`proxy_addon/ledger/journal_owner.py`: whose a journal is, wherever its ledger was."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.core.types import Visit
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner, Whose, read_owner, whose

HERE, THERE = "host:5432/ledger", "other:5432/ledger"
OUR, THEIR = "a" * 32, "b" * 32
US = JournalOwner(HERE, OUR)


@pytest.mark.parametrize(
    ("owner", "us", "seen", "found"),
    [
        (JournalOwner(HERE, OUR), US, {}, Whose.OURS),
        (JournalOwner(THERE, OUR), US, {}, Whose.OURS),  # it has moved
        (JournalOwner(HERE, THEIR), US, {}, Whose.OTHERS),  # another one is here now
        (JournalOwner(HERE), US, {}, Whose.OURS),  # began while it was away
        (JournalOwner(THERE), US, {}, Whose.NOBODYS),
        (JournalOwner(THERE), US, {THERE: OUR}, Whose.OURS),
        (JournalOwner(THERE), US, {THERE: THEIR}, Whose.OTHERS),
        (JournalOwner(HERE), US, {HERE: THEIR}, Whose.OTHERS),
        (JournalOwner(HERE, OUR), JournalOwner(HERE), {}, Whose.OURS),  # we do not know our id
        (JournalOwner(THERE, OUR), JournalOwner(HERE), {}, Whose.NOBODYS),
        (JournalOwner(HERE, OUR, "key 1"), JournalOwner(HERE, OUR, "key 2"), {}, Whose.OTHER_KEY),
        (JournalOwner(HERE, OUR, "key 1"), JournalOwner(HERE, OUR, "key 1"), {}, Whose.OURS),
        (JournalOwner(HERE, OUR), JournalOwner(HERE, OUR, "key 1"), {}, Whose.OURS),  # names
    ],
)
def test_whose_it_is(
    tmp_path: Path, owner: JournalOwner, us: JournalOwner, seen: dict[str, str], found: Whose
) -> None:
    """The id decides where both are known, then the address, and where that ledger was seen."""
    journal = Journal(tmp_path, "n", owner)
    assert read_owner(journal.path) == owner
    assert whose(journal.path, us, seen) is found
    journal.close()


@pytest.mark.parametrize("content", [b"", b"00000000 {}\n", b"torn"])
def test_earlier_versions_and_damaged_locks(tmp_path: Path, content: bytes) -> None:
    """Where the lock says nothing the name of the file has the address, or the id."""
    for owner, seen, found in (
        (JournalOwner(HERE), {}, Whose.OURS),
        (JournalOwner(THERE, OUR), {}, Whose.OURS),
        (JournalOwner(THERE), {}, Whose.NOBODYS),
        (JournalOwner(THERE), {THERE: OUR}, Whose.OURS),
        (JournalOwner(THERE), {THERE: THEIR}, Whose.OTHERS),
    ):
        journal = Journal(tmp_path, "n", owner)
        journal.path.write_bytes(content)
        assert read_owner(journal.path) is None
        assert whose(journal.path, US, seen) is found
        journal.close()


def test_a_journal_learns_its_ledger(tmp_path: Path) -> None:
    """One that began while the ledger was away belongs to it from the first contact on, and says
    so after a crash."""
    journal = Journal(tmp_path, "n", JournalOwner(THERE))
    journal.add([Visit("v", "ana", "x", None, None, None, 1.0, 2.0, "n")])
    assert whose(journal.path, US, {}) is Whose.NOBODYS
    journal.belongs_to(OUR, None)
    assert whose(journal.path, US, {}) is Whose.OURS
    journal.belongs_to(OUR, "key 1")
    journal.close()
    assert read_owner(journal.path) == JournalOwner(THERE, OUR, "key 1")
