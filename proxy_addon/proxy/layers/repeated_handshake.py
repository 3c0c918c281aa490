"""A TLS handshake with a site that fails although, or because, a session was offered is repeated
once without one.

Sites have to go on with a whole handshake when they do not accept a session, but some answer with
an alert, or close. Nothing of a request is sent before the handshake is over, so the connection is
opened again, and neither the client nor the site's application notices. What follows on the same
client connection is done without sessions.

`HttpLayer` opens connections when a request needs one, and its streams wait for it; here those that
wait for a connection that failed are given another one. `tests/proxy/layers/`
`test_repeated_handshake.py` pins what is used of mitmproxy's internals.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from mitmproxy.connection import Connection, ConnectionState, Server
from mitmproxy.proxy import context, layer, layers
from mitmproxy.proxy.layers.http import (
    GetHttpConnection,
    HttpClient,
    HTTPMode,
    RegisterHttpConnection,
)


class WantedConnection(GetHttpConnection):
    """A connection to a site, but none of those that take no more requests."""

    def __init__(self, retired: WeakSet[Connection], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._retired = retired

    def connection_spec_matches(self, connection: Connection) -> bool:
        """Whether this one will do."""
        return super().connection_spec_matches(connection) and connection not in self._retired


class RepeatingHttp(layers.HttpLayer):
    """mitmproxy's HTTP layer.

    `resumes`: sessions may be offered. `offered`: connections on which one was, until their
    handshake is over. `retired`: connections that are open, but take no more requests.
    `only_http1`: addresses of sites that have asked for HTTP/1.1.
    """

    def __init__(self, ctx: context.Context, mode: HTTPMode) -> None:
        super().__init__(ctx, mode)
        self.resumes = True
        self.offered: set[Connection] = set()
        self.retired: WeakSet[Connection] = WeakSet()
        self.only_http1: set[Any] = set()

    def register_connection(self, command: RegisterHttpConnection) -> layer.CommandGenerator[None]:
        """A connection is open, or has failed."""
        failed = command.connection
        offered = failed in self.offered
        self.offered.discard(failed)
        if command.err and offered and is_waiting(self.context):
            yield from self._repeat(failed)
        else:
            yield from super().register_connection(command)

    def _repeat(self, failed: Connection) -> layer.CommandGenerator[None]:
        """Open another connection. The one that failed stays known, for the events that it still
        has, but nobody is told of its error."""
        self.resumes = False
        failed.error = None
        first, *others = self.waiting_for_establishment.pop(failed)
        yield from self.get_connection(first, reuse=False)
        for each in others:
            yield from self.get_connection(each)


def is_waiting(ctx: context.Context) -> bool:
    """Whether the client can still be answered. When it has gone, what it wanted is closed."""
    return bool(ctx.client.state & ConnectionState.CAN_WRITE)


def repeats(ctx: context.Context) -> RepeatingHttp | None:
    """The layer that repeats the handshake of a connection with this context; None: nobody would,
    so no session must be offered."""
    if not ctx.layers or not isinstance(ctx.layers[-1], HttpClient):
        return None
    return next((each for each in reversed(ctx.layers) if isinstance(each, RepeatingHttp)), None)


class SiteClient(HttpClient):
    """Drop-in for `HttpClient`, which opens a connection to a site. One that has asked for HTTP/1.1
    is offered nothing else."""

    def __init__(self, ctx: context.Context) -> None:
        super().__init__(ctx)
        site = ctx.server
        if not site.connected and any(site.address in each.only_http1 for each in _repeating(ctx)):
            site.alpn_offers = (b"http/1.1",)


def retire(ctx: context.Context, conn: Server, *, only_http1: bool = False) -> None:
    """No more requests are sent on this connection to a site, in the layers of this context.
    `only_http1`: nor on another one in HTTP/2."""
    for each in _repeating(ctx):
        each.retired.add(conn)
        if only_http1:
            each.only_http1.add(conn.address)


def _repeating(ctx: context.Context) -> list[RepeatingHttp]:
    return [each for each in ctx.layers if isinstance(each, RepeatingHttp)]
