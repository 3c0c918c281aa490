"""What a recorded session may have in it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.real_sessions.kept import LARGEST, NotKeptError, check


def trace(folder: Path, content: bytes) -> Path:
    """A trace with this content."""
    path = folder / "a.jsonl.gz"
    path.write_bytes(gzip.compress(content))
    return path


@pytest.mark.parametrize("form", ["see you later", "see%20you%20later", "see+you+later"])
def test_what_somebody_typed_is_refused(tmp_path: Path, form: str) -> None:
    """As it is, and as an address carries it."""
    with pytest.raises(NotKeptError, match="typed"):
        check(
            trace(tmp_path, f'{{"url":"https://chat.test/?q={form}"}}'.encode()),
            ["see you later"],
            [],
        )


def test_the_name_of_a_folder_is_refused(tmp_path: Path) -> None:
    """A recording says nothing of the machine that it was made on."""
    path = trace(tmp_path, f'{{"url":"file://{tmp_path}/x"}}'.encode())
    with pytest.raises(NotKeptError, match="folder"):
        check(path, [], [tmp_path])
    check(path, [], [tmp_path / "elsewhere"])


def test_a_large_trace_is_refused(tmp_path: Path) -> None:
    """The repository stays small."""
    with pytest.raises(NotKeptError, match="bytes"):
        check(trace(tmp_path, os.urandom(LARGEST + 1)), [], [])


def test_words_that_many_things_have_are_no_text(tmp_path: Path) -> None:
    """Somebody who types "report" does not take the word from everybody."""
    check(trace(tmp_path, b'{"url":"https://docs.test/report-3/"}'), ["report"], [])
