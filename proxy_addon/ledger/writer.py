"""Writes visits to the ledger and reads those of other proxies, on its own thread.

The event loop only puts visits into memory. Every `flush_seconds` the thread writes what is there
and asks what others wrote since; a ledger that can notify (`wake`) is read at once. While the
ledger is away everything waits in memory, newest state of each visit only, and is retried without
end; writing is idempotent, so a write whose answer was lost is simply repeated. What others wrote
is asked for even while writing fails.

A second thread keeps the journal: whatever has waited for longer than a healthy flush takes goes to
the disk of this host, whether the ledger fails, is slow or does not answer at all. So at most
`JOURNAL_AFTER` and a `JOURNAL_TICK` of usage are in this process alone, whatever is wrong.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from time import sleep
from types import MappingProxyType
from typing import Final

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import Ledger, LedgerError
from proxy_addon.ledger.journal import Journal
from proxy_addon.ledger.journal_keeping import JournalKeeping
from proxy_addon.ledger.news import NewsReader, OnNews, news_cursor
from proxy_addon.ledger.pending import PendingVisits
from proxy_addon.ledger.refused import REFUSED, RefusedVisits
from proxy_addon.ledger.retention import ConfirmationsInForce, Pruner
from proxy_addon.ledger.writer_state import OnState, StateReports, WriterState
from proxy_addon.system.clock import Clock, timer

MAX_PENDING: Final = 200_000  # visits; some 100 MB, a day of outage for an office of thousands
BATCH: Final = 1_000  # rows in one transaction
LONGEST_WAIT: Final = 3.0  # seconds between two tries while the ledger is away
LONGEST_WAIT_TO_JOIN: Final = 2.0  # the same until the first contact
NOT_YET: Final = "it has not answered yet"  # why it is down, until the first try has come back
STUCK_AFTER: Final = 2.8  # seconds after which one call without an answer counts as an outage; a
# commit may take two, and after four nobody may be asked to confirm what cannot be stored
LAST_TRIES: Final = 0.1  # seconds between two tries while the process is about to end
JOURNAL_AFTER: Final = 1.2  # seconds without a good flush, after which visits go to the journal
JOURNAL_TICK: Final = 0.2
MERGE: Final = 0.05  # seconds in which several calls of the ledger become one reading of news
# Kinds of problems for which reading would fail as well.
NOT_ASKED: Final = frozenset({"unreachable", "stopped", "sign-in"})

log = structlog.get_logger("allowance.ledger")


class Writer:
    """One per process. `put` and `state` may be called from any thread; `on_news` and `on_state`
    are called on threads of the writer and must hand over to the event loop themselves
    (`call_soon_threadsafe`).

    `node` is this proxy's name in visits: its own rows are not news. `retention` gives the seconds
    that visits are kept; with it, old ones are deleted soon after the start and once a day, but
    not what `kept` names (see `Pruner`). `cursor` is where news begin (`News.cursor`); without one
    they begin two minutes ago. The writer closes its `journal`. `contact` is called first in each
    flush, and may raise LedgerError: the ledger is away until it returned. It gives the cursor
    where news begin when it has made the first contact, None from then on.
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
        kept: ConfirmationsInForce = lambda _: None,
        cursor: float | None = None,
        max_pending: int = MAX_PENDING,
        journal: Journal | None = None,
        contact: Callable[[], float | None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._contact, self._is_joined = contact, contact is None
        self._reports = StateReports(on_state)
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._pruner = Pruner(ledger, clock, retention, self._count, kept)
        self._news = NewsReader(ledger, node, on_news, news_cursor(clock.now(), cursor))
        self._waiting = PendingVisits(max_pending)
        self._aside = RefusedVisits(ledger, max_pending, written=self._forget, refused=self._refuse)
        self._journal, self._keeping = journal, JournalKeeping(journal)

        self._lock = threading.Lock()  # guards what follows; never held during a call of the ledger
        self._errors: Counter[str] = Counter()
        self._message = None if contact is None else NOT_YET  # None: up
        self._away_since: float | None = None
        self._flush_took: float | None = None
        self._busy_since: float | None = None  # when the call that is under way began
        self._answered_at: float | None = None
        self._is_silent = False  # the last call had no answer for long
        self._covered_at = timer()  # what was put before is in the ledger

        self._flushing = threading.Lock()  # one flush at a time; guards the fields below
        self._failures = 0
        self._answers = True
        self._write_at = 0.0  # by the timer: not earlier, after a write that failed

        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._called = threading.Event()  # there is news, or the end has come
        self._give_up_at = 0.0
        self._thread: threading.Thread | None = None
        self._journal_thread: threading.Thread | None = None

    def join(self) -> LedgerError | None:
        """Make the first contact on the caller's thread, before `start`; what was wrong, if
        anything, which the caller reports. May block for as long as a database that does not
        answer."""
        with self._flushing:
            problem = self._attempt(self._join)
            if problem is not None:
                with self._lock:
                    self._message = str(problem)
                self._went_wrong(problem, timer(), counts=True)
            return problem

    def put(self, visit: Visit) -> None:
        """Take a visit to be written. Returns at once; of one id only the highest rev is kept."""
        self._waiting.put(visit)

    def wake(self) -> None:
        """There is news: read it now. From any thread."""
        self._called.set()

    def state(self) -> WriterState:
        """How the ledger is doing now."""
        journal = self._journal
        with self._lock:
            stuck = self._busy_since is not None and timer() - self._busy_since > STUCK_AFTER
            message = self._message or ("the database does not answer" if stuck else None)
            if message is None:
                self._away_since = None
            elif self._away_since is None:
                self._away_since = self._clock.now()
            return WriterState(
                up=message is None,
                pending=len(self._waiting),
                flush_seconds=self._flush_took,
                errors=MappingProxyType(dict(self._errors)),
                message=message,
                dropped=self._waiting.dropped + self._aside.waiting.dropped,
                refused=len(self._aside),
                away_since=self._away_since,
                journal_bytes=journal.size if journal else 0,
                journal_visits=journal.held if journal else 0,
                journal_dropped=(journal.dropped if journal else 0) + self._keeping.failed,
                journal_message=self._keeping.message,
                is_silent=stuck or self._is_silent,
                answered_at=self._answered_at,
            )

    def start(self) -> None:
        """Begin to flush."""
        # A daemon: a database that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()
        if self._journal is not None:
            self._journal_thread = threading.Thread(
                target=self._run_journal, name="ledger-journal", daemon=True
            )
            self._journal_thread.start()

    def stop(self, timeout: float) -> int:
        """Write all that waits, for at most `timeout` seconds, and end; how many visits are lost
        with this process. What the ledger did not take and the journal holds is not: the next start
        writes it.

        The ledger stays open. Visits put from now on are not written.
        """
        if self._thread is None:
            self.start()
        self._give_up_at = timer() + timeout
        self._stopping.set()
        self._called.set()
        # All tries are made on the thread: one that hangs in a call cannot be waited for any
        # longer.
        if self._thread is not None:
            self._thread.join(timeout)
        self._stopped.set()
        if self._journal_thread is not None:
            self._journal_thread.join(timeout)
        return self._finish()

    def _finish(self) -> int:
        """Put what could not be written into the journal; what is in neither is lost."""
        self._journal_fresh()
        state = self.state()
        waiting = (
            *self._waiting.first(len(self._waiting)),
            *self._aside.waiting.first(len(self._aside)),
        )
        journal = self._journal
        lost = sum(1 for visit in waiting if journal is None or not journal.has(visit))
        if waiting:
            log_event = log.error if lost else log.warning
            log_event(
                "visits could not be written",
                visits=len(waiting),
                because=state.message or REFUSED,
                in_journal=len(waiting) - lost,
                lost=lost,
            )
        if journal is not None:
            journal.close()
        return lost

    def flush_now(self) -> bool:
        """Flush on the caller's thread; whether all went well. Not for the event loop: it may
        block."""
        with self._flushing:
            return self._flush()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._flushing:
                self._flush(may_wait=True)
            if not self._failures:
                self._pruner.start_when_due()
            self._listen(self._flush_seconds)
        self.flush_now()
        while len(self._waiting) and timer() < self._give_up_at:
            sleep(LAST_TRIES)
            self.flush_now()

    def _listen(self, seconds: float) -> None:
        """Wait for the next flush. Calls of the ledger in between have their news read, and nothing
        written: or two proxies would keep calling each other."""
        until = timer() + seconds
        while (left := until - timer()) > 0 and not self._stopping.is_set():
            if not self._called.wait(left):
                return
            self._stopping.wait(min(MERGE, left))
            self._called.clear()
            if not self._stopping.is_set():
                with self._flushing:
                    self._flush(writes=False)

    def _flush(self, *, writes: bool = True, may_wait: bool = False) -> bool:
        """Write, then read, even where writing failed; True when all that was tried went well."""
        began = timer()
        writes = writes and not (may_wait and began < self._write_at)
        if not writes and not self._answers:
            return False  # nor would it answer a question
        problem = self._attempt(self._join)
        if joined := problem is None:
            problem = self._attempt(self._write_pending) if writes else None
            if problem is None or problem.kind not in NOT_ASKED:
                problem = self._attempt(self._read_news) or problem
        self._answers = joined and (problem is None or problem.kind not in NOT_ASKED)
        if problem is not None:
            self._went_wrong(problem, timer(), counts=writes)
        elif writes:
            self._went_well(began)
        self._report_state()
        return problem is None

    def _attempt(self, step: Callable[[], None]) -> LedgerError | None:
        """What went wrong with a step, if anything."""
        problem: LedgerError | None = None
        with self._lock:
            self._busy_since = timer()
        try:
            step()
        except LedgerError as raised:
            problem = raised
        except Exception as raised:  # the thread must outlive any mistake of ours
            log.exception("flush failed")
            problem = LedgerError(f"{type(raised).__name__}: {raised}", kind="internal")
        with self._lock:
            began, self._busy_since = self._busy_since, None
            self._is_silent |= problem is not None and timer() - began > STUCK_AFTER
        return problem

    def _answered(self) -> None:
        """The ledger has answered; the step may go on with another call."""
        with self._lock:
            self._answered_at = self._busy_since = timer()
            self._is_silent = False

    def _read_news(self) -> None:
        self._news.read()
        self._answered()

    def _join(self) -> None:
        if self._contact is None:
            return
        if (cursor := self._contact()) is not None:
            self._news.begin(cursor)
            self._is_joined, self._failures, self._write_at = True, 0, 0.0
            with self._lock:
                self._message = self._away_since = None

    def _write_pending(self) -> None:
        """Write what waits now, oldest first. A row leaves the memory only when it has been
        written; what is refused is set aside, there and in the journal."""
        for _ in range(0, len(self._waiting), BATCH):
            if refused := self._aside.write(self._waiting.first(BATCH)):
                self._keeping.keep(self._aside.waiting)
                self._waiting.forget(refused)
        self._aside.try_again()

    def _forget(self, written: Sequence[Visit]) -> None:
        self._answered()
        self._keeping.settle(written, self._waiting, self._aside.waiting)

    def _run_journal(self) -> None:
        """The journal's thread."""
        while not self._stopped.wait(JOURNAL_TICK):
            with self._lock:
                is_late = timer() - self._covered_at > JOURNAL_AFTER
            if is_late or len(self._aside):
                stores = (self._waiting,) if is_late else ()
                self._keeping.keep(*stores, self._aside.waiting)
            if not self.state().up:
                self._report_state()  # a call that hangs reports nothing by itself

    def _journal_fresh(self) -> None:
        """Put into the journal what it does not have yet."""
        self._keeping.keep(self._waiting, self._aside.waiting)

    def _refuse(self, visit: Visit) -> None:
        self._count("refused")
        # No text of the driver: it may quote the row, and that names a person.
        log.error("the ledger refuses a visit", visit=visit.id, rev=visit.rev, hint=REFUSED)

    def _went_well(self, began: float) -> None:
        with self._lock:
            was_down = self._message not in (None, NOT_YET)
            self._message = None
            self._flush_took = timer() - began
            self._covered_at = began
            since, self._away_since = self._away_since, None
        self._failures = 0
        self._write_at = 0.0
        if was_down:
            seconds = round(self._clock.now() - (since or 0.0), 1)
            log.info("the ledger is back", away_seconds=seconds)

    def _went_wrong(self, problem: LedgerError, now: float, *, counts: bool) -> None:
        """`counts`: it was a whole flush, after which the next one waits longer."""
        if counts:
            self._failures += 1
            self._write_at = now + self._pause()
        with self._lock:
            was_up = self._message in (None, NOT_YET)
            if self._away_since is None:
                self._away_since = self._clock.now()
            self._message = str(problem)
            self._errors[problem.kind] += 1
        if was_up:
            log.error("the ledger is away", because=str(problem), pending=len(self._waiting))

    def _pause(self) -> float:
        """Seconds until writing is tried again."""
        # The exponent is bounded: two to the power of a week's failures is not a float.
        longest = LONGEST_WAIT if self._is_joined else LONGEST_WAIT_TO_JOIN
        return float(min(longest, self._flush_seconds * 2 ** min(self._failures - 1, 10)))

    def _count(self, kind: str) -> None:
        with self._lock:
            self._errors[kind] += 1

    def _report_state(self) -> None:
        self._reports.give(self.state)
