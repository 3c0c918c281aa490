"""Turns that are shared fairly among people: each has a queue, and the queues have their turn one
after the other, however long they are.

At most `SLOTS` run at once, of one person at most `EACH`, and no more of them in a second than
`RATE` says; what comes then waits. Who has `QUEUE` waiting already is refused, and nobody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from proxy_addon.core.audience import keep
from proxy_addon.proxy.budgets.token_bucket import Allotment, TokenBucket

SLOTS = 6  # fewer than the ledger has for pages: who has a slot here is not refused there
EACH = 2
QUEUE = 20
RATE = Allotment(20, 60)
KEPT = 2000  # people whose rate is remembered


class QueueFull(Exception):
    """Somebody has too many waiting already."""


class FairTurns:
    """For one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # the next person first
        self._running: Counter[str] = Counter()
        self._rates: dict[str, TokenBucket] = {}
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, person: str) -> AsyncGenerator[None]:
        """Wait for a turn of this person, and have it. Raises QueueFull."""
        queue = self._waiting.get(person, ())
        if len(queue) >= QUEUE:
            raise QueueFull
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(person, deque()).append(mine)
        self._next()
        try:
            await mine
        except asyncio.CancelledError:
            self._left(person, mine)
            raise
        try:
            yield
        finally:
            self._over(person)

    def _left(self, person: str, mine: asyncio.Future[None]) -> None:
        """Somebody does not wait any more; it may just have been their turn."""
        if not mine.cancelled():
            self._over(person)
        elif mine in (queue := self._waiting.get(person, deque())):
            queue.remove(mine)
            if not queue:
                del self._waiting[person]

    def _over(self, person: str) -> None:
        self._running[person] -= 1
        if not self._running[person]:
            del self._running[person]
        self._next()

    def _next(self) -> None:
        """Begin what may begin now, one of each person in turn."""
        soonest, progressed = float("inf"), True
        while progressed:
            progressed = False
            for person in list(self._waiting):
                if self._running.total() >= SLOTS:
                    return
                if self._running[person] >= EACH:
                    continue
                later = self._later(person)
                soonest = min(soonest, later or soonest)
                if not later:
                    self._begin(person)
                    progressed = True
        if soonest < float("inf") and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(soonest, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._next()

    def _later(self, person: str) -> float:
        """Seconds until the person may begin one more."""
        return self._rate(person).wait(asyncio.get_running_loop().time())

    def _begin(self, person: str) -> None:
        queue = self._waiting.pop(person)
        waiting = queue.popleft()
        if queue:
            self._waiting[person] = queue  # behind everybody else
        if not waiting.done():
            self._rate(person).use(1, asyncio.get_running_loop().time())
            self._running[person] += 1
            waiting.set_result(None)

    def _rate(self, person: str) -> TokenBucket:
        found = self._rates.get(person)
        if found is None:
            found = TokenBucket(RATE, asyncio.get_running_loop().time())
            keep(self._rates, person, found, KEPT)
        return found
