"""How long events of the engine may hold the event loop at once, and whose turn it is.

Everything in this process has its turn in each round of the event loop: new connections, tunnels
that are only relayed, our own pages, and what is decrypted and decided about. The last costs a
hundred times as much as the others. When very many people use limited platforms at once, each round
would have something for each of their connections, would take a second, and a new connection needs
several rounds. So a round has `ROUND_SECONDS` for the engine; what comes then waits for one of the
next rounds.

Of those who wait, whoever has used the processor least goes first (as in fair queueing): each
client's connection has a clock that runs while it uses the processor, and comes back with the clock
of those who have their turn now. Somebody who opens one page does not wait behind a hundred who
load without a pause. What a person may use with many connections is bounded in `shares.py`.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import Final, Protocol
from weakref import WeakKeyDictionary

ROUND_SECONDS: Final = 0.01  # of the processor, in one round of the event loop
_MOST: Final = 10  # turns in the first round of a crowd
MOST_AHEAD: Final = 0.02  # seconds that a clock may be ahead: what was used long ago is forgotten


class TurnTaker(Protocol):
    """Who has turns: a client's connection, together with those to sites for it."""

    used: float  # seconds of the processor, by a clock that is compared with those of others


class LoopTurns:
    """For one event loop."""

    def __init__(self) -> None:
        self._spent = 0.0  # seconds of the processor, in this round
        self._fit = 1  # turns that fit into a round, as far as is known
        self._now = 0.0  # the clock of those who have their turn
        self._number = count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []  # a heap
        self._ends: asyncio.Handle | None = None  # of the round
        self._longest = 0.0

    @property
    def is_free(self) -> bool:
        """Whether an event may be handled at once."""
        return not self._waiting and self._spent < ROUND_SECONDS

    async def turn(self, taker: TurnTaker) -> None:
        """Wait for a later round."""
        loop = asyncio.get_running_loop()
        began, turn = loop.time(), loop.create_future()
        taker.used = min(max(taker.used, self._now), self._now + MOST_AHEAD)
        heapq.heappush(self._waiting, (taker.used, next(self._number), turn))
        self._next_round()
        await turn
        self._longest = max(self._longest, loop.time() - began)

    def longest(self) -> float:
        """Seconds that somebody had to wait since this was asked last."""
        longest, self._longest = self._longest, 0.0
        return longest

    def spent(self, taker: TurnTaker, seconds: float) -> None:
        """A turn took so many seconds of the processor."""
        taker.used += seconds
        self._spent += seconds
        self._next_round()

    def _next_round(self) -> None:
        if self._ends is None:
            self._ends = asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        """A round: as many as fit into it may go on."""
        self._ends = None
        if self._spent > ROUND_SECONDS:
            self._fit = max(1, int(self._fit * ROUND_SECONDS / self._spent))
        else:
            self._fit += 1
        self._spent = 0.0
        left = self._fit
        while self._waiting and left:
            used, _, turn = heapq.heappop(self._waiting)
            if not turn.done():  # nobody waits for it any more
                self._now = max(self._now, used)
                turn.set_result(None)
                left -= 1
        if self._waiting:
            self._next_round()
        else:
            self._fit = min(self._fit, _MOST)


_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopTurns] = WeakKeyDictionary()


def turns_of_loop() -> LoopTurns:
    """Those of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _TURNS.get(loop)
    if found is None:
        found = _TURNS[loop] = LoopTurns()
    return found
