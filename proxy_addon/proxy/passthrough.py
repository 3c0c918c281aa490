"""What is not limited is not decrypted: chooses what happens inside a tunnel, from its first bytes.

A tunnel is a limited platform's when the host of its CONNECT or the name in its TLS greeting says so. Everything
else is relayed as bytes: no certificate of ours, no parsing, no flow, no log.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from mitmproxy import connection
from mitmproxy.net.tls import starts_like_tls_record
from mitmproxy.proxy import context, layer, layers
from mitmproxy.proxy.layers.tls import HTTP_ALPNS, parse_client_hello

from proxy_addon.core.hosts import normalise
from proxy_addon.proxy.connections import Conn
from proxy_addon.proxy.cut import CuttableHttp

PAGE_HOST = "allowance.internal"
_GREETING = 6  # bytes needed to know a TLS greeting
_METHOD = 3  # bytes needed to know a request line


class Wait(Exception):
    """More bytes are needed before anything can be said."""


class Kind(Enum):
    """What the first bytes are."""

    TLS = "tls"
    HTTP = "http"
    OTHER = "other"


class Opening(NamedTuple):
    """The first bytes of a tunnel: kind, and the hosts that they name (normalised)."""

    kind: Kind
    hosts: tuple[str, ...]


def read_opening(data: bytes) -> Opening:
    """Read the client's first bytes. Raises Wait while they are too few."""
    if data[:1] == b"\x16":
        if len(data) < _GREETING:
            raise Wait
        if starts_like_tls_record(data):
            return Opening(Kind.TLS, _names_in_greeting(data))
    if len(data) < _METHOD:
        raise Wait
    line = data.partition(b"\n")[0]
    if data[:_METHOD].isalpha() and b" " in line and (b"HTTP/" in line or len(line) == len(data)):
        return Opening(Kind.HTTP, _names_in_request(data))
    return Opening(Kind.OTHER, ())


def _names_in_greeting(data: bytes) -> tuple[str, ...]:
    try:
        hello = parse_client_hello(data)
    except ValueError:
        return ()
    if hello is None:
        raise Wait
    return (normalise(hello.sni),) if hello.sni else ()


def _names_in_request(data: bytes) -> tuple[str, ...]:
    head, complete, _ = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"host":
            return (normalise(value.strip().decode("latin-1")),)
    if not complete and len(data) < 65_536:
        raise Wait
    return ()


class Passthrough:
    """Chooses the layer inside a tunnel.

    `limited` names the platform of a host when some rule limits it. `inspected` is False for platforms that
    stay closed (`inspect: false`). `meter` starts a metered tunnel for a platform: True = it may go on.
    """

    def __init__(
        self,
        limited: Callable[[str], str | None],
        inspected: Callable[[str], bool],
        meter: Callable[[connection.Client, Conn, str], bool],
    ) -> None:
        self._limited = limited
        self._inspected = inspected
        self._meter = meter

    def choose(self, ctx: context.Context, conn: Conn, client: bytes, server: bytes) -> layer.Layer | None:
        """The layer for what comes next in a tunnel; None = its client must go. May raise Wait."""
        if conn.ticket is not None:
            return layers.TCPLayer(ctx)
        if ctx.client.tls_established:
            return self._inside_tls(ctx, conn, client)
        if server:
            return self._server_first(ctx, conn)
        opening = read_opening(client)
        conn.hosts = (*conn.hosts, *(h for h in opening.hosts if h not in conn.hosts))
        if PAGE_HOST in conn.hosts:
            return self._open(ctx, conn, opening.kind)
        platform = next((p for p in map(self._limited, conn.hosts) if p is not None), None)
        if platform is None:
            conn.passed = True
            return layers.TCPLayer(ctx, ignore=True)
        if opening.kind is Kind.OTHER or not self._inspected(platform):
            return self._metered(ctx, conn, platform)
        return self._open(ctx, conn, opening.kind)

    def _server_first(self, ctx: context.Context, conn: Conn) -> layer.Layer | None:
        platform = next((p for p in map(self._limited, conn.hosts) if p is not None), None)
        if platform is not None:
            return self._metered(ctx, conn, platform)
        conn.passed = True
        return layers.TCPLayer(ctx, ignore=True)

    def _metered(self, ctx: context.Context, conn: Conn, platform: str) -> layer.Layer | None:
        return layers.TCPLayer(ctx) if self._meter(ctx.client, conn, platform) else None

    def _open(self, ctx: context.Context, conn: Conn, kind: Kind) -> layer.Layer:
        if kind is Kind.TLS:
            outer = layers.ServerTLSLayer(ctx)
            outer.child_layer = layers.ClientTLSLayer(ctx)
            return outer
        return self._http(ctx, conn)

    def _inside_tls(self, ctx: context.Context, conn: Conn, client: bytes) -> layer.Layer | None:
        if ctx.client.alpn in HTTP_ALPNS or read_opening(client).kind is Kind.HTTP:
            return self._http(ctx, conn)
        platform = next((p for p in map(self._limited, conn.hosts) if p is not None), None)
        return self._metered(ctx, conn, platform) if platform is not None else None

    def _http(self, ctx: context.Context, conn: Conn) -> layer.Layer:
        inner = conn.cuttable = CuttableHttp(ctx)
        return inner
