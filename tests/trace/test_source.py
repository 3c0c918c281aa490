"""Bytes of trace files, sound and damaged."""

from __future__ import annotations

import gc
import gzip
import io
from pathlib import Path

import pytest

from proxy_addon.trace import source as module
from proxy_addon.trace.event import TraceFault
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source


def _lines(path: Path, report: ReadReport | None = None) -> list[tuple[int, bytes]]:
    return list(Source(path, report or ReadReport()).lines())


def test_lines_have_their_numbers(tmp_path: Path) -> None:
    """Empty lines count, a missing newline at the end does not matter, a byte order mark is
    gone."""
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfone\n\nthree")
    assert _lines(path) == [(1, b"one"), (2, b""), (3, b"three")]


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_opened_is_one_error(tmp_path: Path) -> None:
    """The half-made source says nothing of its own when it is collected."""
    with pytest.raises(FileNotFoundError):
        Source(tmp_path / "nowhere", ReadReport())
    gc.collect()


@pytest.mark.parametrize("packed", [False, True])
def test_lines_across_blocks_are_whole(
    tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the blocks, plain or packed, every line comes out as it went in."""
    monkeypatch.setattr(module, "CHUNK", 7)
    wanted = [b"x" * n for n in (0, 1, 6, 7, 8, 30, 2)]
    path = tmp_path / "a"
    content = b"\n".join(wanted) + b"\n"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert _lines(path) == list(enumerate(wanted, 1))


def test_a_line_without_end_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted by its number, and the lines around it are read."""
    monkeypatch.setattr(module, "CHUNK", 10)
    monkeypatch.setattr(module, "LONGEST_LINE", 40)
    path, report = tmp_path / "a", ReadReport()
    path.write_bytes(b"ok\n" + b"y" * 300 + b"\nfine\n" + b"z" * 300)
    assert _lines(path, report) == [(1, b"ok"), (3, b"fine")]
    assert [(p.number, p.reason) for p in report.first] == [
        (2, TraceFault.TOO_LONG),
        (4, TraceFault.TOO_LONG),
    ]


def test_truncated_gzip_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    """A download that broke off is not a crash, and what came before the break is used."""
    path, report = tmp_path / "a.gz", ReadReport()
    content = b"".join(b"line %d\n" % (n * 7919) for n in range(20_000))
    path.write_bytes(gzip.compress(content)[:-2000])
    found = _lines(path, report)
    assert len(found) > 10_000
    assert (
        b"\n".join(line for _, line in found[:-1]) + b"\n"
        == content[: content.index(found[-2][1]) + len(found[-2][1]) + 1]
    )
    assert report.problems == {TraceFault.CUT_OFF: 1}


def test_progress_counts_what_is_on_disk(tmp_path: Path) -> None:
    """For a packed file the bar goes by packed bytes, so it ends at its total."""
    path, report = tmp_path / "a.gz", ReadReport()
    path.write_bytes(gzip.compress(b"hello\n" * 1000))
    _lines(path, report)
    assert report.bytes_read == report.bytes_total == path.stat().st_size


def test_the_head_can_be_looked_at_first(tmp_path: Path) -> None:
    """Looking does not take anything away."""
    path = tmp_path / "a"
    path.write_bytes(b"abcdef")
    opened = Source(path, ReadReport())
    assert opened.head(3) == b"abc"
    assert io.BufferedReader(opened).read() == b"abcdef"
