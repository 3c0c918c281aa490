"""Counts connections for the operator: accepted ones, bytes to and from sites, sites that could not
be reached.

Nothing is counted where bytes pass. The kernel counts them for each connection anyway; it is asked
every five seconds and when a connection ends (Linux; elsewhere there are no byte counts).
`tests/proxy/test_traffic.py` pins what is used of mitmproxy's internals.
"""

from __future__ import annotations

import asyncio
import socket
import struct

from mitmproxy import connection, tls
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import server_hooks

from proxy_addon.network.connect_errors import kind_of
from proxy_addon.observability.interface import Traffic

POLL_SECONDS = 5.0  # seconds between two readings of open connections
_COUNTS = struct.Struct("@QQ")  # bytes_acked, bytes_received of struct tcp_info
_OFFSET = 120


def counted(sock: socket.socket | None) -> tuple[int, int] | None:
    """Bytes that the other side has acknowledged, and bytes that came; None where the kernel does
    not tell."""
    if sock is None or not hasattr(socket, "TCP_INFO"):
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _OFFSET + _COUNTS.size)
    except (OSError, ValueError):
        return None
    if len(info) < _OFFSET + _COUNTS.size:
        return None
    sent, received = _COUNTS.unpack_from(info, _OFFSET)
    return sent, received


class TrafficCounts:
    """A second add-on, which only observes."""

    name = "allowance_traffic"

    def __init__(self, server: Proxyserver, counter: Traffic) -> None:
        self._server = server
        self._counter = counter
        self._open: dict[connection.Server, tuple[socket.socket, int, int]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def running(self) -> None:
        """The proxy accepts connections: start reading."""
        self._poll(asyncio.get_running_loop())

    def done(self) -> None:
        """The proxy ends: stop reading."""
        if self._timer is not None:
            self._timer.cancel()

    def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        for server in list(self._open):
            self._read_counts(server)
        self._timer = loop.call_later(POLL_SECONDS, self._poll, loop)

    def client_connected(self, client: connection.Client) -> None:
        """Runs after our add-on, which has decided by now whether this client is accepted."""
        if not client.error:
            self._counter.accepted()

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """A site was connected to: remember its socket for as long as it is open."""
        handler = self._server.connections.get(data.client.id)
        transport = handler.transports.get(data.server) if handler is not None else None
        writer = transport.writer if transport is not None else None
        sock = writer.get_extra_info("socket") if isinstance(writer, asyncio.StreamWriter) else None
        if sock is not None and counted(sock) is not None:
            self._open[data.server] = (sock, 0, 0)

    def server_disconnected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The last reading: asyncio closes the socket only after this hook."""
        self._read_counts(data.server)
        self._open.pop(data.server, None)

    def _read_counts(self, server: connection.Server) -> None:
        entry = self._open.get(server)
        if entry is None:
            return
        sock, sent, received = entry
        now = counted(sock)
        if now is not None:
            self._counter.volume(max(0, now[0] - sent), max(0, now[1] - received))
            self._open[server] = (sock, *now)

    def server_connect_error(self, data: server_hooks.ServerConnectionHookData) -> None:
        """A site could not be connected to."""
        self._counter.upstream_failed(kind_of(data.server.error or ""))

    def tls_failed_server(self, data: tls.TlsData) -> None:
        """A site could not be trusted, or supports no TLS version that we do."""
        message = (data.conn.error or "").lower()
        self._counter.upstream_failed("certificate" if "certificate" in message else "tls")
