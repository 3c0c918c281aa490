"""Twin of proxy_addon/proxy/layers/server_tls.py: a tunnel that is opened after its site was
connected to; pins what is used of mitmproxy."""

from __future__ import annotations

import pytest
from mitmproxy import connection, options
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers import ServerTLSLayer
from mitmproxy.test import tflow
from structlog.testing import capture_logs

from proxy_addon.proxy.layers.client_tls import ClientTls
from proxy_addon.proxy.layers.server_tls import LateServerTls, server_name
from tests.e2e.client import read_until
from tests.proxy.harness import Serving

HOST = "www.facebook.com"


def begun(kind: type[ServerTLSLayer]) -> tuple[ServerTLSLayer, connection.Server, list[object]]:
    """A layer whose site is connected to, that connection, and what it asks for at the start."""
    around = context.Context(tflow.tclient_conn(), options.Options())
    site = around.server = connection.Server(address=("news.example", 443))
    site.state = connection.ConnectionState.OPEN
    made = kind(around)
    made.child_layer = ClientTls(around)
    return made, site, list(made.handle_event(events.Start()))


def test_the_connection_is_closed_and_not_heard() -> None:
    """Its site may still send something, and end; requests find a connection that is not open."""
    made, site, asked = begun(LateServerTls)
    assert [type(each) for each in asked] == [commands.CloseConnection]
    assert getattr(asked[0], "connection", None) is site
    assert list(made.handle_event(events.DataReceived(site, b"too late"))) == []
    assert list(made.handle_event(events.ConnectionClosed(site))) == []
    assert made.context.server.address == site.address
    assert not made.context.server.connected


def test_mitmproxys_own_layer_would_raise() -> None:
    """The reason for this class; when this fails it can go."""
    made, site, _ = begun(ServerTLSLayer)
    with pytest.raises(AttributeError, match="bio_write"):
        list(made.handle_event(events.DataReceived(site, b"too late")))


def test_a_limited_site_behind_the_name_of_another(proxy: Serving) -> None:
    """CONNECT names a host that no rule limits, the greeting a limited one for which there is time:
    the tunnel is opened, and requests are answered."""
    with capture_logs() as lines:
        status, tunnel = proxy.client.tunnel("news.example")
        assert status == 200
        with proxy.client.tls(tunnel, HOST) as secure:
            for path in ("/page/1", "/page/2"):
                secure.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                head = read_until(secure, b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 "), head
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                body = head.partition(b"\r\n\r\n")[2]
                while len(body) < length:
                    body += secure.recv(65_536)
    proxy.empty()
    assert proxy.origins.record.contacted(HOST)
    assert proxy.harness.counted("tunnels_total", how="decrypted") == 1
    assert not [line for line in lines if line["log_level"] == "error"]


NAMES = {
    "x.com": "x.com",
    "x.com.": "x.com",
    "X.com..": "X.com",
    "127.0.0.1": "127.0.0.1",
    "::1": "::1",
    "b\u00fccher.example": "b\u00fccher.example",
    "": None,
    ".": None,
    "a..b": None,
    "a" * 64 + ".com": None,
    "a\0.com": None,
    ".".join(["a" * 60] * 5): None,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_for_greetings(name: str) -> None:
    """A host without the dot of the root, or an address; nothing else."""
    assert server_name(name) == NAMES[name]
