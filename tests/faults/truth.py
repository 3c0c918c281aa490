"""What is true, what the ledger says, and the difference in seconds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from proxy_addon.core.intervals import difference, measure, normalise
from proxy_addon.core.types import Interval, Visit

EXACT = 1e-3  # seconds; the databases keep microseconds, and a person has hundreds of visits


@dataclass
class Account:
    """Seconds, over all runs so far. `worst` is the most that one person lost in one run."""

    runs: int = 0
    faults: int = 0
    written: float = 0.0
    lost: float = 0.0
    doubled: float = 0.0
    worst: float = 0.0
    late: float = 0.0  # the oldest revision that was lost: how long before the end it had been put
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Account) -> None:
        """Sum up; `worst` and `late` are the greatest."""
        self.runs += other.runs
        self.faults += other.faults
        self.written += other.written
        self.lost += other.lost
        self.doubled += other.doubled
        self.worst, self.late = max(self.worst, other.worst), max(self.late, other.late)
        self.wrong += other.wrong


def read_truth(file: Path) -> dict[str, list[tuple[float, Visit]]]:
    """Every revision of each visit with the wall-clock time at which it was put."""
    found: dict[str, list[tuple[float, Visit]]] = defaultdict(list)
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            at, *values = json.loads(line)
        except ValueError:
            continue  # killed in the middle of this line: it was not put
        found[values[0]].append((at, Visit(*values)))
    return found


def compare(
    truth: dict[str, list[tuple[float, Visit]]], rows: Iterable[Visit], ended: float
) -> Account:
    """The ledger's rows against the truth of a run that ended at the wall-clock time `ended`."""
    account = Account(runs=1)
    stored = {row.id: row for row in rows}
    true: dict[str, list[Interval]] = defaultdict(list)
    kept: dict[str, list[Interval]] = defaultdict(list)
    meant: dict[str, list[Interval]] = defaultdict(list)
    for key, revisions in truth.items():
        last = revisions[-1][1]
        true[last.person].append(Interval(last.start, last.end))
        row = stored.pop(key, None)
        missing = [at for at, visit in revisions if row is None or visit.rev > row.rev]
        if missing:
            account.late = max(account.late, ended - missing[0])
        if row is None:
            continue
        kept[row.person].append(Interval(row.start, row.end))
        said = next((visit for _, visit in revisions if visit.rev == row.rev), None)
        if said is None or abs(said.start - row.start) > EXACT or abs(said.end - row.end) > EXACT:
            account.wrong.append(f"{key} rev {row.rev} was never put like this")
            continue
        meant[row.person].append(Interval(said.start, said.end))
    account.wrong += [f"{key} is in the ledger and nobody put it" for key in stored]
    for person in {*true, *kept}:
        wanted, has = normalise(true[person]), normalise(kept[person])
        lost = measure(difference(wanted, has))
        account.written += measure(has)
        account.lost += lost if lost > EXACT else 0.0
        account.worst = max(account.worst, lost)
        # What was put and is there again on top: longer than the union of what was put.
        more = measure(difference(has, normalise(meant[person])))
        account.doubled += more if more > EXACT else 0.0
    return account
