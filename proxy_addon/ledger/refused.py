"""Visits that the database refuses, by a constraint or a trigger that somebody has added, or for a
value that it cannot hold. They are set aside, so that the others are written, and nothing is lost.

Which is at fault, the row or the ledger? A ledger that takes no visit at all, not even one that it
has already, is at fault: it counts as away, and everything waits. A ledger that takes others is
not: then the refused visits stay in memory and in the journal, and are tried again from time to
time, in few calls, after whatever else waits has been written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import Ledger, LedgerRefused, LedgerUnavailable
from proxy_addon.ledger.pending import PendingVisits
from proxy_addon.system.clock import timer

SAMPLE: Final = 10  # rows that are tried alone before a large batch is split
AGAIN_AFTER: Final = 5.0  # seconds until refused visits are tried again; doubled from try to try
LONGEST: Final = 60.0  # the most that is waited between two such tries
CALLS: Final = 20  # of the ledger, in one such try
BATCH: Final = 1_000  # rows of such a try
PROOF_LASTS: Final = 3600.0  # seconds; what was written earlier may have been deleted since
REFUSED: Final = (
    "look for a constraint or a trigger that was added to its tables; what is refused is kept in the "
    "journal, and tried again"
)
AT_FAULT: Final = (
    "the database refuses every visit; look for a constraint or a trigger that was added"
)

log = structlog.get_logger("allowance.ledger")


class RefusedVisits:
    """What one ledger refused while it took others. Called on the writer's thread; `waiting` and
    `len` from any."""

    def __init__(
        self,
        ledger: Ledger,
        most: int,
        *,
        written: Callable[[Sequence[Visit]], None],
        refused: Callable[[Visit], None],
    ) -> None:
        """`written` gets what the ledger has taken, and has `waiting` forget it; `refused` gets
        each visit that it has just refused. `most` are kept in memory."""
        self._ledger = ledger
        self._tell_written, self._tell_refused = written, refused
        self.waiting = PendingVisits(most)  # those that were set aside
        self._proof: tuple[Visit, float] | None = None  # written last, and when
        self._pause, self._again_at = AGAIN_AFTER, 0.0

    def __len__(self) -> int:
        return len(self.waiting)

    def write(self, batch: Sequence[Visit]) -> Sequence[Visit]:
        """Write a batch; gives those of it that are set aside, now or since earlier: these no
        longer wait for anything else. Raises LedgerError: LedgerUnavailable where the ledger takes
        no visit at all."""
        known = [visit for visit in batch if self.waiting.has(visit.id)]
        fresh = [visit for visit in batch if not self.waiting.has(visit.id)]
        refused = write_apart(self._ledger, fresh, self._written) if fresh else ()
        if refused and len(refused) == len(fresh) and not self._takes_proof():
            raise LedgerUnavailable(AT_FAULT, kind="refused")
        if refused and not len(self):
            self._pause, self._again_at = AGAIN_AFTER, timer() + AGAIN_AFTER
        for visit in refused:
            self._tell_refused(visit)
        for visit in (*known, *refused):
            self.waiting.put(visit)
        return (*known, *refused)

    def try_again(self) -> None:
        """Write some of what was set aside, where that is due. Raises LedgerError when the ledger
        fails otherwise than by refusing."""
        if not len(self) or timer() < self._again_at:
            return
        self._again_at = timer() + self._pause  # also where the ledger fails
        # By chance: those that are never taken must not always come first.
        rows = random.sample(self.waiting.first(len(self)), min(BATCH, len(self)))
        chunks, calls, taken = [rows], 0, 0
        while chunks and calls < CALLS:
            chunk = chunks.pop()
            calls += 1
            if self._takes(chunk):
                taken += len(chunk)
                self._written(chunk)
            elif len(chunk) > 1:
                chunks += chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :]
        if taken:
            log.info("the ledger took refused visits", visits=taken, left=len(self))
        self._pause = AGAIN_AFTER if taken else min(LONGEST, 2 * self._pause)
        self._again_at = timer() + (0.0 if taken else self._pause)

    def _written(self, visits: Sequence[Visit]) -> None:
        self._proof = visits[-1], timer()
        self._tell_written(visits)

    def _takes_proof(self) -> bool:
        """Whether the ledger takes the visit that it took last: again, which changes nothing."""
        if self._proof is None or timer() - self._proof[1] > PROOF_LASTS:
            return False
        return self._takes((self._proof[0],))

    def _takes(self, visits: Sequence[Visit]) -> bool:
        try:
            self._ledger.write_visits(visits)
        except LedgerRefused:
            return False
        return True


def write_apart(
    ledger: Ledger,
    batch: Sequence[Visit],
    written: Callable[[Sequence[Visit]], None],
    *,
    is_part: bool = False,
) -> Sequence[Visit]:
    """Write a batch, of which the ledger may refuse some; gives those. A large batch of which
    neither the whole is taken nor any of a few rows is not split further: that would be thousands
    of calls that fail. Raises LedgerError when it fails otherwise. `is_part` of such a batch."""
    try:
        ledger.write_visits(batch)
    except LedgerRefused:
        if len(batch) == 1:
            return tuple(batch)
    else:
        written(batch)
        return ()
    if not is_part and len(batch) > 2 * SAMPLE and not _takes_one(ledger, batch, written):
        return tuple(batch)
    middle = len(batch) // 2
    halves = batch[:middle], batch[middle:]
    return [row for half in halves for row in write_apart(ledger, half, written, is_part=True)]


def _takes_one(
    ledger: Ledger, batch: Sequence[Visit], written: Callable[[Sequence[Visit]], None]
) -> bool:
    for visit in random.sample(batch, SAMPLE):
        try:
            ledger.write_visits((visit,))
        except LedgerRefused:
            continue
        written((visit,))
        return True
    return False
