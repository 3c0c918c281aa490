"""What processes that are gone have left in their journals is written to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import Ledger, LedgerRefused
from proxy_addon.ledger.journal_files import remove, taken
from proxy_addon.ledger.journal_owner import JournalOwner, Whose, whose
from proxy_addon.ledger.journal_records import read

BATCH: Final = 1_000  # rows in one transaction of a replay

log = structlog.get_logger("allowance.journal")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What earlier processes left: journals, visits now written, damaged lines, rows refused."""

    journals: int = 0
    visits: int = 0
    torn: int = 0
    refused: int = 0


def replay(
    folder: Path,
    us: JournalOwner,
    ledger: Ledger,
    *,
    seen: Mapping[str, str] | None = None,
    warns: bool = True,
) -> Replayed:
    """Write what processes that are gone have left to the ledger, and remove it. May be interrupted
    anywhere and run again, and by several processes at once: each journal has a lock. Raises
    LedgerError when the ledger fails on the way: what is not written stays. `us`: the ledger, and
    `seen` where others were (`whose`). `warns` of journals that are not ours."""
    total = Replayed()
    for lock_file in journals_in(folder):
        with taken(lock_file) as is_free:
            if not is_free:
                continue
            found = whose(lock_file, us, seen or {})
            if found is Whose.OURS:
                total = _plus(total, replay_one(lock_file, ledger))
            elif warns:
                log.warning(
                    "a journal of another database is left alone",
                    file=str(lock_file),
                    belongs_to=found.value,
                )
    return total


def journals_in(folder: Path) -> Sequence[Path]:
    """The lock files of all journals in a folder, in order."""
    return sorted(folder.glob("*.lock")) if folder.is_dir() else ()


def left_in(
    folder: Path, us: JournalOwner, seen: Mapping[str, str] | None = None
) -> Sequence[Visit]:
    """What the journals of a ledger hold, those of live processes included. Changes nothing."""
    found: list[Visit] = []
    for lock_file in journals_in(folder):
        try:
            if whose(lock_file, us, seen or {}) is Whose.OURS:
                found += read(lock_file)[0]
        except FileNotFoundError:
            continue  # its process has just removed it
        except OSError as problem:
            log.warning("a journal cannot be read", file=str(lock_file), because=problem.strerror)
    return found


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


def replay_one(lock_file: Path, ledger: Ledger) -> Replayed:
    """Write one journal, whose lock the caller has taken, and remove it. Raises LedgerError."""
    visits, torn = read(lock_file)
    refused: list[str] = []
    for first in range(0, len(visits), BATCH):
        write_or_split(
            ledger,
            visits[first : first + BATCH],
            lambda _: None,
            lambda visit, _: refused.append(visit.id),
        )
    remove(lock_file)
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
