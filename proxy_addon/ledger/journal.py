"""Visits on the disk of this host while the ledger is away, so that no crash loses them.

A journal is two files and a lock, named by ledger and node; the lock says whose it is
(`journal_owner`). One file is in use; when it has
grown, the newest revision of each visit that is still needed is written to the other one, and the
first is emptied. Reading takes both, so it does not matter at which point of this the process was
killed: a visit that is there twice counts once, by its highest `rev`, and the ledger does not mind
a visit that it has already.

A record is a line: a CRC-32 in hexadecimal, a space, the visit as JSON. A line that was torn, or
damaged later, fails its check and is dropped alone, with a count. Space is reserved at the start,
filled with zeros, because an outage may well be a full disk, and the journal of a SQLite ledger
lies on the same one.

Each `add` ends with `fdatasync`: what it was given survives the end of the process and the loss of
power. The lock is held as long as the process lives, and the system releases it however the process
ends: `replay` takes what nobody holds, and removes it only when the ledger has it all.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerUnusable
from proxy_addon.ledger.journal_files import is_still, make_lock, open_file, remove
from proxy_addon.ledger.journal_owner import JournalOwner, write_owner
from proxy_addon.ledger.journal_records import SUFFIXES, line_of
from proxy_addon.system import private_files

MOST_BYTES: Final = 32 * 2**20  # for each of the two files; some 90,000 visits
RESERVED_BYTES: Final = 2**20  # for each of the two files, taken at the start; some 2,800 visits
# Failures of a disk that may pass without a change of the settings.
PASSING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE})

_UNSAFE: Final = re.compile(r"[^\w.-]+")
log = structlog.get_logger("allowance.journal")


class Journal:
    """The journal of this process. Safe to call from several threads, never from the event loop: it
    waits for the disk. Raises LedgerUnusable where no journal can ever be kept."""

    def __init__(
        self,
        folder: Path,
        node: str,
        owner: JournalOwner,
        *,
        most_bytes: int = MOST_BYTES,
        reserved_bytes: int = RESERVED_BYTES,
        is_strict: bool = True,
    ) -> None:
        """`owner`: whose visits these will be. `is_strict`: raise LedgerUnusable where no journal
        can ever be kept; without it, and on a disk that is full, `add` tries again."""
        self._guard = threading.Lock()  # guards all fields
        self._most, self._reserved = most_bytes, min(reserved_bytes, most_bytes)
        self._kept: dict[str, Visit] = {}  # what the files hold and the ledger does not, newest rev
        self._unwritten: dict[str, Visit] = {}  # what they held before somebody removed them
        self._dropped = 0
        self._active = 0
        self._ends = [0, 0]
        self._grown_from = 0  # size after the last compaction
        self._owner, self._is_marked = owner, False
        self.path = folder / f"{owner.mark}-{_UNSAFE.sub('_', node)}.lock"
        self._lock, self._files, self._unreserved = -1, list[int](), list(range(len(SUFFIXES)))
        self._is_closed = False
        try:
            self._open()
        except OSError as problem:
            if is_strict and problem.errno not in PASSING:
                raise LedgerUnusable(
                    f"journal folder {folder} cannot be used: {problem.strerror}; name a writable one with --journal",
                    kind="journal",
                ) from None
            log.warning("there is no journal yet", because=problem.strerror)

    @property
    def size(self) -> int:
        """Bytes written in the two files."""
        return sum(self._ends)

    @property
    def held(self) -> int:
        """How many visits are here and not in the ledger."""
        return len(self._kept)

    @property
    def dropped(self) -> int:
        """How many times a visit found no room here (it was in memory all the same)."""
        return self._dropped

    def add(self, visits: Iterable[Visit]) -> int:
        """Keep visits, or newer revisions of them; returns how many found no room. Raises OSError
        when the disk cannot be written: nothing of the call is kept then."""
        with self._guard:
            self._leave_removed()
            newest = dict(self._unwritten)
            newest.update((v.id, v) for v in visits if _is_newer(v, newest.get(v.id)))
            fresh = [visit for visit in newest.values() if self._is_news(visit)]
            if not fresh:
                return 0
            self._open()
            data, fitting = self._packed(fresh, self._most - self._ends[self._active])
            missing = len(fresh) - len(fitting)
            helps = self._grown_from < self._most // 2  # else it is full of what is needed
            if (missing and helps) or self._is_due(len(data)):
                missing = self._compact(fresh)
            else:
                self._write(self._active, data)
                self._kept.update((visit.id, visit) for visit in fitting)
            self._unwritten = {}
            self._dropped += missing
            return missing

    def settle(self, visits: Iterable[Visit]) -> None:
        """These are in the ledger now. When nothing else is left, the files are emptied."""
        with self._guard:
            for visit in visits if self._unwritten else ():
                if not _is_newer(self._unwritten.get(visit.id, visit), visit):
                    self._unwritten.pop(visit.id, None)
            if not self._kept:
                return
            for visit in visits:
                kept = self._kept.get(visit.id)
                if kept is not None and kept.rev <= visit.rev:
                    del self._kept[visit.id]
            if not self._kept:
                for number in range(2):
                    self._empty(number)

    def has(self, visit: Visit) -> bool:
        """Whether this revision, or a newer one, is here."""
        with self._guard:
            return not self._is_news(visit)

    def belongs_to(self, ledger: str, key: str | None) -> None:
        """The id of the ledger, and of the key of its pseudonyms, have become known: whoever finds
        this journal has to know them, too."""
        with self._guard:
            owner = replace(self._owner, ledger=ledger, key=key)
            if owner != self._owner:
                self._owner, self._is_marked = owner, False
                with suppress(OSError):  # again with the next visits
                    self._open()

    def close(self) -> None:
        """Leave what the ledger does not have to the next start; remove the files when there is
        nothing."""
        with self._guard:
            self._is_closed = True
            if self._lock < 0:
                return
            if not self._kept:
                remove(self.path)
            for file in (*self._files, self._lock):
                os.close(file)
            self._lock = -1

    def _open(self) -> None:
        """Make the files, where that has not been possible yet. A disk that is full now may have
        room later: without the reserve a journal works as long as there is some."""
        if self._lock < 0 and not self._is_closed:
            private_files.make_folder(self.path.parent)
            self._lock = make_lock(self.path)
        if not self._is_marked and self._lock >= 0:
            write_owner(self._lock, self._owner)
            self._is_marked = True
        for suffix in SUFFIXES[len(self._files) :]:
            self._files.append(open_file(self.path.with_suffix(suffix)))
        for number in tuple(self._unreserved):
            try:
                os.posix_fallocate(self._files[number], 0, self._reserved)
            except OSError as problem:
                if problem.errno not in PASSING:
                    raise
            else:
                self._unreserved.remove(number)

    def _is_news(self, visit: Visit) -> bool:
        return _is_newer(visit, self._kept.get(visit.id))

    def _leave_removed(self) -> None:
        """What was removed, or replaced, while it was in use can be written to, and nobody will
        ever read it. So all that waits is written anew, to files that have the names."""
        paths = [self.path.with_suffix(suffix) for suffix in SUFFIXES[: len(self._files)]]
        has_lock = self._lock < 0 or is_still(self.path, self._lock)
        if has_lock and all(map(is_still, paths, self._files)):
            return
        log.warning(
            "the journal was removed while it was in use; it is written anew",
            file=str(self.path),
            visits=len(self._kept),
        )
        for file in self._files:
            os.close(file)
        if not has_lock:
            os.close(self._lock)
            self._lock, self._is_marked = -1, False
            if self.path.exists():  # somebody has put other files there, which are not ours to take
                self.path = self.path.with_name(f"{self.path.stem}_.lock")
        for suffix in SUFFIXES:  # the rest of ours is no longer up to date in a moment
            with suppress(OSError):
                self.path.with_suffix(suffix).unlink()
        self._files, self._unreserved = [], list(range(len(SUFFIXES)))
        self._active, self._ends, self._grown_from = 0, [0, 0], 0
        self._unwritten, self._kept = {**self._unwritten, **self._kept}, {}

    def _is_due(self, more: int) -> bool:
        """Whether enough of the file is out of date to rewrite it."""
        grown = self._ends[self._active] + more
        return grown > self._reserved // 2 and grown > 4 * self._grown_from

    def _packed(self, visits: Sequence[Visit], room: int) -> tuple[bytes, list[Visit]]:
        """Records of the first visits that fit into `room` bytes."""
        lines, fitting = [], []
        for visit in visits:
            line = line_of(visit)
            room -= len(line)
            if room < 0:
                break
            lines.append(line)
            fitting.append(visit)
        return b"".join(lines), fitting

    def _compact(self, fresh: Sequence[Visit]) -> int:
        """Write the newest revisions to the other file, then empty this one; how many found no
        room."""
        other = 1 - self._active
        # The newest first: they belong to people who are active now, so they matter most when space
        # is short.
        newest = {visit.id: visit for visit in (*fresh, *reversed(self._kept.values()))}
        newest.update((visit.id, visit) for visit in fresh)
        data, fitting = self._packed(list(newest.values()), self._most)
        self._empty(other)
        self._write(other, data)
        self._empty(self._active)
        self._active, self._grown_from = other, len(data)
        self._kept = {visit.id: visit for visit in reversed(fitting)}
        return len(newest) - len(fitting)

    def _write(self, number: int, data: bytes) -> None:
        """Append. The end moves only when all is on the disk: a write that failed is written
        over."""
        file, at = self._files[number], self._ends[number]
        for first in range(0, len(data), 2**20):
            piece = data[first : first + 2**20]
            while piece:
                done = os.pwrite(file, piece, at)
                piece, at = piece[done:], at + done
        os.fdatasync(file)
        self._ends[number] = at

    def _empty(self, number: int) -> None:
        """Zeros, and no more than was reserved. Killed half-way, what is left is merely written
        again."""
        file = self._files[number]
        if os.fstat(file).st_size > self._reserved:
            os.ftruncate(file, self._reserved)
        if end := min(self._ends[number], self._reserved):
            os.pwrite(file, bytes(end), 0)
            os.fdatasync(file)
        self._ends[number] = 0


def _is_newer(visit: Visit, known: Visit | None) -> bool:
    return known is None or known.rev < visit.rev
