"""`proxy_addon/ledger/ledgers_seen.py`: which ledger was seen where is known at the next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.ledger.ledgers_seen import FILE, LedgersSeen


def test_it_is_remembered(tmp_path: Path) -> None:
    """For each address the last one, in a file of its owner; the same again writes nothing."""
    seen = LedgersSeen(tmp_path / "state")
    assert seen.all() == {}
    seen.remember("here", "a")
    seen.remember("there", "b")
    seen.remember("here", "c")
    assert LedgersSeen(tmp_path / "state").all() == {"here": "c", "there": "b"}
    file = tmp_path / "state" / FILE
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.stat().st_ino
    seen.remember("here", "c")
    assert file.stat().st_ino == before


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff"])
def test_what_cannot_be_read_is_nothing(tmp_path: Path, content: bytes) -> None:
    """A damaged file is written anew."""
    (tmp_path / FILE).write_bytes(content)
    seen = LedgersSeen(tmp_path)
    assert seen.all() == {}
    seen.remember("here", "a")
    assert seen.all() == {"here": "a"}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Is no reason to stop."""
    (tmp_path / "file").write_text("")
    LedgersSeen(tmp_path / "file").remember("here", "a")
