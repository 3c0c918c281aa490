"""Carries visits to the ledger, and news of the other proxies back, on one thread of its own.

The event loop only puts visits into memory. Once in `flush_seconds` the thread writes what is there and asks
what others wrote since. While the ledger is away everything waits in memory, newest state of each visit only,
and is tried again for ever; writing is idempotent, so a write whose answer was lost is simply repeated.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from time import sleep
from types import MappingProxyType
from typing import Final

import structlog

from proxy_addon.clock import timer
from proxy_addon.core.types import Visit
from proxy_addon.ports import Clock, Ledger, LedgerError, LedgerRefused, News

MAX_PENDING: Final = 200_000  # visits; some 100 MB, a day of outage for an office of thousands
BATCH: Final = 1_000  # rows in one transaction
LONGEST_WAIT: Final = 10.0  # seconds between two tries while the ledger is away
STUCK_AFTER: Final = 10.0  # seconds after which a try that has not come back counts as an outage
LOOK_BACK: Final = 120.0  # seconds; the first news overlap what was loaded at start, even with clocks apart
LAST_TRIES: Final = 0.1  # seconds between two tries while the process is about to end
PRUNE_EVERY: Final = 86_400.0
PRUNE_AGAIN: Final = 600.0  # seconds until the next try when deleting failed

log = structlog.get_logger("allowance.ledger")


@dataclass(frozen=True, slots=True)
class WriterState:
    """How the ledger is doing. `flush_seconds` is what the last successful flush took, None before it."""

    up: bool
    pending: int
    flush_seconds: float | None
    errors: Mapping[str, int]  # kind -> failures since start
    message: str | None  # why it is down
    dropped: int  # visits given up for lack of room
    refused: int  # visits the ledger will never take


type OnNews = Callable[[News], None]
type OnState = Callable[[WriterState], None]


class Writer:
    """One per process. `put` and `state` may be called from any thread; `on_news` and `on_state` are called
    on the writer's thread and must hand over to the event loop themselves (`call_soon_threadsafe`).

    `node` is this proxy's name in visits: its own rows are no news. `retention` gives the seconds that
    visits are kept; with it, old ones are deleted soon after the start and once a day. `cursor` is where
    news begin (`News.cursor`); without one they begin two minutes ago.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        node: str,
        on_news: OnNews,
        clock: Clock,
        flush_seconds: float = 1.0,
        on_state: OnState | None = None,
        retention: Callable[[], float] | None = None,
        cursor: float | None = None,
        max_pending: int = MAX_PENDING,
    ) -> None:
        self._ledger = ledger
        self._node = node
        self._on_news = on_news
        self._on_state = on_state
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._retention = retention
        self._cursor = max(0.0, clock.now() - LOOK_BACK) if cursor is None else cursor
        self._max_pending = max_pending

        self._lock = threading.Lock()  # guards the fields below; never held while the ledger is called
        self._pending: OrderedDict[str, Visit] = OrderedDict()  # oldest first
        self._errors: Counter[str] = Counter()
        self._message: str | None = None  # None: up
        self._away_since = 0.0
        self._took: float | None = None
        self._busy_since: float | None = None
        self._dropped = 0
        self._refused = 0

        self._flushing = threading.Lock()  # one flush at a time; guards the fields below
        self._heard: tuple[dict[str, int], set[str]] = ({}, set())  # of the last news, to tell repetitions
        self._failures = 0
        self._prune_at = float("-inf")

        self._stopping = threading.Event()
        self._give_up_at = 0.0
        self._thread: threading.Thread | None = None
        self._pruner: threading.Thread | None = None

    def put(self, visit: Visit) -> None:
        """Take a visit to be written. Returns at once; of one id only the highest rev is kept."""
        with self._lock:
            waiting = self._pending.get(visit.id)
            if waiting is not None and waiting.rev >= visit.rev:
                return
            self._pending[visit.id] = visit
            if len(self._pending) <= self._max_pending:
                return
            self._pending.popitem(last=False)
            self._dropped += 1
            is_first = self._dropped == 1
        if is_first:
            log.error("visits are dropped", because="too many wait for the ledger", waiting=self._max_pending)

    def state(self) -> WriterState:
        """How the ledger is doing now."""
        with self._lock:
            stuck = self._busy_since is not None and timer() - self._busy_since > STUCK_AFTER
            message = self._message or ("the database does not answer" if stuck else None)
            return WriterState(
                up=message is None,
                pending=len(self._pending),
                flush_seconds=self._took,
                errors=MappingProxyType(dict(self._errors)),
                message=message,
                dropped=self._dropped,
                refused=self._refused,
            )

    def start(self) -> None:
        """Begin to flush."""
        # A daemon: a database that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> int:
        """Write all that waits, for at most `timeout` seconds, and end; how many visits could not be written.

        The ledger stays open. Visits put from now on are not written.
        """
        if self._thread is None:
            self.start()
        self._give_up_at = timer() + timeout
        self._stopping.set()
        # All tries are made on the thread: one that hangs in a call cannot be waited for any longer.
        if self._thread is not None:
            self._thread.join(timeout)
        state = self.state()
        if state.pending:
            log.error("visits could not be written", visits=state.pending, because=state.message)
        return state.pending

    def flush_now(self) -> bool:
        """Flush on the caller's thread; whether all went well. Not for the event loop: it may block."""
        with self._flushing:
            return self._flush()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.flush_now()
            self._prune_when_due()
            self._stopping.wait(self._pause())
        self.flush_now()
        while self.state().pending and timer() < self._give_up_at:
            sleep(LAST_TRIES)
            self.flush_now()

    def _pause(self) -> float:
        if not self._failures:
            return self._flush_seconds
        # The exponent is bounded: two to the power of a week's failures is no float.
        return float(min(LONGEST_WAIT, self._flush_seconds * 2 ** min(self._failures - 1, 10)))

    def _flush(self) -> bool:
        began = timer()
        with self._lock:
            self._busy_since = began
        try:
            self._write_pending()
            self._read_news()
        except LedgerError as problem:
            self._went_wrong(problem.kind, str(problem))
            return False
        except Exception as problem:  # the thread must outlive any mistake of ours
            log.exception("flush failed")
            self._went_wrong("internal", f"{type(problem).__name__}: {problem}")
            return False
        else:
            self._went_well(timer() - began)
            return True
        finally:
            with self._lock:
                self._busy_since = None
            self._tell()

    def _write_pending(self) -> None:
        """Write what waits now, oldest first. A row leaves the memory only when it has been written."""
        with self._lock:
            waiting = len(self._pending)
        for _ in range(0, waiting, BATCH):
            with self._lock:
                batch = tuple(islice(self._pending.values(), BATCH))
            self._write(batch)

    def _write(self, batch: Sequence[Visit]) -> None:
        try:
            self._ledger.write_visits(batch)
        except LedgerRefused as problem:
            if len(batch) == 1:
                self._give_up(batch[0], problem)
                return
            # One row that no database will ever take must not keep the others waiting.
            middle = len(batch) // 2
            self._write(batch[:middle])
            self._write(batch[middle:])
        else:
            self._forget(batch)

    def _forget(self, written: Sequence[Visit]) -> None:
        with self._lock:
            for visit in written:
                waiting = self._pending.get(visit.id)
                if waiting is not None and waiting.rev <= visit.rev:
                    del self._pending[visit.id]

    def _give_up(self, visit: Visit, problem: LedgerRefused) -> None:
        self._forget((visit,))
        with self._lock:
            self._refused += 1
            self._errors[problem.kind] += 1
        # No text of the driver: it may quote the row, and that names a person.
        log.error("the ledger refuses a visit", visit=visit.id, rev=visit.rev)

    def _read_news(self) -> None:
        news = self._ledger.news(self._cursor, not_from=self._node)
        revs, grants = self._heard
        fresh = News(
            tuple(visit for visit in news.visits if revs.get(visit.id) != visit.rev),
            tuple(grant for grant in news.grants if grant.id not in grants),
            news.cursor,
        )
        if fresh.visits or fresh.grants:
            self._on_news(fresh)
        # Only now: had the news not been taken, they would have to come again.
        self._heard = ({v.id: v.rev for v in news.visits}, {grant.id for grant in news.grants})
        self._cursor = news.cursor

    def _went_well(self, took: float) -> None:
        with self._lock:
            was_down = self._message is not None
            self._message = None
            self._took = took
            away = timer() - self._away_since
        self._failures = 0
        if was_down:
            log.info("the ledger is back", away_seconds=round(away, 1))

    def _went_wrong(self, kind: str, message: str) -> None:
        self._failures += 1
        with self._lock:
            was_up = self._message is None
            self._away_since = timer() if was_up else self._away_since
            self._message = message
            self._errors[kind] += 1
            pending = len(self._pending)
        if was_up:
            log.error("the ledger is away", because=message, pending=pending)

    def _tell(self) -> None:
        if self._on_state is None:
            return
        try:
            self._on_state(self.state())
        except Exception:
            log.exception("on_state failed")

    def _prune_when_due(self) -> None:
        """Delete what is older than the retention, beside the flushes: the first time may take minutes."""
        now = self._clock.now()
        is_running = self._pruner is not None and self._pruner.is_alive()
        if self._retention is None or self._failures or now < self._prune_at or is_running:
            return
        self._prune_at = now + PRUNE_EVERY
        self._pruner = threading.Thread(
            target=self._prune, args=(now, self._retention), name="ledger-pruner", daemon=True
        )
        self._pruner.start()

    def _prune(self, now: float, retention: Callable[[], float]) -> None:
        try:
            deleted = self._ledger.prune(now - retention())
        except LedgerError as problem:
            with self._lock:
                self._errors[problem.kind] += 1
            self._prune_at = now + PRUNE_AGAIN
            log.warning("old visits are not deleted yet", because=str(problem))
        except Exception:
            self._prune_at = now + PRUNE_AGAIN
            log.exception("old visits are not deleted yet")
        else:
            log.info("old visits are deleted", rows=deleted)
