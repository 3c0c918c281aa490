"""`proxy_addon/ledger/journal_records.py`: a visit on a line and back, and files that are half
there."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.core.types import Visit
from proxy_addon.ledger.journal_records import SUFFIXES, line_of, parsed, read

VISIT = Visit("v", "ana", "x", None, "daily", None, 1.0, 2.5, "n", 3)


def test_there_and_back() -> None:
    """A line holds all of a visit; one that was changed anywhere says nothing."""
    line = line_of(VISIT).rstrip(b"\n")
    assert parsed(line) == VISIT
    for at in range(len(line)):
        assert parsed(line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]) is None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_of_the_two_files_is_enough(tmp_path: Path, suffix: str) -> None:
    """A process may have been killed before it made the other."""
    lock_file = tmp_path / "j.lock"
    assert read(lock_file) == ([], 0)
    lock_file.with_suffix(suffix).write_bytes(line_of(VISIT) + bytes(10) + b"torn\n" + bytes(10))
    assert read(lock_file) == ([VISIT], 1)
