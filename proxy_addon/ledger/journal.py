"""Visits on the disk of this host while the ledger is away, so that no crash loses them.

A journal is two files and a lock, named by database and node. One file is in use; when it has
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

import fcntl
import hashlib
import json
import os
import re
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import structlog

from proxy_addon.core.metering.evidence import packed, unpacked
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import Ledger, LedgerRefused, LedgerUnusable
from proxy_addon.system import private_files

MOST_BYTES: Final = 32 * 2**20  # for each of the two files; some 90,000 visits
RESERVED_BYTES: Final = 2**20  # for each of the two files, taken at the start; some 2,800 visits
BATCH: Final = 1_000  # rows in one transaction of a replay

# A record is the visit's fields in this order. `evidence` is packed into text.
_OPTIONAL_TEXT: Final = (str, type(None))
_NUMBER: Final = (float, int)
_SHAPES: Final[dict[str, type | tuple[type, ...]]] = {
    "id": str,
    "person": str,
    "platform": str,
    "section": _OPTIONAL_TEXT,
    "allowance": _OPTIONAL_TEXT,
    "rule": _OPTIONAL_TEXT,
    "start": _NUMBER,
    "end": _NUMBER,
    "node": str,
    "rev": int,
    "evidence": _OPTIONAL_TEXT,
}
_NAMES: Final = tuple(_SHAPES)
_FIELDS: Final = tuple(_SHAPES.values())
_WITHOUT_EVIDENCE: Final = len(_FIELDS) - 1  # as earlier versions wrote them
_BREAKS: Final = re.compile(rb"[\n\0]+")  # zeros: pages that never reached the disk
_UNSAFE: Final = re.compile(r"[^\w.-]+")
_SUFFIXES: Final = (".a", ".b")

log = structlog.get_logger("allowance.journal")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What earlier processes left: journals, visits now written, damaged lines, rows refused."""

    journals: int = 0
    visits: int = 0
    torn: int = 0
    refused: int = 0


class Journal:
    """The journal of this process. Safe to call from several threads, never from the event loop: it
    waits for the disk. Raises LedgerUnusable where no journal can be kept at all."""

    def __init__(
        self,
        folder: Path,
        node: str,
        database: str,
        *,
        most_bytes: int = MOST_BYTES,
        reserved_bytes: int = RESERVED_BYTES,
    ) -> None:
        self._guard = threading.Lock()  # guards all fields
        self._most, self._reserved = most_bytes, min(reserved_bytes, most_bytes)
        self._kept: dict[str, Visit] = {}  # what the files hold and the ledger does not, newest rev
        self._dropped = 0
        self._active = 0
        self._ends = [0, 0]
        self._grown_from = 0  # size after the last compaction
        stem = f"{_mark(database)}-{_UNSAFE.sub('_', node)}"
        self.path = folder / f"{stem}.lock"
        try:
            private_files.make_folder(folder)
            self._lock = _make_lock(self.path)
            self._files = [_open(folder / f"{stem}{suffix}") for suffix in _SUFFIXES]
            for file in self._files:
                os.posix_fallocate(file, 0, self._reserved)
        except OSError as problem:
            raise LedgerUnusable(
                f"journal folder {folder} cannot be used: {problem.strerror}; name a writable one with --journal",
                kind="journal",
            ) from None

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
            fresh = [visit for visit in visits if self._is_news(visit)]
            if not fresh:
                return 0
            data, fitting = self._packed(fresh, self._most - self._ends[self._active])
            missing = len(fresh) - len(fitting)
            helps = self._grown_from < self._most // 2  # else it is full of what is needed
            if (missing and helps) or self._is_due(len(data)):
                missing = self._compact(fresh)
            else:
                self._write(self._active, data)
                self._kept.update((visit.id, visit) for visit in fitting)
            self._dropped += missing
            return missing

    def settle(self, visits: Iterable[Visit]) -> None:
        """These are in the ledger now. When nothing else is left, the files are emptied."""
        with self._guard:
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

    def close(self) -> None:
        """Leave what the ledger does not have to the next start; remove the files when there is
        nothing."""
        with self._guard:
            if self._lock < 0:
                return
            if not self._kept:
                _remove(self.path)
            for file in (*self._files, self._lock):
                os.close(file)
            self._lock = -1

    def _is_news(self, visit: Visit) -> bool:
        kept = self._kept.get(visit.id)
        return kept is None or kept.rev < visit.rev

    def _is_due(self, more: int) -> bool:
        """Whether enough of the file is out of date to rewrite it."""
        grown = self._ends[self._active] + more
        return grown > self._reserved // 2 and grown > 4 * self._grown_from

    def _packed(self, visits: Sequence[Visit], room: int) -> tuple[bytes, list[Visit]]:
        """Records of the first visits that fit into `room` bytes."""
        lines, fitting = [], []
        for visit in visits:
            line = _line(visit)
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


