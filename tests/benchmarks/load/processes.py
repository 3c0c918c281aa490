"""What processes have used: time on a CPU, and memory. Linux only."""

from __future__ import annotations

import time
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    for parent in found:
        for task in _listed(Path(f"/proc/{parent}/task")):
            found += [int(child) for child in _text(task / "children").split()]
    return found


def cpu_seconds(pid: int) -> float:
    """What a process and those below it have spent on a CPU, in all threads, ended ones included;
    exact to the nanosecond where the kernel keeps such a clock for another process."""
    spent = 0.0
    for each in family(pid):
        try:
            spent += time.clock_gettime(~each << 3 | 2)  # as clock_getcpuclockid(3) makes it
        except OSError:  # it has ended meanwhile
            continue
    return spent


def memory(pid: int) -> int:
    """Bytes of a process and those below it; what they share is divided among them. Where that may
    not be read, because they are somebody else's: resident bytes."""
    return sum(_proportional(each) or _resident(each) for each in family(pid)) * 1024


def _proportional(pid: int) -> int:
    return _kilobytes(_text(Path(f"/proc/{pid}/smaps_rollup")), "Pss:")


def _resident(pid: int) -> int:
    return _kilobytes(_text(Path(f"/proc/{pid}/status")), "VmRSS:")


def _kilobytes(text: str, name: str) -> int:
    lines = [line.split() for line in text.splitlines() if line.startswith(name)]
    return int(lines[0][1]) if lines else 0


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
