"""TLS for our own pages on the light path: a certificate for their host from the CA of this
proxy."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from mitmproxy.certs import CertStore

from proxy_addon.proxy import ca

RENEW_SECONDS = 30 * 86_400.0  # a certificate older than this is replaced


def page_context(confdir: Path, host: str) -> ssl.SSLContext:
    """TLS 1.2 or later, HTTP/1.1 only. The certificate holds for half a year, as all that mitmproxy
    makes. Raises OSError or ValueError when the CA cannot be used."""
    store = CertStore.from_store(confdir, ca.BASENAME, ca.KEY_BITS)
    entry = store.get_cert(host, [x509.DNSName(host)])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # OpenSSL reads certificates from files only. The key of all of them is the CA's.
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(b"".join(cert.to_pem() for cert in (entry.cert, *entry.chain_certs)))
        file.flush()
        context.load_cert_chain(file.name, ca.key(confdir))
    return context


class PageCertificate:
    """The current one. It is made at the start, and again in good time, off the event loop."""

    def __init__(self, confdir: Path, host: str, now: Callable[[], float]) -> None:
        """`now` gives the current instant. Raises OSError or ValueError."""
        self._confdir = confdir
        self._host = host
        self._now = now
        self._made = now()
        self._context = page_context(confdir, host)
        self._renewing: asyncio.Future[ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """For a connection that begins now. Called on the event loop."""
        if self._renewing is None and self._now() - self._made > RENEW_SECONDS:
            loop = asyncio.get_running_loop()
            self._renewing = loop.run_in_executor(None, page_context, self._confdir, self._host)
            self._renewing.add_done_callback(self._renewed)
        return self._context

    def _renewed(self, made: asyncio.Future[ssl.SSLContext]) -> None:
        self._renewing = None
        if not made.cancelled() and made.exception() is None:
            self._context, self._made = made.result(), self._now()
