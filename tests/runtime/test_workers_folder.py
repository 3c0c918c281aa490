"""`proxy_addon/runtime/workers_folder.py`: removed at the end, or by whoever comes later."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.runtime.workers_folder import WorkersFolder, abandon, hold


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where folders are made."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_a_folder_ends_with_its_supervisor(temporary: Path) -> None:
    """It is for its owner alone, and nothing of it stays."""
    folder = WorkersFolder()
    assert folder.path.parent == temporary
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "counter_1.db").touch()
    folder.close()
    assert list(temporary.iterdir()) == []


def test_abandoned_folders_are_removed(temporary: Path) -> None:
    """A start removes the folder of a supervisor that was killed; not while a worker uses it, and
    nothing that has no lock of ours or is a link."""
    killed = temporary / "allowance-workers-killed"
    killed.mkdir()
    (killed / "lock").touch()
    (killed / "worker-0").touch()
    used = WorkersFolder()
    worker = hold(used.path)
    os.close(used._lock)
    stranger = temporary / "allowance-workers-stranger"
    stranger.mkdir()
    link = temporary / "allowance-workers-link"
    link.symlink_to(used.path)
    new = WorkersFolder()
    assert set(temporary.iterdir()) == {used.path, new.path, stranger, link}
    os.close(worker)
    new.close()
    assert set(temporary.iterdir()) == {stranger, link}


def test_the_last_worker_without_supervisor_removes_it(temporary: Path) -> None:
    """Those that end before it leave it to the others."""
    folder = WorkersFolder()
    first, second = hold(folder.path), hold(folder.path)
    os.close(folder._lock)
    abandon(folder.path, first)
    assert folder.path.exists()
    abandon(folder.path, second)
    assert list(temporary.iterdir()) == []
    os.close(first)
    os.close(second)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk for temporary files has no room, the folder is made in memory, and ends there
    as well."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        monkeypatch.setattr("proxy_addon.runtime.workers_folder._SHORT_PARENT", disk)
        folder = WorkersFolder()
        assert folder.path.parent == Path("/dev/shm")
        folder.close()
        assert not folder.path.exists()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_long_path_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where names of sockets would be too long for the system, the folder is in /tmp."""
    deep = tmp_path / ("d" * 80)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    folder = WorkersFolder()
    assert folder.path.parent == Path("/tmp")
    assert len(str(folder.path / "listener-12345678")) <= 107
    folder.close()
