"""`proxy_addon/proxy/layers/repeated_handshake.py`, with sites that do not like to be offered
sessions; pins the internals of mitmproxy that it uses."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
from mitmproxy import options
from mitmproxy.proxy import context, layers
from mitmproxy.proxy.layers.http import HttpClient, HTTPMode
from mitmproxy.test import tflow

from proxy_addon.proxy.layers.repeated_handshake import RepeatingHttp, repeats
from proxy_addon.proxy.layers.termination import TerminableHttp
from proxy_addon.proxy.tls_sessions import LIFETIME
from tests.e2e.origins import Origins
from tests.e2e.waiting import until
from tests.proxy.session_office import NAMES, TLS_1_2, TLS_1_3, good, office, sign_in
from tests.proxy.tls_site import Gate

pytestmark = pytest.mark.usefixtures("quick_collections")
WAYS = ("alert", "close", "reset", "late")
ANN = "ann:word of ann"
BODY = bytes(range(256)) * 4000


@pytest.mark.parametrize("light_path", [True, False], ids=["light", "engine"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_site_that_refuses_sessions(
    tmp_path: Path, origins: Origins, version: ssl.TLSVersion, way: str, light_path: bool
) -> None:
    """The person gets the page, by a second connection, and the site each request once. For an hour
    no session is offered to that site; then it is tried again. Others go on."""
    with office(tmp_path, origins, good(origins, version), light_path=light_path) as running:
        site, now = running.site, 0.0
        running.sessions._now = lambda: now
        assert [running.visit("ann"), running.visit("bob"), running.visit("bob")] == [200] * 3
        assert site.resumed == [False, False, True]
        site.refuses = way
        assert [running.visit("ann", count=2), running.visit("ann")] == [200, 200]
        assert (site.refused, site.requests) == (1, 6)
        site.refuses = ""
        assert [running.visit("ann"), running.visit("bob")] == [200, 200]
        assert site.resumed[3:] == [False, False, False, True]
        now = LIFETIME
        assert [running.visit("ann"), running.visit("ann")] == [200, 200]
        assert site.resumed[7:] == [False, True]
        assert running.failures() == 0


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
def test_uploads(tmp_path: Path, origins: Origins, http2: bool, version: ssl.TLSVersion) -> None:
    """A body that is sent while the handshake is repeated arrives once and whole, over HTTP/1.1 and
    over HTTP/2 from end to end."""
    leaf = origins.authority.leaf_file(*NAMES)
    site = Gate(leaf, version, origins.port("tls"))
    (tmp_path / "body").write_bytes(BODY)
    args = ("--data-binary", f"@{tmp_path / 'body'}")
    with office(tmp_path / "office", origins, site) as running:
        url = f"https://{NAMES[0]}/upload"
        first = running.proxy.client.get(url, *args, user=ANN, http2=http2)
        running.proxy.empty()
        site.refuses = "alert"
        before = len(origins.record.to(NAMES[0]))
        second = running.proxy.client.get(url, *args, user=ANN, http2=http2)
        assert (site.refused, site.relayed) == (1, 2)
        assert len(origins.record.to(NAMES[0])) == before + 1
    sha = hashlib.sha256(BODY).hexdigest()
    for reply in (first, second):
        assert (reply.status, reply.version) == (200, "2" if http2 else "1.1")
        assert reply.json() == {"bytes": len(BODY), "sha256": sha}


def test_several_requests_wait(tmp_path: Path, origins: Origins) -> None:
    """Requests of one HTTP/2 client that wait for the same connection all get their answers, also
    where the site speaks HTTP/1.1 and each needs a connection of its own."""
    with office(tmp_path, origins, good(origins)) as running:
        proxy, client, site = running.proxy, running.proxy.client, running.site
        urls = [f"https://{NAMES[0]}/{number}" for number in range(4)]
        assert client.get(urls[0], user=ANN, http2=True).status == 200
        running.proxy.empty()
        site.refuses = "close"
        site.may_refuse.clear()
        opening = client.start(urls, "--parallel-max", "4", user=ANN, http2=True)
        connections = proxy.harness.addon.connections

        def waiting() -> int:
            return proxy.on_loop(lambda: sum(conn.open for _, conn in connections.all()))

        until(lambda: site.refused == 1 and waiting() == 4, "all requests to wait")
        site.may_refuse.set()
        replies = opening.finish()
        assert [(reply.status, reply.body) for reply in replies] == [(200, b"hello")] * 4
        assert (site.refused, site.requests) == (1, 5)


@pytest.mark.parametrize("way", WAYS)
def test_a_site_that_refuses_everything(tmp_path: Path, origins: Origins, way: str) -> None:
    """The handshake is repeated once; then the person is told."""
    with office(tmp_path, origins, good(origins)) as running:
        assert running.visit("ann") == 200
        running.site.refuses, running.site.always = way, True
        assert running.visit("ann") == 502
        assert running.site.refused == 2
        assert running.visit("ann") == 502
        assert running.site.refused == 3


def test_a_client_that_has_gone(tmp_path: Path, origins: Origins) -> None:
    """Nobody waits for an answer any more: no second connection is made, and as this was not the
    site's doing, sessions are offered again."""
    with office(tmp_path, origins, good(origins)) as running:
        proxy, site = running.proxy, running.site
        assert running.visit("ann") == 200
        site.refuses = "close"
        site.may_refuse.clear()
        _, tunnel = proxy.client.tunnel(NAMES[0], headers=sign_in("ann"))
        with proxy.client.tls(tunnel, NAMES[0]) as inside:
            inside.sendall(f"GET / HTTP/1.1\r\nHost: {NAMES[0]}\r\n\r\n".encode())
            until(lambda: site.refused == 1, "the connection that is refused")
        proxy.empty()
        site.may_refuse.set()
        site.refuses = ""
        assert [running.visit("bob"), running.visit("ann"), running.visit("ann")] == [200] * 3
        assert (site.refused, site.requests) == (1, 4)
        assert site.resumed == [False, False, False, True]


def test_what_it_would_be_without(
    tmp_path: Path, origins: Origins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With mitmproxy's own way of registering connections the person gets an error: the reason for
    this class."""
    own = layers.HttpLayer.register_connection
    monkeypatch.setattr(RepeatingHttp, "register_connection", own)
    with office(tmp_path, origins, good(origins)) as running:
        assert running.visit("ann") == 200
        running.site.refuses = "alert"
        assert running.visit("ann") == 502
        assert running.site.refused == 1


def test_who_repeats() -> None:
    """The HTTP layer that opens the connection; of one that something else opens, nobody."""
    around = context.Context(tflow.tclient_conn(), options.Options())
    assert repeats(around) is None
    outer = TerminableHttp(around, HTTPMode.regular)
    inner = TerminableHttp(around)
    layers.ServerTLSLayer(around)
    assert repeats(around) is None
    HttpClient(around)
    assert repeats(around) is inner is not outer
    other = context.Context(tflow.tclient_conn(), options.Options())
    layers.HttpLayer(other, HTTPMode.regular)
    HttpClient(other)
    assert repeats(other) is None
