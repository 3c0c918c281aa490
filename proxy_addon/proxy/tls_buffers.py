"""A third add-on: TLS connections give their buffers back while nothing passes.

OpenSSL keeps some 34 kB for each connection that was ever read from and written to, and a decrypted
tunnel is two. Most connections of an office are idle most of the time.
`tests/proxy/test_tls_buffers.py` pins what is used of pyOpenSSL's internals.
"""

from __future__ import annotations

from mitmproxy import tls
from OpenSSL import SSL


class TlsBuffers:
    """Runs after the add-on that makes connections."""

    name = "allowance_tls_buffers"

    def tls_start_client(self, data: tls.TlsData) -> None:
        """TLS with a client begins."""
        _release(data)

    def tls_start_server(self, data: tls.TlsData) -> None:
        """TLS with a site begins."""
        _release(data)


def _release(data: tls.TlsData) -> None:
    if data.ssl_conn is not None:
        SSL._lib.SSL_set_mode(data.ssl_conn._ssl, SSL.MODE_RELEASE_BUFFERS)  # type: ignore[attr-defined]
