"""Runs ledger calls for pages: each on a thread of its own, for a limited time, never on the event
loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from proxy_addon.ledger.interface import LedgerUnavailable

TIMEOUT: Final = 5.0  # seconds that a page waits for the ledger
MAX_CALLS: Final = (
    8  # concurrent calls; a database that hangs must not fill the process with threads
)


class LedgerExecutor:
    """For one event loop. A call that timed out keeps running until the database ends it, and
    counts until then."""

    def __init__(self, timeout: float = TIMEOUT, max_calls: int = MAX_CALLS) -> None:
        self._timeout = timeout
        self._max_calls = max_calls
        self._running = 0

    async def run[Answer](self, call: Callable[[], Answer], seconds: float | None = None) -> Answer:
        """What `call` returns or raises. Raises LedgerUnavailable when it takes too long, or when
        too many calls are running already."""
        if self._running >= self._max_calls:
            raise LedgerUnavailable(
                "too many requests are waiting for the ledger; try again in a moment", kind="slow"
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._running += 1

        def settle(result: Answer | None, problem: BaseException | None) -> None:
            self._running -= 1
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
        try:
            return await asyncio.wait_for(answer, self._timeout if seconds is None else seconds)
        except TimeoutError:
            raise LedgerUnavailable("the ledger does not answer in time", kind="slow") from None