def replay(folder: Path, database: str, ledger: Ledger, *, warns: bool = True) -> Replayed:
    """Write what processes that are gone have left to the ledger, and remove it. May be interrupted
    anywhere and run again, and by several processes at once: each journal has a lock. Raises
    LedgerError when the ledger fails on the way: what is not written stays. `warns` of journals
    that belong to another database."""
    total = Replayed()
    for lock_file in sorted(folder.glob("*.lock")) if folder.is_dir() else ():
        with _taken(lock_file) as is_ours:
            if is_ours and lock_file.name.startswith(f"{_mark(database)}-"):
                total = _plus(total, _replay_one(lock_file, ledger))
            elif is_ours and warns:
                log.warning("a journal of another database is left alone", file=str(lock_file))
    return total


def write_or_split(
    ledger: Ledger,
    batch: Sequence[Visit],
    done: Callable[[Sequence[Visit]], None],
    refused: Callable[[Visit, LedgerRefused], None],
) -> None:
    """Write a batch; one row that no database will ever take must not keep the others waiting."""
    try:
        ledger.write_visits(batch)
    except LedgerRefused as problem:
        if len(batch) == 1:
            refused(batch[0], problem)
            return
        middle = len(batch) // 2
        write_or_split(ledger, batch[:middle], done, refused)
        write_or_split(ledger, batch[middle:], done, refused)
    else:
        done(batch)


def read(lock_file: Path) -> tuple[list[Visit], int]:
    """The visits of a journal, newest rev of each, and how many lines were damaged. Changes
    nothing."""
    found: dict[str, Visit] = {}
    torn = 0
    for suffix in _SUFFIXES:
        try:
            data = lock_file.with_suffix(suffix).read_bytes()
        except FileNotFoundError:
            continue  # killed before it was made
        for line in filter(None, _BREAKS.split(data)):
            visit = _parse(line)
            if visit is None:
                torn += 1
            elif visit.id not in found or found[visit.id].rev < visit.rev:
                found[visit.id] = visit
    return list(found.values()), torn


def _replay_one(lock_file: Path, ledger: Ledger) -> Replayed:
    visits, torn = read(lock_file)
    refused: list[str] = []
    for first in range(0, len(visits), BATCH):
        write_or_split(
            ledger,
            visits[first : first + BATCH],
            lambda _: None,
            lambda visit, _: refused.append(visit.id),
        )
    _remove(lock_file)
    result = Replayed(1, len(visits) - len(refused), torn, len(refused))
    if visits or torn:
        log.info(
            "a journal was replayed",
            file=lock_file.name,
            visits=result.visits,
            torn=torn,
            refused=refused,
        )
    return result


def _plus(one: Replayed, other: Replayed) -> Replayed:
    return Replayed(*(a + b for a, b in zip(astuple(one), astuple(other), strict=True)))


def _mark(database: str) -> str:
    """Tells databases apart without naming them; `database` must not hold a password."""
    return hashlib.sha256(database.encode()).hexdigest()[:8]


def _line(visit: Visit) -> bytes:
    values = [getattr(visit, name) for name in _NAMES]
    values[-1] = None if visit.evidence is None else packed(visit.evidence)
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(
        errors="surrogatepass"
    )
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _parse(line: bytes) -> Visit | None:
    """The visit of a line; None when it is not whole."""
    check, _, text = line.partition(b" ")
    if check != b"%08x" % zlib.crc32(text):
        return None
    try:
        values = json.loads(text.decode(errors="surrogatepass"))
    except ValueError:
        return None
    if isinstance(values, list) and len(values) == _WITHOUT_EVIDENCE:
        values.append(None)
    fits = isinstance(values, list) and len(values) == len(_FIELDS)
    if not fits or not all(
        isinstance(value, kind) for value, kind in zip(values, _FIELDS, strict=True)
    ):
        return None
    values[-1] = unpacked(values[-1])
    return Visit(*values)


def _open(path: Path, more: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | more, 0o600)


def _make_lock(path: Path) -> int:
    """A new file that we hold. Somebody who takes abandoned journals may take it in between: then
    again."""
    while True:
        file = _open(path, os.O_EXCL)  # never what another process has left
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_still(path, file):
            return file
        os.close(file)


def _is_still(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


@contextmanager
def _taken(lock_file: Path) -> Iterator[bool]:
    """Hold the lock of a journal; false when a live process holds it, or another process has just
    removed it."""
    try:
        file = os.open(lock_file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield _is_still(lock_file, file)
    finally:
        os.close(file)


def _remove(lock_file: Path) -> None:
    """The lock last: a lock without files is an empty journal."""
    for path in (*(lock_file.with_suffix(suffix) for suffix in _SUFFIXES), lock_file):
        with suppress(FileNotFoundError):
            path.unlink()
