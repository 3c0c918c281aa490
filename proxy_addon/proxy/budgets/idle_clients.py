"""Connections of clients on which nothing is asked are closed.

mitmproxy closes a connection when not one byte has passed for ten minutes, and waits for a head for
as long as its bytes drip. Here a connection with no request under way is closed
`FIRST_SECONDS` after it was accepted, and `NEXT_SECONDS` after its last request or its CONNECT,
whatever drips. Tunnels that are relayed or metered as bytes and WebSockets have mitmproxy's limit:
they are idle when nothing passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from mitmproxy.connection import Client

from proxy_addon.proxy.layers.connections import ClientState

FIRST_SECONDS = 30.0  # as on the light path
NEXT_SECONDS = 75.0
LOOK_SECONDS = 5.0  # seconds between two looks
IDLE = "idle"


class IdleClients:
    """Looks at all connections of the engine now and then."""

    def __init__(self, close: Callable[[Client], None], note: Callable[[str, str], None]) -> None:
        """`note` counts what is closed: the budget, and the peer."""
        self._close = close
        self._note = note
        self._seen: WeakKeyDictionary[Client, tuple[int, float]] = WeakKeyDictionary()
        self._looked = float("-inf")

    def look(
        self, connections: Callable[[], Iterable[tuple[Client, ClientState]]], now: float
    ) -> None:
        """Close what has been idle for too long. Most calls do nothing: see `LOOK_SECONDS`."""
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        for client, state in connections():
            if state.open or state.passed or state.flight is not None:
                self._seen.pop(client, None)
                continue
            begun = state.requests + bool(state.hosts)
            seen, since = self._seen.get(client, (-1, now))
            if seen != begun:
                self._seen[client] = (begun, now)
            elif now - since >= (NEXT_SECONDS if begun else FIRST_SECONDS):
                self._note(IDLE, "client")
                self._close(client)
