"""Chooses the layer inside a tunnel from its first bytes. What is not limited is not decrypted.

A tunnel belongs to a limited platform when the host of its CONNECT or the name in its TLS
ClientHello says so. Everything else is relayed as bytes: no certificate of ours, no parsing, no
flow, no log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from mitmproxy import connection
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy import context, layer, layers
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.layers.tls import HTTP_ALPNS, parse_client_hello

from proxy_addon.core.hosts import normalise
from proxy_addon.proxy.layers.client_tls import ClientTls
from proxy_addon.proxy.layers.connections import ClientState
from proxy_addon.proxy.layers.server_tls import LateServerTls
from proxy_addon.proxy.layers.termination import TerminableHttp
from proxy_addon.relay.greetings import (
    has_too_many_records,
    hides_greeting,
    is_endless,
    names_in_request,
    request_line,
)

PAGE_HOST = "allowance.internal"
_TLS_RECORD_BYTES = 6  # bytes needed to recognise a TLS record


class NeedsMoreData(Exception):
    """More bytes are needed for a decision."""


class PreambleKind(Enum):
    """What the first bytes are. `BROKEN`: a ClientHello or head that is too long to wait for;
    `UNREADABLE`: TLS whose server name only the site may be able to read."""

    TLS = "tls"
    HTTP = "http"
    OTHER = "other"
    BROKEN = "broken"
    UNREADABLE = "unreadable"


class Preamble(NamedTuple):
    """The first bytes of a tunnel: their kind, and the hosts that they name (normalised)."""

    kind: PreambleKind
    hosts: tuple[str, ...] = ()


def read_preamble(data: bytes) -> Preamble:
    """Read the client's first bytes. Raises NeedsMoreData while they are too few."""
    hides = hides_greeting(data) if data else None
    if hides is None:
        raise NeedsMoreData
    if hides:
        return Preamble(PreambleKind.UNREADABLE)
    if data[:1] == b"\x16":
        if len(data) < _TLS_RECORD_BYTES:
            raise NeedsMoreData
        if starts_like_tls_record(data):
            return _read_client_hello(data)
    line = request_line(data)
    if line is None:
        return _bounded(data, PreambleKind.HTTP, None)
    if line:
        return _bounded(data, PreambleKind.HTTP, names_in_request(data))
    return Preamble(PreambleKind.OTHER)


def _bounded(data: bytes, kind: PreambleKind, names: tuple[str, ...] | None) -> Preamble:
    if names is not None:
        return Preamble(kind, tuple(dict.fromkeys(filter(None, names))))
    if not is_endless(data):
        raise NeedsMoreData
    return Preamble(PreambleKind.BROKEN)


def _read_client_hello(data: bytes) -> Preamble:
    if has_too_many_records(data):
        return Preamble(PreambleKind.BROKEN)
    try:
        hello = parse_client_hello(data)
    except ValueError:
        return Preamble(PreambleKind.UNREADABLE)
    if hello is None:
        return _bounded(data, PreambleKind.TLS, None)
    named = [content for number, content in hello.extensions if number == 0]
    if len(named) > 1 or not all(map(_is_one_name, named)):
        return Preamble(PreambleKind.UNREADABLE)
    return _bounded(data, PreambleKind.TLS, (normalise(hello.sni),) if hello.sni else ())


def _is_one_name(content: bytes) -> bool:
    """Whether a server name extension has one entry, a host name: of several, sites may choose
    another one than we do."""
    lengths = int.from_bytes(content[:2]), int.from_bytes(content[3:5])
    return content[2:3] == b"\x00" and lengths == (len(content) - 2, len(content) - 5)


def relayed(ctx: context.Context, conn: ClientState) -> layer.Layer:
    """The layer of a tunnel that is relayed as bytes, unread."""
    conn.passed = True
    return layers.TCPLayer(ctx, ignore=True)


