"""Asks the ledger for a page: on a thread of its own, for a bounded time, never on the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from proxy_addon.ledger.interface import LedgerUnavailable

PATIENCE: Final = 5.0  # seconds that a page waits for the ledger
MOST: Final = 8  # questions under way; a database that hangs must not fill the process with threads


class LedgerExecutor:
    """For one event loop. A question that is given up goes on until the database ends it, and counts until then."""

    def __init__(self, patience: float = PATIENCE, most: int = MOST) -> None:
        self._patience = patience
        self._most = most
        self._under_way = 0

    async def ask[Answer](
        self, question: Callable[[], Answer], patience: float | None = None
    ) -> Answer:
        """What `question` returns or raises. Raises LedgerUnavailable when it takes too long, or when too many
        others wait already."""
        if self._under_way >= self._most:
            raise LedgerUnavailable(
                "too many questions wait for the ledger; try again in a moment", kind="slow"
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._under_way += 1

        def settle(result: Answer | None, problem: BaseException | None) -> None:
            self._under_way -= 1
            if answer.done():
                return  # nobody waits any more
            if problem is not None:
                answer.set_exception(problem)
            else:
                answer.set_result(result)  # type: ignore[arg-type]

        def work() -> None:
            result, problem = None, None
            try:
                result = question()
            except Exception as raised:
                problem = raised
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, result, problem)

        # A daemon, and none of the pool that looks up names: a database that hangs holds up nothing else.
        threading.Thread(target=work, name="ledger-page", daemon=True).start()
        try:
            return await asyncio.wait_for(answer, self._patience if patience is None else patience)
        except TimeoutError:
            raise LedgerUnavailable("the ledger does not answer in time", kind="slow") from None
