"""`proxy_addon/system/private_files.py`: whole or not at all, and for the owner alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.system import private_files


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    """A mask that takes nothing away: the modes are ours."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """The permissions of a file or folder."""
    return path.stat().st_mode & 0o777


def fails(fresh: Path) -> None:
    """A step that cannot be done."""
    raise OSError(f"{fresh}: no")


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Also one that others could read; nothing is left beside it."""
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    seen: list[bytes] = []
    private_files.replace(path, b"new", lambda fresh: seen.append(fresh.read_bytes()))
    assert (path.read_bytes(), mode(path), seen) == (b"new", 0o600, [b"new"])
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """And no half of a new one."""
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(OSError, match="no"):
        private_files.replace(path, b"new", fails)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Is an error, not made."""
    with pytest.raises(FileNotFoundError):
        private_files.replace(tmp_path / "nowhere" / "file", b"new")


def test_what_is_made_once_is_never_replaced(tmp_path: Path) -> None:
    """The first one stays, and who comes second has no error."""
    path = tmp_path / "key"
    private_files.make_once(path, b"first")
    private_files.make_once(path, b"second")
    assert (path.read_bytes(), mode(path)) == (b"first", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_share_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files cannot be linked, the first one stays all the same; other errors are told."""

    def none(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "hardlink_to", none)
    path, code = tmp_path / "key", errno.EPERM
    private_files.make_once(path, b"first")
    private_files.make_once(path, b"second")
    assert (path.read_bytes(), mode(path)) == (b"first", 0o600)
    code = errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        private_files.make_once(tmp_path / "other", b"third")
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_is_new(tmp_path: Path) -> None:
    """One that is there, or a link that somebody has put there, is an error."""
    path = tmp_path / "file"
    private_files.write_new(path, b"x")
    assert (path.read_bytes(), mode(path)) == (b"x", 0o600)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for taken in (path, tmp_path / "link"):
        with pytest.raises(FileExistsError):
            private_files.write_new(taken, b"y")
    assert path.read_bytes() == b"x"
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_is_private(tmp_path: Path) -> None:
    """One that is made; one that is there keeps its mode."""
    private_files.make_folder(tmp_path / "a")
    assert mode(tmp_path / "a") == 0o700
    (tmp_path / "a").chmod(0o750)
    private_files.make_folder(tmp_path / "a")
    assert mode(tmp_path / "a") == 0o750
