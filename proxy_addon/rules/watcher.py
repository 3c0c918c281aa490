"""Watches the rules folder: reports a change, once for a burst of saves.

Notifications of the operating system (inotify and the like) make it quick. They are not enough: a
network mount sends none, a symbolic link keeps its old target, a deleted folder ends its watch. So
the folder is also polled every few seconds, by names, sizes and times of its files; while these are
unchanged, nothing is read.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from watchfiles import watch

log = structlog.get_logger("allowance.rules")

POLL = 2.0  # seconds between two polls without a notification
QUIET = 0.2  # seconds without a change that end a burst of saves
LONGEST = 2.0  # seconds after which a burst that goes on is read all the same
_MOST = 5_000  # files looked at

type Snapshot = tuple[tuple[object, ...], ...]


class RulesWatcher:
    """Calls `on_change` from a thread of its own."""

    def __init__(
        self, folder: Path, on_change: Callable[[], object], *, poll: float = POLL
    ) -> None:
        self._folder = folder
        self._on_change = on_change
        self._poll = poll
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch what changes from now on."""
        seen = snapshot(self._folder)
        self._thread = threading.Thread(target=self._run, args=(seen,), name="rules", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching. A change that is under way is finished."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _run(self, seen: Snapshot) -> None:
        for notified in self._notifications():
            now = snapshot(self._folder)
            if not notified and now == seen:
                continue
            seen = self._wait_until_quiet(now)
            if self._stop.is_set():
                return
            try:
                self._on_change()
            except Exception:
                log.exception("a change of the rules could not be followed")

    def _wait_until_quiet(self, seen: Snapshot) -> Snapshot:
        """Wait for the end of a burst."""
        waited = 0.0
        while waited < LONGEST and not self._stop.wait(QUIET):
            waited += QUIET
            now = snapshot(self._folder)
            if now == seen:
                break
            seen = now
        return seen

    def _notifications(self) -> Iterator[bool]:
        """True for each notification about a rule file, False when it is time to poll."""
        warned = False
        while not self._stop.is_set():
            try:
                yield from self._system_notifications()
            except (OSError, RuntimeError) as error:
                if not warned:
                    warned = True
                    log.warning("no notice of changes, looking every few seconds", error=str(error))
                self._stop.wait(self._poll)
                yield False

    def _system_notifications(self) -> Iterator[bool]:
        """The notifications of the operating system, until the path is another folder."""
        identity = _identity(self._folder)
        batches = watch(
            self._folder,
            watch_filter=None,
            debounce=1000,
            step=100,
            stop_event=self._stop,
            rust_timeout=int(self._poll * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for batch in batches:
            yield any(not Path(path).name.startswith(".") for _, path in batch)
            if _identity(self._folder) != identity:
                return


def snapshot(folder: Path) -> Snapshot:
    """What can be seen of a folder without reading its files; those of one level below it too."""
    found: list[tuple[object, ...]] = [(_identity(folder),)]
    _list(folder, found, deeper=True)
    return tuple(found)


def _list(folder: Path, found: list[tuple[object, ...]], *, deeper: bool) -> None:
    try:
        with os.scandir(folder) as entries:
            listed = sorted(
                (entry for entry in entries if entry.name[:1] != "."), key=lambda one: one.name
            )
    except OSError as error:
        found.append((str(folder), error.errno))
        return
    for entry in listed[: _MOST - len(found)]:
        try:
            seen = entry.stat()
        except OSError as error:
            found.append((entry.path, error.errno))
            continue
        found.append(
            (entry.path, seen.st_mtime_ns, seen.st_size, seen.st_ino, seen.st_dev, seen.st_mode)
        )
        if deeper and entry.is_dir():
            _list(Path(entry.path), found, deeper=False)


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder a path means now; None when there is none."""
    try:
        seen = folder.stat()
    except OSError:
        return None
    return seen.st_dev, seen.st_ino
