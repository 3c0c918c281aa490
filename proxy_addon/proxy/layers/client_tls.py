"""TLS with a client, as mitmproxy does it, but for bytes that come after a handshake that failed.

Their connection is about to be closed; mitmproxy would give them to a TLS object that was never
made, and log a traceback. `tests/proxy/layers/test_client_tls.py` pins what is used of mitmproxy.
"""

from __future__ import annotations

from mitmproxy.proxy import layer, layers


class ClientTls(layers.ClientTLSLayer):
    """Drop-in for `ClientTLSLayer`."""

    def receive_data(self, data: bytes) -> layer.CommandGenerator[None]:
        """See mitmproxy's `TLSLayer`."""
        if self.tls is not None:
            yield from super().receive_data(data)
