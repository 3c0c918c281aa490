"""How many connections each address has open, whatever they are used for by now."""

from __future__ import annotations

import asyncio
from weakref import WeakSet


class OpenConnections:
    """Of the clients of one event loop. A connection counts until its transport is closed: on the
    light path, with our own pages and in the engine alike."""

    def __init__(self) -> None:
        self._open: dict[str, WeakSet[asyncio.Transport]] = {}

    def admits(self, address: str, transport: asyncio.Transport, most: int) -> bool:
        """Count a connection that has just been accepted; False: its address has `most` already,
        and it is not counted."""
        theirs = self._open.setdefault(address, WeakSet())
        if len(theirs) >= most:
            self._forget_closed(theirs)
            if len(theirs) >= most:
                return False
        theirs.add(transport)
        return True

    def count(self, address: str) -> int:
        """Connections of an address that are open."""
        theirs = self._open.get(address)
        if theirs is None:
            return 0
        self._forget_closed(theirs)
        return len(theirs)

    def sweep(self) -> None:
        """Now and then: forget addresses that have none."""
        for address in [each for each, theirs in self._open.items() if not theirs]:
            del self._open[address]

    @staticmethod
    def _forget_closed(theirs: WeakSet[asyncio.Transport]) -> None:
        for transport in [each for each in theirs if each.is_closing()]:
            theirs.discard(transport)
