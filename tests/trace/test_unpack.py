"""What trace files are packed in."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path

import pytest

from proxy_addon.trace import unpack
from proxy_addon.trace.unpack import UnpackError, is_zip, members, unpacked

TEXT = '{"log": {"entries": []}} é'


def content(data: bytes, packed: int = 0) -> bytes:
    """All that comes out."""
    stream = unpacked(io.BufferedReader(io.BytesIO(data)), packed or len(data))
    found = b""
    while piece := stream.read1(1000):
        found += piece
    return found


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_packed_streams(level: int) -> None:
    """gzip, zlib as mitmproxy writes `.zhar`, and neither."""
    raw = TEXT.encode()
    assert content(gzip.compress(raw, level)) == raw
    assert content(zlib.compress(raw, level)) == raw
    assert content(raw) == raw
    assert content(b"") == b""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_becomes_utf_8(encoding: str) -> None:
    """With and without a mark, packed or not, and when it ends in the middle of a character."""
    raw = TEXT.encode(encoding)
    assert content(raw).decode() == TEXT
    assert content(gzip.compress(raw)).decode() == TEXT
    assert content(raw[:-1]).decode().startswith(TEXT[:-1])


def test_a_bomb_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes far larger than any recording would is not unpacked to its end."""
    monkeypatch.setattr(unpack, "FREE", 1 << 20)
    for bomb in (gzip.compress(bytes(20 << 20)), zlib.compress(bytes(20 << 20))):
        with pytest.raises(UnpackError, match="250"):
            content(bomb)


def test_a_truncated_stream_says_so() -> None:
    """Its end is missing."""
    with pytest.raises(EOFError):
        content(zlib.compress(TEXT.encode())[:-4])
    with pytest.raises(EOFError):
        content(gzip.compress(TEXT.encode())[:-4])


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_members_of_an_archive(tmp_path: Path) -> None:
    """Each file, but no folders and none of what macOS adds; at most two hundred."""
    files = {"a.har": b"1", "b/": b"", "b/c.har": b"2", "__MACOSX/._a.har": b"x"}
    path = _zip(tmp_path / "a.zip", files)
    assert is_zip(path.read_bytes()[:4])
    found, wrong = members(path)
    names = [member.name for member in found]
    assert names == ["a.har", "b/c.har"]
    assert [io.BufferedReader(member.stream).read() for member in found] == [b"1", b"2"]
    assert not wrong
    many = _zip(tmp_path / "b.zip", {str(n): b"" for n in range(unpack.MOST_MEMBERS + 5)})
    found, wrong = members(many)
    assert len(found) == unpack.MOST_MEMBERS
    assert len(wrong) == 1


def test_a_damaged_archive_is_one_error(tmp_path: Path) -> None:
    """Whatever the library raises."""
    path = _zip(tmp_path / "a.zip", {"a.har": TEXT.encode() * 99})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnpackError, match="damaged"):
        members(path)
