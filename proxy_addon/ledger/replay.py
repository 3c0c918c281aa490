"""What processes that are gone have left in their journals is written to the ledger."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import Ledger
from proxy_addon.ledger.journal_files import keep_only, remove, taken
from proxy_addon.ledger.journal_owner import JournalOwner, Whose, whose
from proxy_addon.ledger.journal_records import line_of, read
from proxy_addon.ledger.refused import AGAIN_AFTER, LONGEST, REFUSED, write_apart
from proxy_addon.system.clock import timer

BATCH: Final = 1_000  # rows in one transaction of a replay

log = structlog.get_logger("allowance.journal")


class Postponed(NamedTuple):
    """A journal of which the ledger refuses something: when, by the timer, it is tried again, and
    the seconds that are waited for that."""

    until: float
    pause: float


NEVER_TRIED: Final = Postponed(0.0, AGAIN_AFTER / 2)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What earlier processes left: journals, visits now written, damaged lines, and visits that the
    ledger refuses, which stay in their journals."""

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
    postponed: MutableMapping[Path, Postponed] | None = None,
) -> Replayed:
    """Write what processes that are gone have left to the ledger, and remove it. May be interrupted
    anywhere and run again, and by several processes at once: each journal has a lock. Raises
    LedgerError when the ledger fails on the way: what is not written stays. `us`: the ledger, and
    `seen` where others were (`whose`). `warns` of journals that are not ours. `postponed`: those
    that are not tried now; kept up to date."""
    total = Replayed()
    later = {} if postponed is None else postponed
    for lock_file in journals_in(folder):
        was = later.get(lock_file, NEVER_TRIED)
        if timer() < was.until:
            continue
        with taken(lock_file) as is_free:
            if not is_free:
                continue
            found = whose(lock_file, us, seen or {})
            if found is Whose.OURS:
                done = replay_one(lock_file, ledger)
                total = _plus(total, done)
                if done.refused:
                    pause = min(LONGEST, 2 * was.pause)
                    later[lock_file] = Postponed(timer() + pause, pause)
                else:
                    later.pop(lock_file, None)
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


def replay_one(lock_file: Path, ledger: Ledger) -> Replayed:
    """Write one journal, whose lock the caller has taken, and remove it; what the ledger refuses
    stays in it, and nothing else. Raises LedgerError."""
    visits, torn = read(lock_file)
    refused: list[Visit] = []
    for first in range(0, len(visits), BATCH):
        refused += write_apart(ledger, visits[first : first + BATCH], lambda _: None)
    if refused:
        with suppress(OSError):  # then all of it stays, and is written again, which changes nothing
            keep_only(lock_file, b"".join(map(line_of, refused)))
    else:
        remove(lock_file)
    result = Replayed(1, len(visits) - len(refused), torn, len(refused))
    if result.visits or torn:
        log.info(
            "a journal was replayed",
            file=lock_file.name,
            visits=result.visits,
            torn=torn,
            refused=result.refused,
        )
    if refused:
        log.warning(
            "the ledger refuses visits of a journal",
            file=lock_file.name,
            visits=len(refused),
            hint=REFUSED,
        )
    return result


def _plus(one: Replayed, other: Replayed) -> Replayed:
    return Replayed(*(a + b for a, b in zip(astuple(one), astuple(other), strict=True)))
