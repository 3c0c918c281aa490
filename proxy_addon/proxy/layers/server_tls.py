"""TLS with a site, for a tunnel that is opened although its site was connected to at once.

That is so where CONNECT names a host that no rule limits and the ClientHello one that has to be
opened. mitmproxy would send requests into that connection as if TLS had been established there, and
log a traceback. Here it is closed, and requests go to a connection that is opened when one may be
sent: a blocked site is not contacted. `tests/proxy/layers/test_server_tls.py` pins what is used of
mitmproxy.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress

from mitmproxy import connection
from mitmproxy.proxy import commands, context, events, layer, layers

_MOST = 253  # characters of a host name


class LateServerTls(layers.ServerTLSLayer):
    """Drop-in for `ServerTLSLayer` where the context's site is connected to."""

    def __init__(self, context: context.Context) -> None:
        self._unused = context.server
        context.server = connection.Server(address=self._unused.address)
        context.server.via = self._unused.via
        super().__init__(context)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, events.ConnectionEvent) and event.connection == self._unused:
            return
        if isinstance(event, events.Start) and self._unused.connected:
            yield commands.CloseConnection(self._unused)
        yield from super()._handle_event(event)


def server_name(name: str) -> str | None:
    """A name for a greeting, of a host or an address: without the dot of the root (RFC 6066, 3),
    with which OpenSSL verifies nothing. None: it is neither."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(name))
    bare = name.rstrip(".")
    try:
        encoded = bare.encode("idna")
    except ValueError:
        return None
    return (
        bare if 0 < len(encoded) <= _MOST and encoded.isascii() and b"\0" not in encoded else None
    )
