"""The short way through an opened tunnel.

mitmproxy passes each event of a tunnel through the layers that have read its CONNECT (HTTP over
TCP), turns it into an HTTP event and back, and the same with each answer, for as long as the tunnel
lives. When all of these layers only pass on, events are given to the TLS layer of the client
directly, and what comes from there is treated as those layers would treat it.

That is so when nothing else is in the connection: one stream, whose CONNECT has been answered; TLS
with the client is established; HTTP is inside; and the site is connected to by the layers inside.
Anything else takes the long way. `tests/proxy/layers/test_opened_tunnel.py` pins what is used of
mitmproxy's internals.
"""

from __future__ import annotations

from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import commands, events, layer, layers
from mitmproxy.proxy.tunnel import TunnelState

from proxy_addon.proxy.layers.client_side import Http1ClientSide
from proxy_addon.proxy.layers.client_tls import ClientTls
from proxy_addon.proxy.layers.termination import TerminableHttp


class OpenedTunnel:
    """Takes events in the place of a connection's outermost layer."""

    def __init__(self, client: Connection, inside: layer.Layer) -> None:
        self._client = client
        self._inside = inside
        self.context = inside.context

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As the outer layers: what is closed is closed entirely, and the client's connection only
        while it can be written to."""
        for command in self._inside.handle_event(event):
            if isinstance(command, commands.CloseConnection):
                if command.connection is not self._client:
                    yield commands.CloseConnection(command.connection)
                elif self._client.state & ConnectionState.CAN_WRITE:
                    yield commands.CloseConnection(self._client)
            else:
                yield command

    @classmethod
    def of(cls, top: layer.Layer) -> OpenedTunnel | None:
        """The short way for a connection whose outermost layer is `top`; None while, or where,
        there is none."""
        stack = top.context.layers
        outer = stack[1] if len(stack) > 1 else None
        if type(outer) is not TerminableHttp or len(outer.streams) != 1 or outer._paused:
            return None
        (stream,) = outer.streams.values()
        if stream._paused or stream._handle_event != stream.passthrough:
            return None
        inside = _inside(_chosen(stream.child_layer))
        if inside is None or not _passes_on(outer.connections.get(outer.context.client)):
            return None
        outer.command_sources.clear()  # what they have asked for is answered inside
        return cls(outer.context.client, inside)


def _chosen(child: layer.Layer | None) -> layer.Layer | None:
    """The layer that a NextLayer has become, when nothing waits in it."""
    if isinstance(child, layer.NextLayer):
        settled = child._handle is not None and not child._paused and not child.events
        return child.layer if settled else None
    return child


def _inside(server_tls: layer.Layer | None) -> ClientTls | None:
    """The established TLS layer of the client, with HTTP in it, when the layer around it has
    nothing to do: the connection that this one is for is never opened."""
    if type(server_tls) is not layers.ServerTLSLayer or server_tls._paused:
        return None
    unused = server_tls.conn.state is ConnectionState.CLOSED
    unused = unused and server_tls.conn.timestamp_start is None
    unused = unused and server_tls.tunnel_state in (TunnelState.INACTIVE, TunnelState.CLOSED)
    if not unused or server_tls.command_to_reply_to or server_tls._event_queue:
        return None
    client_tls = server_tls.child_layer
    if type(client_tls) is not ClientTls or client_tls._paused:
        return None
    if client_tls.tunnel_state is not TunnelState.OPEN:
        return None
    return client_tls if type(_chosen(client_tls.child_layer)) is TerminableHttp else None


def _passes_on(client_side: layer.Layer | None) -> bool:
    """Whether nothing of the CONNECT is left to be read or answered."""
    return (
        type(client_side) is Http1ClientSide
        and not client_side._paused
        and client_side.state == client_side.passthrough
        and not client_side.buf
    )
