"""Twin of proxy_addon/proxy/tls_buffers.py: idle TLS connections are small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mitmproxy import tls
from mitmproxy.test.tflow import tflow
from OpenSSL import SSL

from proxy_addon.proxy.tls_buffers import TlsBuffers
from tests.e2e.authority import Authority

PAIRS = 200
IDLE = """
import sys
from OpenSSL import SSL
from types import SimpleNamespace
from proxy_addon.proxy.tls_buffers import TlsBuffers

def pair():
    server = SSL.Connection(serving)
    client = SSL.Connection(asking)
    server.set_accept_state(); client.set_connect_state()
    for each in (server, client):
        if {released}:
            TlsBuffers().tls_start_client(SimpleNamespace(ssl_conn=each))
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                other.bio_write(one.bio_read(65536))
            except SSL.WantReadError:
                pass
    for one, other in ((client, server), (server, client)):
        one.send(b"x" * 16_000)
        other.bio_write(one.bio_read(65536))
        other.recv(65536)
    return server, client

serving, asking = SSL.Context(SSL.TLS_SERVER_METHOD), SSL.Context(SSL.TLS_CLIENT_METHOD)
serving.use_certificate_file({leaf!r}); serving.use_privatekey_file({leaf!r})
kept = [pair() for _ in range(10)]
size = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
before = size()
kept += [pair() for _ in range({pairs})]
print(size() - before)
"""


def grown(leaf: Path, *, released: bool) -> int:
    """Bytes that idle connections take."""
    text = IDLE.format(leaf=str(leaf), pairs=PAIRS, released=released)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="memory of a process is read from Linux")
def test_an_idle_connection_keeps_no_buffers(tmp_path: Path) -> None:
    """Some 30 kB less for each, after large records both ways."""
    leaf = Authority(tmp_path).leaf_file("www.facebook.com")
    saved = grown(leaf, released=False) - grown(leaf, released=True)
    assert saved > 2 * PAIRS * 12_000


def test_both_sides_of_a_tunnel_are_told() -> None:
    """The mode is added to those that pyOpenSSL sets; without a connection nothing happens."""
    flow = tflow()
    for start in ("tls_start_client", "tls_start_server"):
        data = tls.TlsData(flow.client_conn, context=None)  # type: ignore[arg-type]
        getattr(TlsBuffers(), start)(data)
        data.ssl_conn = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
        before = SSL._lib.SSL_set_mode(data.ssl_conn._ssl, 0)  # type: ignore[attr-defined]
        getattr(TlsBuffers(), start)(data)
        after = SSL._lib.SSL_set_mode(data.ssl_conn._ssl, 0)  # type: ignore[attr-defined]
        assert after == before | SSL.MODE_RELEASE_BUFFERS
        assert not before & SSL.MODE_RELEASE_BUFFERS
