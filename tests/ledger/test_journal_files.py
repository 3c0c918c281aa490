"""`proxy_addon/ledger/journal_files.py`: a lock tells whether its process lives."""

from __future__ import annotations

import os
from pathlib import Path

from proxy_addon.ledger.journal_files import (
    is_still,
    keep_only,
    make_lock,
    open_file,
    remove,
    taken,
)


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


def test_a_file_that_was_replaced(tmp_path: Path) -> None:
    """What is open is told apart from another file by its name, and from none."""
    path = tmp_path / "j.a"
    file = open_file(path)
    assert is_still(path, file)
    path.rename(tmp_path / "elsewhere")
    assert not is_still(path, file)
    path.touch()
    assert not is_still(path, file)
    os.close(file)


def test_what_stays_of_a_journal(tmp_path: Path) -> None:
    """Both files become one, which has nothing else."""
    path = tmp_path / "j.lock"
    for suffix in (".a", ".b"):
        path.with_suffix(suffix).write_bytes(b"before")
    for _ in range(2):
        keep_only(path, b"after")
        assert path.with_suffix(".a").read_bytes() == b"after"
        assert [each.name for each in tmp_path.iterdir()] == ["j.a"]
