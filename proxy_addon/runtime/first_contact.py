"""The first contact of a proxy process with its ledger: at the start, or whenever the ledger can be
reached; the proxy serves meanwhile.

Until then limited platforms are decided by `on_failure` and by what the journals of this host hold,
nobody is asked about a written policy, and pages say that the records cannot be reached. A problem
that is found only now, such as a newer schema or another pseudonym key, is no reason to end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError
from proxy_addon.ledger.writer import Writer
from proxy_addon.metering.usage_book import UsageBook
from proxy_addon.runtime.clock_offset import ClockOffset
from proxy_addon.runtime.ledger_opening import LedgerOpening
from proxy_addon.runtime.loop_handle import LoopHandle
from proxy_addon.runtime.updates import Past, RulesInForce

log = structlog.get_logger("allowance.run")

START_SECONDS: Final = 4.0  # that a start waits for the ledger


class FirstContact:
    """For one process."""

    def __init__(
        self,
        opening: LedgerOpening,
        clock_offset: ClockOffset,
        loop: LoopHandle,
        in_force: RulesInForce,
        book: UsageBook,
        writer: Callable[[], Writer],
        waiting: Callable[[], Sequence[Visit]] = tuple,
    ) -> None:
        """`waiting`: passes on the visits that have waited for the key of their pseudonyms, and
        returns them."""
        self._opening, self._loop, self._in_force = opening, loop, in_force
        self._clock_offset, self._book, self._writer = clock_offset, book, writer
        self._waiting = waiting
        self._lock = threading.Lock()  # guards `_read`
        self._read: Past | None = None  # what was read, until it is taken over
        self._left: Sequence[Visit] = ()  # with it, what journals hold that the ledger refuses
        self.is_late = False  # whether the proxy started without it

    def make(self) -> float | None:
        """For `Writer`: the cursor of the news when the contact has just been made, None when that
        was before. On the writer's thread, or that of the start. Raises LedgerError."""
        if self._opening.is_joined:
            return None
        past, cursor = self._opening.join(self._past)
        left = self._opening.left()
        with self._lock:
            self._read, self._left = past, left
        self._loop.call(self.adopt)
        if self.is_late:
            log.info("the ledger has been joined", people=len(past.histories))
        return cursor

    def _past(self) -> Past:
        # Before it serves, the clock may follow that of the server at once; later in small steps.
        if not self.is_late:
            self._clock_offset.begin()
        return self._in_force.read()

    def adopt(self) -> None:
        """Take over what was read. On the event loop, or before it runs."""
        with self._lock:
            past, self._read = self._read, None
            left, self._left = self._left, ()
        if past is not None:
            self._in_force.adopt(past)
            self._book.load((*left, *self._waiting()), ())

    def first(self, *, is_strict: bool) -> None:
        """At the start: wait a little, and serve without the ledger where it does not answer.

        `is_strict`: raise LedgerError for a problem that is one of the settings.
        """
        problems: list[LedgerError] = []

        def attempt() -> None:
            problem = self._writer().join()
            if problem is not None:
                problems.append(problem)

        # A thread: the driver's patience with a database that does not answer is longer than ours.
        thread = threading.Thread(target=attempt, name="ledger-start", daemon=True)
        thread.start()
        thread.join(START_SECONDS)
        self.adopt()
        if problems and is_strict and self._opening.is_for_settings(problems[0]):
            self._opening.close()
            raise problems[0]
        if self._opening.is_joined:
            return
        self.is_late = True
        self._book.ledger_away(True)
        left = self._opening.left()
        self._book.load(left, ())
        log.error(
            "started without the ledger",
            because=str(problems[0]) if problems else "it does not answer",
            visits_in_journals=len(left),
        )