class LayerChooser:
    """Chooses the layer inside a tunnel.

    `limited` names the platform of a host when some rule limits it. `inspected` is False for
    platforms that are not decrypted (`inspect: false`). `meter` starts a metered tunnel for a
    platform: True: it may go on. `free` starts one of somebody who is free on all the platforms
    that it names: False: it has to be opened.
    """

    def __init__(
        self,
        limited: Callable[[str], str | None],
        inspected: Callable[[str], bool],
        meter: Callable[[connection.Client, ClientState, str], bool],
        free: Callable[[connection.Client, ClientState, Sequence[str]], bool],
    ) -> None:
        self._limited = limited
        self._inspected = inspected
        self._meter = meter
        self._free = free

    def outer(self, ctx: context.Context, conn: ClientState, client: bytes) -> layer.Layer | None:
        """The layer that talks to the proxy's client; None when its connection must end.

        Where mitmproxy does not run as a forward proxy the choice is left to it: raises
        NeedsMoreData.
        """
        if len(ctx.layers) != 1 or not isinstance(
            ctx.layers[0], modes.HttpProxy | modes.HttpUpstreamProxy
        ):
            raise NeedsMoreData
        if starts_like_tls_record(client):
            return None  # clients talk HTTP to the proxy; TLS is only expected inside a tunnel
        conn.cuttable = True
        upstream = isinstance(ctx.layers[0], modes.HttpUpstreamProxy)
        return TerminableHttp(ctx, HTTPMode.upstream if upstream else HTTPMode.regular)

    def choose(
        self, ctx: context.Context, conn: ClientState, client: bytes, server: bytes
    ) -> layer.Layer | None:
        """The layer for what comes next in a tunnel; None: its connection must end. May raise
        NeedsMoreData."""
        if conn.flight is not None:
            return layers.TCPLayer(ctx)
        if ctx.client.tls_established:
            return self._inside_tls(ctx, conn, client)
        if server:
            return self._server_first(ctx, conn)
        preamble = read_preamble(client)
        if preamble.kind in (PreambleKind.BROKEN, PreambleKind.UNREADABLE):
            return None
        conn.hosts = (*conn.hosts, *(h for h in preamble.hosts if h not in conn.hosts))
        if PAGE_HOST in conn.hosts:
            return self._decrypted(ctx, preamble.kind)
        platforms = self._platforms(conn)
        if not platforms:
            return relayed(ctx, conn)
        if self._free(ctx.client, conn, platforms):
            return layers.TCPLayer(ctx)
        platform = platforms[0]
        if preamble.kind is PreambleKind.OTHER or not self._inspected(platform):
            return self._metered(ctx, conn, platform)
        return self._decrypted(ctx, preamble.kind)

    def _platforms(self, conn: ClientState) -> list[str]:
        """The limited platforms that the hosts of a tunnel belong to."""
        return [platform for platform in map(self._limited, conn.hosts) if platform is not None]

    def _platform(self, conn: ClientState) -> str | None:
        return next(iter(self._platforms(conn)), None)

    def _server_first(self, ctx: context.Context, conn: ClientState) -> layer.Layer | None:
        platforms = self._platforms(conn)
        if not platforms:
            return relayed(ctx, conn)
        if self._free(ctx.client, conn, platforms):
            return layers.TCPLayer(ctx)
        return self._metered(ctx, conn, platforms[0])

    def _metered(
        self, ctx: context.Context, conn: ClientState, platform: str
    ) -> layer.Layer | None:
        return layers.TCPLayer(ctx) if self._meter(ctx.client, conn, platform) else None

    def _decrypted(self, ctx: context.Context, kind: PreambleKind) -> layer.Layer:
        if kind is not PreambleKind.TLS:
            return TerminableHttp(ctx)
        outer = LateServerTls(ctx) if ctx.server.connected else layers.ServerTLSLayer(ctx)
        outer.child_layer = ClientTls(ctx)
        return outer

    def _inside_tls(
        self, ctx: context.Context, conn: ClientState, client: bytes
    ) -> layer.Layer | None:
        if ctx.client.alpn in HTTP_ALPNS or read_preamble(client).kind is PreambleKind.HTTP:
            return TerminableHttp(ctx)
        platform = self._platform(conn)
        return self._metered(ctx, conn, platform) if platform is not None else None
