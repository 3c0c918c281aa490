"""`proxy_addon/ledger/replay.py`: journals of this ledger are written to it, and read while it is
away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from proxy_addon.core.types import Visit
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_owner import JournalOwner
from proxy_addon.ledger.refused import AGAIN_AFTER
from proxy_addon.ledger.replay import Postponed, Replayed, journals_in, left_in, replay
from tests.ledger.memory_ledger import MemoryLedger
from tests.ledger.writers import Stopwatch

US = JournalOwner("here", "a" * 32)


def journal(folder: Path, name: str, owner: JournalOwner) -> Journal:
    """One with a visit, that lives."""
    made = Journal(folder, name, owner)
    made.add([Visit(name, "ana", "x", None, None, None, 1.0, 2.0, name)])
    return made


def test_a_ledger_that_has_moved(tmp_path: Path) -> None:
    """Its journals are found by its id, and by where it was seen; those of others stay, with a
    warning each."""
    journal(tmp_path, "moved", JournalOwner("there", US.ledger)).close()
    journal(tmp_path, "seen", JournalOwner("former")).close()
    other = journal(tmp_path, "other", JournalOwner("here", "b" * 32))
    other.close()
    ledger = MemoryLedger()
    with capture_logs() as logs:
        done = replay(tmp_path, US, ledger, seen={"former": "a" * 32})
    assert done == Replayed(journals=2, visits=2)
    assert {visit.id for visit in ledger.visits(0.0)} == {"moved", "seen"}
    assert journals_in(tmp_path) == [other.path]
    left = [each for each in logs if "left alone" in each["event"]]
    assert [each["belongs_to"] for each in left] == ["another ledger"]


def test_what_is_left_while_it_is_away(tmp_path: Path) -> None:
    """Counts, also that of processes that live; nothing changes, and what cannot be read is left
    out."""
    alive = journal(tmp_path, "alive", US)
    journal(tmp_path, "dead", US).close()
    journal(tmp_path, "other", JournalOwner("there", "b" * 32)).close()
    (tmp_path / "broken.lock").symlink_to(tmp_path / "nowhere")
    before = sorted(os.listdir(tmp_path))  # noqa: PTH208
    assert {visit.id for visit in left_in(tmp_path, US)} == {"alive", "dead"}
    assert sorted(os.listdir(tmp_path)) == before  # noqa: PTH208
    assert left_in(tmp_path / "nowhere", US) == []
    alive.close()


def test_a_journal_of_which_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again once in a while only, others at once; when all of it is written nothing of
    it is left."""
    watch = Stopwatch()
    monkeypatch.setattr("proxy_addon.ledger.replay.timer", watch)
    left = Journal(tmp_path, "bad", US)
    left.add([Visit("v", "ana", "x", None, None, None, 2.0, 1.0, "bad")])
    left.close()
    ledger, postponed = MemoryLedger(), dict[Path, Postponed]()
    assert replay(tmp_path, US, ledger, postponed=postponed).refused == 1
    journal(tmp_path, "good", US).close()
    watch.at = AGAIN_AFTER - 0.1
    done = replay(tmp_path, US, ledger, postponed=postponed)
    assert (done.journals, done.visits, done.refused) == (1, 1, 0)
    watch.at = AGAIN_AFTER
    assert replay(tmp_path, US, ledger, postponed=postponed).refused == 1
    watch.at += 2 * AGAIN_AFTER - 0.1
    assert replay(tmp_path, US, ledger, postponed=postponed).journals == 0
    watch.at += 0.1
    monkeypatch.setattr(ledger, "write_visits", lambda visits: None)
    assert replay(tmp_path, US, ledger, postponed=postponed).visits == 1
    assert (postponed, journals_in(tmp_path)) == ({}, [])
