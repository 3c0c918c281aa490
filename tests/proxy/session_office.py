"""An office with sign-in and one site with TLS: who resumes which session."""

from __future__ import annotations

import base64
import gc
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mitmproxy import tls

from proxy_addon.proxy.tls_sessions import TlsSessions
from tests.e2e.client import read_until
from tests.e2e.origins import Origins
from tests.proxy.harness import ProxyHarness, Serving
from tests.proxy.tls_site import TlsSite

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
NAMES = ("one.facebook.com", "two.facebook.com")
PASSWORDS = {"ann": "word of ann", "bob": "word of bob"}

type OnHandshake = Callable[[tls.TlsData], None]


def sign_in(who: str) -> str:
    """The header with somebody's password."""
    token = base64.b64encode(f"{who}:{PASSWORDS[who]}".encode()).decode()
    return f"Proxy-Authorization: Basic {token}\r\n"


class SessionOffice:
    """A proxy and one site, which is behind both names."""

    def __init__(self, proxy: Serving, site: TlsSite, sessions: TlsSessions) -> None:
        self.proxy, self.site, self.sessions = proxy, site, sessions

    def visit(
        self, who: str | None, connect: str = NAMES[0], name: str | None = None, count: int = 1
    ) -> int:
        """Requests on a connection of their own, which is over afterwards; the last status. `who`
        None: somebody who is not identified."""
        status, tunnel = self.proxy.client.tunnel(connect, headers=sign_in(who) if who else "")
        assert status == 200
        with self.proxy.client.tls(tunnel, name or connect) as inside:
            for _ in range(count):
                host = name or connect
                inside.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                head = read_until(inside, b"\r\n\r\n")
                if b" 200 " in head:
                    assert inside.recv(5) == b"hello"
        self.proxy.empty()
        gc.collect()  # OpenSSL frees the connection
        return int(head.split()[1])

    def kept(self) -> int:
        """How many sessions are kept."""
        return self.proxy.on_loop(lambda: len(self.sessions.cache))

    def failures(self) -> float:
        """How often something failed."""
        return self.proxy.harness.counted("errors_total", where="tls_sessions")


@contextmanager
def office(
    folder: Path,
    origins: Origins,
    site: TlsSite,
    *,
    light_path: bool = True,
    on_handshake: OnHandshake | None = None,
) -> Iterator[SessionOffice]:
    """The office with sign-in; whoever does not sign in is taken for a guest."""
    with site:
        resolve = [f"{name}:443=127.0.0.1:{site.port}" for name in NAMES]
        harness = ProxyHarness(folder, passwords=PASSWORDS, sign_in="optional", resolve=resolve)
        if on_handshake is not None:
            harness.addon.tls_established_server = on_handshake  # type: ignore[attr-defined]
        with Serving(harness, origins, light_path=light_path) as proxy:
            assert proxy._runner is not None
            yield SessionOffice(proxy, site, proxy._runner.tls_sessions)


def good(origins: Origins, version: ssl.TLSVersion = TLS_1_3, **more: Any) -> TlsSite:
    """A site whose certificate names both hosts."""
    return TlsSite(origins.authority.leaf_file(*NAMES), version, **more)
