"""`proxy_addon/ledger/journal_files.py`: a lock tells whether its process lives."""

from __future__ import annotations

import os
from pathlib import Path

from proxy_addon.ledger.journal_files import make_lock, open_file, remove, taken


def test_one_at_a_time(tmp_path: Path) -> None:
    """Nobody gets a lock that is held; one that is free once, and one that is gone never."""
    path = tmp_path / "j.lock"
    mine = make_lock(path)
    with taken(path) as is_free:
        assert not is_free
    os.close(mine)
    with taken(path) as is_free:
        assert is_free
        with taken(path) as again:
            assert not again
    os.close(open_file(path.with_suffix(".a")))
    remove(path)
    assert list(tmp_path.iterdir()) == []
    remove(path)
    with taken(path) as is_free:
        assert not is_free
