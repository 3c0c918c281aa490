"""`proxy_addon/runtime/workers_folder.py`: removed at the end, or by whoever comes later."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_addon.runtime.workers_folder import WorkersFolder, _remove_abandoned, abandon, hold

TMPFILES = shutil.which("systemd-tmpfiles")


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
    used._lock.close()
    stranger = temporary / "allowance-workers-stranger"
    stranger.mkdir()
    link = temporary / "allowance-workers-link"
    link.symlink_to(used.path)
    new = WorkersFolder()
    assert set(temporary.iterdir()) == {used.path, new.path, stranger, link}
    worker.close()
    new.close()
    assert set(temporary.iterdir()) == {stranger, link}


def test_the_last_worker_without_supervisor_removes_it(temporary: Path) -> None:
    """Those that end before it leave it to the others."""
    folder = WorkersFolder()
    first, second = hold(folder.path), hold(folder.path)
    folder._lock.close()
    abandon(folder.path, first)
    assert folder.path.exists()
    abandon(folder.path, second)
    assert list(temporary.iterdir()) == []
    first.close()
    second.close()


@pytest.mark.parametrize("gone", ["lock", "worker-0", "counter_7.db", ".", "gauge_livesum_7.db"])
def test_a_folder_that_is_damaged(temporary: Path, gone: str) -> None:
    """It is not whole once something is gone that was there; values of workers that have ended and
    files that are being written come and go."""
    folder = WorkersFolder()
    for name in ("worker-0", "counter_7.db", "gauge_livesum_7.db", ".passwords.1234"):
        (folder.path / name).touch()
    assert folder.is_whole()
    (folder.path / ".passwords.1234").unlink()
    assert folder.is_whole()
    if gone == ".":
        shutil.rmtree(folder.path)
    else:
        (folder.path / gone).unlink()
    assert folder.is_whole() is gone.startswith("gauge_live")
    folder.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(TMPFILES is None, reason="systemd-tmpfiles is missing")
def test_old_files_are_removed_around_it(temporary: Path) -> None:
    """systemd-tmpfiles, which removes old files below /tmp, leaves the folder alone as long as
    somebody uses it."""
    folder = WorkersFolder()
    worker = hold(folder.path)
    (folder.path / "passwords").touch()
    other = temporary / "other"
    other.mkdir()
    (other / "file").touch()
    rules = temporary.parent / f"{temporary.name}.conf"
    rules.write_text(f"d {temporary} 0700 - - 1s\n")
    clean = [str(TMPFILES), "--clean", str(rules)]
    for lock in (worker, folder._lock):
        time.sleep(1.5)
        subprocess.run(clean, check=True)
        assert not other.exists()
        assert (folder.path / "passwords").exists() and folder.is_whole()
        lock.close()
    rules.unlink()
    _remove_abandoned(temporary)
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_service(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below systemd it is in the service's own folder, unless nothing can be written there."""
    own = temporary / "run"
    own.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{own}:{temporary}")
    folder = WorkersFolder()
    assert folder.path.parent == own
    folder.close()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(temporary / "missing"))
    folder = WorkersFolder()
    assert folder.path.parent == temporary
    folder.close()


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
