"""`proxy_addon/observability/metric_files.py`: workers count on a disk that is full, and live."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from proxy_addon.observability import metric_files
from proxy_addon.observability.metric_files import FIRST_BYTES, TRY_AGAIN, MetricsFile
from tests.ledger.writers import Stopwatch

# A worker: it counts, more and more series, on a disk that becomes full after `FULL_AFTER` of them.
WORKER = """
import os, sys
from pathlib import Path
from tests.observability.test_metric_files import fill
if sys.argv[2] == "ours":
    import proxy_addon.observability.metric_files as files
    files.install()
from prometheus_client import CollectorRegistry, Counter
if sys.argv[3] == "0":
    fill(Path(sys.argv[1]))
counter = Counter("seen", "Seen.", ["what"], registry=CollectorRegistry())
for number in range(4000):
    if number == int(sys.argv[3]):
        fill(Path(sys.argv[1]))
    counter.labels(f"series number {number}").inc(number)
print(sum(counter.labels(f"series number {number}")._value.get() for number in range(4000)))
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Leave not a byte."""
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass


def work(disk: Path, whose: str, full_after: int) -> subprocess.CompletedProcess[str]:
    """Run the worker."""
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(disk), whose, str(full_after)],
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(disk)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("full_after", [0, 10, 900])
def test_a_full_disk_ends_no_worker(disk: Path, full_after: int) -> None:
    """Full from the start, or in the middle: the files of prometheus_client end the process with
    SIGBUS, ours lose nothing of what this process has counted."""
    theirs = work(disk, "theirs", full_after)
    assert theirs.returncode == -signal.SIGBUS, theirs.stderr
    for left in disk.iterdir():
        left.unlink()
    ours = work(disk, "ours", full_after)
    assert ours.returncode == 0, ours.stderr
    assert float(ours.stdout.splitlines()[-1]) == sum(range(4000))
    assert "find no room" in ours.stdout + ours.stderr
    for file in disk.glob("*.db"):  # whoever adds them up can read what is there
        list(MmapedDict.read_all_values_from_file(str(file)))


def test_room_again(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What found no room moves to the file when the disk has some, after a while."""
    watch = Stopwatch()
    monkeypatch.setattr(metric_files, "timer", watch)
    fill(disk)
    counted = MetricsFile(str(disk / "counter_1.db"))
    counted.write_value("first", 1.0, 0.0)
    assert not (disk / "counter_1.db").exists()
    (disk / "filler").unlink()
    counted.write_value("second", 2.0, 0.0)
    assert not (disk / "counter_1.db").exists()  # not yet
    watch.at += TRY_AGAIN
    counted.write_value("first", 3.0, 0.0)
    assert counted.read_value("second") == (2.0, 0.0)
    counted.close()
    written = MmapedDict.read_all_values_from_file(str(disk / "counter_1.db"))
    assert {key.strip(): value for key, value, *_ in written} == {"first": 3.0, "second": 2.0}


def test_blocks_without_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system cannot reserve blocks, zeros are written; what is there stays."""

    def cannot(file: int, offset: int, size: int) -> None:
        raise OSError(95, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", cannot)
    path = tmp_path / "file"
    path.write_bytes(b"here")
    with path.open("r+b") as file:
        metric_files.allocate(file.fileno(), 3 * FIRST_BYTES)
    assert path.read_bytes() == b"here".ljust(3 * FIRST_BYTES, b"\0")
    assert path.stat().st_blocks * 512 >= 3 * FIRST_BYTES


def test_more_than_the_first_file_holds(tmp_path: Path) -> None:
    """A file grows, and has what theirs would have."""
    ours = MetricsFile(str(tmp_path / "ours.db"))
    theirs = MmapedDict(str(tmp_path / "theirs.db"))
    for number in range(3000):
        for each in (ours, theirs):
            each.write_value(f"a series, the {number}th", float(number), 0.0)
    ours.close()
    theirs.close()
    assert (tmp_path / "ours.db").read_bytes() == (tmp_path / "theirs.db").read_bytes()
