"""The state of each client connection, for as long as it is open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from mitmproxy import connection
from mitmproxy.options import Options

from proxy_addon.identity.identification import Identity
from proxy_addon.metering.flight import Flight
from proxy_addon.network.resolver import Asker


class ClientState:
    """One client connection: whose it is, where it goes, and what runs in it."""

    __slots__ = (
        "activity",
        "asker",
        "cuttable",
        "flight",
        "hosts",
        "open",
        "options",
        "passed",
        "requests",
        "who",
    )

    def __init__(self) -> None:
        self.asker = Asker()
        self.who: Identity | None = None  # from CONNECT; plain requests carry it each time
        self.hosts: tuple[str, ...] = ()  # CONNECT authority and SNI, normalised
        self.open = 0  # requests in flight
        self.requests = 0  # that have begun so far
        self.passed = False  # relayed as bytes
        self.flight: Flight | None = None  # of a metered tunnel
        self.options: TunnelOptions | None = None
        self.cuttable = False  # its HTTP layers are ours
        self.activity = (
            0.0,
            0.0,
        )  # while draining: the last activity, and when it was first seen


class Connections:
    """All client connections that are open."""

    def __init__(self) -> None:
        self._conns: WeakKeyDictionary[connection.Client, ClientState] = WeakKeyDictionary()
        self._closed: WeakSet[connection.Client] = WeakSet()

    def of(self, client: connection.Client) -> ClientState:
        """The state of one connection, created on first use. Of one that was closed already, whose
        hooks still run, nothing is remembered."""
        conn = self._conns.get(client)
        if conn is None:
            conn = ClientState()
            if client not in self._closed:
                self._conns[client] = conn
        return conn

    def known(self, client: connection.Client) -> ClientState | None:
        """The state of one connection unless it has been forgotten."""
        return self._conns.get(client)

    def all(self) -> Iterable[tuple[connection.Client, ClientState]]:
        """Every connection that is open now."""
        return list(self._conns.items())

    def remove(self, client: connection.Client) -> None:
        """The connection was closed."""
        self._conns.pop(client, None)
        self._closed.add(client)

    def __len__(self) -> int:
        return len(self._conns)


class TunnelOptions:
    """mitmproxy's options as one connection sees them: its own connection strategy.

    A tunnel that is only relayed is connected at once: its client learns of a dead site in the
    answer to CONNECT, and protocols in which the server speaks first work. A tunnel that we open is
    connected late, so that a blocked site is never contacted. mitmproxy knows one strategy for all,
    but each layer reads it from its context.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.connection_strategy = "lazy"

    def __getattr__(self, name: str) -> Any:
        # Asked several times for each request, and copied and checked by mitmproxy each time: once
        # is enough.
        value = getattr(self._options, name)
        self.__dict__[name] = value
        return value
