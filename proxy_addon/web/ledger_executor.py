"""Runs ledger calls for pages: each on a thread of its own, for a limited time, never on the event
loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

from proxy_addon.ledger.availability import PATIENCE, LedgerAvailability
from proxy_addon.ledger.interface import LedgerError, LedgerRefused, LedgerUnavailable

MAX_CALLS: Final = (
    8  # concurrent calls; a database that hangs must not fill the process with threads
)
SHORTEST: Final = 0.1  # seconds; a page with less patience left makes no further call


class LedgerExecutor:
    """For one event loop. A call that timed out keeps running until the database ends it, and
    counts until then.

    A page waits in vain for `timeout` seconds at most, however many calls it makes: each may be
    slow, but the time of one that was given up is taken from that of the next."""

    def __init__(
        self,
        timeout: float = PATIENCE,
        max_calls: int = MAX_CALLS,
        availability: LedgerAvailability | None = None,
    ) -> None:
        self.availability = availability or LedgerAvailability()
        self._timeout = timeout
        self._max_calls = max_calls
        self._running = 0
        self._given_up: WeakKeyDictionary[asyncio.Task[Any], float] = WeakKeyDictionary()

    async def run[Answer](self, call: Callable[[], Answer], seconds: float | None = None) -> Answer:
        """What `call` returns or raises. Raises LedgerUnavailable when it takes too long, when too
        many calls are running already, and at once while the ledger is known not to answer."""
        if self._running >= self._max_calls:
            raise LedgerUnavailable(
                "too many requests are waiting for the ledger; try again in a moment", kind="slow"
            )
        wanted = self._timeout if seconds is None else seconds
        self.availability.require(wanted)
        left = self._left(wanted)
        answer = self._started(call)
        try:
            return await asyncio.wait_for(answer, left)
        except TimeoutError:
            self._give_up(left, wanted)
            raise LedgerUnavailable("the ledger does not answer in time", kind="slow") from None

    def _started[Answer](self, call: Callable[[], Answer]) -> asyncio.Future[Answer]:
        """The answer to come of a call on a thread of its own."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._running += 1

        def settle(result: Answer | None, problem: Exception | None) -> None:
            self._running -= 1
            if not isinstance(problem, LedgerError) or isinstance(problem, LedgerRefused):
                self.availability.answered()
            if answer.done():
                return  # the caller has given up
            if problem is not None:
                answer.set_exception(problem)
            else:
                answer.set_result(result)  # type: ignore[arg-type]

        def work() -> None:
            result, problem = None, None
            try:
                result = call()
            except Exception as raised:
                problem = raised
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(settle, result, problem)

        # A daemon thread outside the pool that resolves names: a database that hangs blocks nothing
        # else.
        threading.Thread(target=work, name="ledger-page", daemon=True).start()
        return answer

    def _left(self, wanted: float) -> float:
        """Seconds that this page may still wait."""
        page = asyncio.current_task()
        lost = self._given_up.get(page, 0.0) if page is not None else 0.0
        left = min(wanted, self._timeout - lost)
        if left < min(SHORTEST, wanted):
            raise LedgerUnavailable("the ledger does not answer in time", kind="slow")
        return left

    def _give_up(self, waited: float, wanted: float) -> None:
        page = asyncio.current_task()
        if page is not None:
            self._given_up[page] = self._given_up.get(page, 0.0) + waited
        self.availability.given_up(wanted)
