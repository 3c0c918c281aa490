"""The decision log: a line for each decision, or for a sample of them, one file a day. Off by
default.

It answers "why was I blocked at ten past nine?" days later. A line names the person as the ledger
does, and never where somebody went within a platform. Lines are written by a separate thread, one
batch a second. What cannot be written (disk full, too many lines at once) is dropped and counted:
no page waits for this log. Several processes may write to one folder: a file is opened for each
batch, under a lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import structlog

from proxy_addon.core.types import Activity, Decision, Person
from proxy_addon.system import private_files
from proxy_addon.system.clock import Clock

log = structlog.get_logger("allowance.decisions")

BATCH_SECONDS: Final = 1.0  # seconds between two batches
MAX_WAITING: Final = 20_000  # lines that may wait to be written
STOP_TIMEOUT: Final = 5.0  # seconds that `stop` waits for the last batch
NO_ROOM, DISK = DROP_REASONS = ("no-room", "disk")
WOULD_BLOCK: Final = "would_block"  # as in the metrics: a rule that is only observed
_FILE = re.compile(r"decisions-(\d{4}-\d{2}-\d{2})\.jsonl")
_ALL: Final = 1 << 32


class DecisionEntry(NamedTuple):
    """One decision. `at` is an instant; `activity` is None where it was not known when this was
    noted."""

    at: float
    request: str
    person: Person
    decision: Decision
    activity: Activity | None = None


class Decisions(Protocol):
    """Where decisions are recorded."""

    def samples(self, request: str) -> bool:
        """Whether the decisions about this request are in the sample."""

    def put(self, entry: DecisionEntry) -> None:
        """Record one. Never waits and never raises."""


class DecisionLog:
    """The files of one folder. `sample` is the part of the requests that is noted, from 0 to 1;
    `days` is how long a file is kept; `mask` returns what the ledger calls a person; `dropped` is
    called, on any thread, with the reason why lines were dropped and how many they were."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        sample: float = 1.0,
        days: int = 30,
        mask: Callable[[str], str] = str,
        dropped: Callable[[str, int], None] = lambda why, lines: None,
    ) -> None:
        self._folder, self._clock, self._days, self._mask = folder, clock, days, mask
        self._below = round(sample * _ALL)
        self._dropped = dropped
        self._waiting: queue.Queue[DecisionEntry] = queue.Queue(MAX_WAITING)
        self._erasures: queue.SimpleQueue[Callable[[str], bool]] = queue.SimpleQueue()
        self._to_erase: list[Callable[[str], bool]] = []  # tried again until it is done
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decision-log", daemon=True)
        self._failed = False
        self._pruned: date | None = None

    def samples(self, request: str) -> bool:
        """The same answer for all decisions about one request, and in every process."""
        return int(request[:8], 16) < self._below

    def put(self, entry: DecisionEntry) -> None:
        """See `Decisions`."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            self._dropped(NO_ROOM, 1)

    def erase(self, is_them: Callable[[str], bool]) -> None:
        """Remove a person from the files soon. Later entries about them stay. Never waits."""
        self._erasures.put(is_them)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, then stop."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT)

    # -- on the thread

    def _run(self) -> None:
        while not self._stopping.wait(BATCH_SECONDS):
            self.run_batch()
        self.run_batch()

    def run_batch(self) -> None:
        """Run one batch: write, erase, and once a day delete old files. Never raises."""
        batch = list(_all_of(self._waiting))
        if batch and not self._succeeds(lambda: self._write(batch)):
            self._dropped(DISK, len(batch))
        elif batch and self._failed:
            self._failed = False
            log.info("the decision log is written again")
        self._to_erase += _all_of(self._erasures)
        while self._to_erase and self._succeeds(lambda: erase(self._folder, self._to_erase[0])):
            del self._to_erase[0]
        self._succeeds(self._prune)

    def _succeeds(self, task: Callable[[], object]) -> bool:
        because = ""
        try:
            task()
        except OSError as error:
            because = error.strerror or str(error)
        except Exception as error:  # a failure of this log must not stop the proxy
            because = type(error).__name__
        if because and not self._failed:
            self._failed = True
            log.error(
                "the decision log cannot be written", because=because, folder=str(self._folder)
            )
        return not because

    def _write(self, batch: list[DecisionEntry]) -> None:
        days: dict[date, list[str]] = {}
        for entry in batch:
            days.setdefault(_day(entry.at), []).append(self._line(entry))
        with _locked(self._folder):
            for day, lines in days.items():
                _append(self._folder / f"decisions-{day}.jsonl", "".join(lines).encode())

    def _line(self, entry: DecisionEntry) -> str:
        decision, person = entry.decision, entry.person
        line = {
            "at": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds"),
            "request": entry.request,
            "person": self._mask(person.name),
            "role": person.roles[0],
            "platform": decision.platform,
            "section": decision.section,
            "verdict": WOULD_BLOCK if decision.would_block else decision.verdict,
            "reason": decision.reason,
            "rule": decision.rule,
            "allowance": decision.allowance,
            "activity": entry.activity,
        }
        return json.dumps(line) + "\n"

    def _prune(self) -> None:
        today = _day(self._clock.now())
        if today == self._pruned:
            return
        for day, file in _files(self._folder):
            if day <= today - timedelta(days=self._days):
                file.unlink(missing_ok=True)
        self._pruned = today


def erase(folder: Path, is_them: Callable[[str], bool]) -> int:
    """Remove all lines about a person from the files of a folder; returns how many. Raises
    OSError."""
    gone = 0
    if not folder.is_dir():
        return gone
    with _locked(folder):
        for _, file in _files(folder):
            lines = file.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if not is_them(_person(line))]
            if len(kept) < len(lines):
                gone += len(lines) - len(kept)
                fresh = file.with_name(f".{file.name}")
                fresh.unlink(missing_ok=True)
                _append(fresh, b"".join(kept))
                fresh.replace(file)
    return gone


def about(folder: Path, is_them: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
    """The lines about a person, oldest first. Raises OSError."""
    for _, file in _files(folder):
        yield from (
            json.loads(line) for line in file.read_bytes().splitlines() if is_them(_person(line))
        )


def _person(line: bytes) -> str:
    try:
        return str(json.loads(line)["person"])
    except (ValueError, KeyError, TypeError):
        return ""  # not ours


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def _files(folder: Path) -> Iterable[tuple[date, Path]]:
    """The files of this log with the day of each, oldest first; none without the folder."""
    if not folder.is_dir():
        return []
    found = ((_FILE.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((date.fromisoformat(match[1]), path) for match, path in found if match)


def _append(file: Path, content: bytes) -> None:
    """All of it, or nothing: a full disk leaves no partial line."""
    target = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        before = os.fstat(target).st_size
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(target, left) :]
        except OSError:
            os.ftruncate(target, before)
            raise
    finally:
        os.close(target)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Exclusive access to the folder for this process."""
    private_files.make_folder(folder)
    lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _all_of[T](waiting: queue.Queue[T] | queue.SimpleQueue[T]) -> Iterator[T]:
    """Everything that is waiting now."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return
