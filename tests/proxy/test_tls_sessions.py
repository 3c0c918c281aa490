"""`proxy_addon/proxy/tls_sessions.py`: who resumes which session, counted by real sites; pins what
is used of pyOpenSSL's internals."""

from __future__ import annotations

import inspect
import itertools
import ssl
from pathlib import Path

import pytest
from mitmproxy import ctx, tls
from mitmproxy.options import Options
from mitmproxy.proxy.context import Context
from mitmproxy.test import tflow
from OpenSSL import SSL

from proxy_addon.identity.identification import Identity
from proxy_addon.proxy.tls_sessions import (
    LIFETIME,
    KeptSession,
    SessionCache,
    SessionKey,
    TlsSessions,
)
from tests.e2e.authority import Authority
from tests.e2e.client import read_until
from tests.e2e.origins import Origins
from tests.proxy.harness import ProxyHarness, breaks
from tests.proxy.session_office import NAMES, TLS_1_2, TLS_1_3, good, office, sign_in
from tests.proxy.tls_site import TlsSite

pytestmark = pytest.mark.usefixtures("quick_collections")
CONTEXTS = SSL.Context(SSL.TLS_CLIENT_METHOD), SSL.Context(SSL.TLS_CLIENT_METHOD)
ADDRESS = ("one.facebook.com", 443)


@pytest.mark.parametrize("light_path", [True, False], ids=["light", "engine"])
@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_one_person_at_one_site(
    tmp_path: Path, origins: Origins, version: ssl.TLSVersion, light_path: bool
) -> None:
    """The next connections of the same person resume; the first of another person does not, and
    then that person's own do."""
    with office(tmp_path, origins, good(origins, version), light_path=light_path) as running:
        for who in ("ann", "ann", "ann", "bob", "bob", "ann"):
            assert running.visit(who, count=2) == 200
        assert running.site.resumed == [False, True, True, False, True, True]
        assert running.kept() == 2
        assert running.failures() == 0


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_other_names_and_addresses(
    tmp_path: Path, origins: Origins, version: ssl.TLSVersion
) -> None:
    """A session is not offered under another server name, nor at another address, although the
    certificate is good for both."""
    one, two = NAMES
    with office(tmp_path, origins, good(origins, version)) as running:
        for connect, name in ((one, one), (one, two), (two, two), (two, one), (one, one)):
            assert running.visit("ann", connect, name) == 200
        assert running.site.resumed == [False, False, False, False, True]


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_nobody_in_particular(tmp_path: Path, origins: Origins, version: ssl.TLSVersion) -> None:
    """Of somebody who is known by the address only, which several people may share, nothing is
    kept."""
    with office(tmp_path, origins, good(origins, version)) as running:
        assert [running.visit(None), running.visit(None)] == [200, 200]
        assert running.site.resumed == [False, False]
        assert running.kept() == 0


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_certificates_that_are_not_good(
    tmp_path: Path, origins: Origins, version: ssl.TLSVersion
) -> None:
    """The sessions of a site with a wrong name or an unknown CA are not kept; the person gets an
    error each time."""
    wrong = origins.authority.leaf_file("elsewhere.example")
    unknown = Authority(tmp_path / "unknown").leaf_file(*NAMES)
    for number, leaf in enumerate((wrong, unknown)):
        folder = tmp_path / str(number)
        with office(folder, origins, TlsSite(leaf, version)) as running:
            assert [running.visit("ann"), running.visit("ann")] == [502, 502]
            assert running.kept() == 0
            assert True not in running.site.resumed


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_without_verification(tmp_path: Path, origins: Origins, version: ssl.TLSVersion) -> None:
    """Where certificates are not verified no session is kept, nor one offered that was made with
    verification; so none is there when they are verified again."""
    unknown = Authority(tmp_path / "unknown").leaf_file(*NAMES)
    site = good(origins, version)
    with office(tmp_path / "office", origins, site) as running:
        options = running.proxy.on_loop(lambda: ctx.options)
        assert running.visit("ann") == 200
        options.update(ssl_insecure=True)
        assert running.visit("ann") == 200
        site.context = TlsSite.context_for(unknown, version)
        assert [running.visit("bob"), running.visit("bob")] == [200, 200]
        assert running.kept() == 1
        options.update(ssl_insecure=False)
        assert running.visit("bob") == 502
        assert site.resumed[:4] == [False] * 4
        assert True not in site.resumed


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_what_mitmproxy_knows_of_a_resumed_connection(
    tmp_path: Path, origins: Origins, version: ssl.TLSVersion
) -> None:
    """Certificates, server name, protocol, cipher and version are those of the first
    connection."""
    seen = []

    def look(data: tls.TlsData) -> None:
        conn = data.conn
        names = [(each.cn, each.serial) for each in conn.certificate_list]
        seen.append((names, conn.sni, conn.alpn, conn.cipher, conn.tls_version))

    with office(tmp_path, origins, good(origins, version), on_handshake=look) as running:
        assert [running.visit("ann"), running.visit("ann")] == [200, 200]
        assert running.site.resumed == [False, True]
    first, second = seen
    assert first == second
    assert len(first[0]) == 2 and first[0][0][0] == NAMES[0]


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_whole_handshake_after_an_hour(
    tmp_path: Path, origins: Origins, version: ssl.TLSVersion
) -> None:
    """An hour after the certificate was verified it is verified again, however often sessions have
    been resumed meanwhile."""
    with office(tmp_path, origins, good(origins, version)) as running:
        for hours in (0.0, 0.6, 1.1, 1.5):
            running.sessions._now = itertools.repeat(hours * LIFETIME).__next__
            assert running.visit("ann") == 200
        assert running.site.resumed == [False, True, False, True]


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_certificate_that_is_good_no_longer(
    tmp_path: Path, origins: Origins, version: ssl.TLSVersion
) -> None:
    """A site that knows its sessions but whose certificate would not be trusted any more is resumed
    for an hour, and then refused."""
    unknown = Authority(tmp_path / "unknown").leaf_file(*NAMES)
    with office(tmp_path / "office", origins, good(origins, version)) as running:
        status = []
        for hours in (0.0, 0.6, 0.99, 1.01, 1.02):
            running.sessions._now = itertools.repeat(hours * LIFETIME).__next__
            status.append(running.visit("ann"))
            running.site.context.load_cert_chain(unknown)  # its ticket keys stay
        assert status == [200, 200, 200, 502, 502]
        assert running.site.resumed[:3] == [False, True, True]
        assert True not in running.site.resumed[3:]


def test_sites_without_tickets(tmp_path: Path, origins: Origins) -> None:
    """Where a site gives no ticket nothing is kept."""
    with office(tmp_path, origins, good(origins, tickets=0)) as running:
        assert [running.visit("ann"), running.visit("ann")] == [200, 200]
        assert running.site.resumed == [False, False]
        assert running.kept() == 0


def test_a_connection_without_an_answer(tmp_path: Path, origins: Origins) -> None:
    """The session of a connection that ended before any answer can be resumed."""
    with office(tmp_path, origins, good(origins)) as running:
        running.site.answers = False
        assert running.visit("ann") == 502
        assert running.kept() == 1
        running.site.answers = True
        assert running.visit("ann") == 200
        assert running.site.resumed == [False, True]


def test_requests_outside_of_tunnels(tmp_path: Path, origins: Origins) -> None:
    """Of a plain connection, on which each request may be another person's, nothing is kept,
    although the proxy speaks TLS with the site."""
    with office(tmp_path, origins, good(origins)) as running:
        for _ in range(2):
            with running.proxy.client.socket() as plain:
                target = f"https://{NAMES[0]}/"
                head = f"GET {target} HTTP/1.1\r\nHost: {NAMES[0]}\r\n{sign_in('ann')}\r\n"
                plain.sendall(head.encode())
                assert b" 200 " in read_until(plain, b"\r\n\r\n")
            running.proxy.empty()
        assert running.site.resumed == [False, False]
        assert running.kept() == 0


def test_after_a_tunnel_that_was_refused(harness: ProxyHarness) -> None:
    """What follows a CONNECT that failed is a plain connection again, although somebody is known
    of it."""
    sessions = TlsSessions(harness.addon.connections, harness.addon.failures)
    client = tflow.tclient_conn()
    conn = harness.addon.connections.of(client)
    conn.who, conn.hosts = Identity("ann", True, "sign-in"), (ADDRESS[0],)
    around = Context(client, Options())
    around.server = tflow.tserver_conn()
    data = tls.TlsData(around.server, around)
    data.ssl_conn = SSL.Connection(CONTEXTS[0])
    assert sessions._key(data) is not None
    data.conn = tflow.tserver_conn()  # the upstream proxy
    assert sessions._key(data) is None
    data.conn, conn.hosts = around.server, ()
    assert sessions._key(data) is None


@pytest.mark.parametrize("method", ["take", "put", "set_session", "get_session"])
def test_failures_stop_nothing(
    tmp_path: Path, origins: Origins, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """When our own code fails there is a whole handshake, the person gets the page, and it is
    counted."""
    target = SessionCache if hasattr(SessionCache, method) else SSL.Connection
    with office(tmp_path, origins, good(origins)) as running:
        assert running.visit("ann") == 200
        monkeypatch.setattr(target, method, breaks)
        assert [running.visit("ann"), running.visit("ann")] == [200, 200]
        assert running.failures() >= 1


def test_a_session_that_the_site_has_forgotten(tmp_path: Path, origins: Origins) -> None:
    """A site that was started anew cannot read old tickets: a whole handshake, and the next
    connection resumes again."""
    leaf = origins.authority.leaf_file(*NAMES)
    with office(tmp_path, origins, good(origins)) as running:
        assert running.visit("ann") == 200
        running.site.context = TlsSite.context_for(leaf, TLS_1_3)
        assert [running.visit("ann"), running.visit("ann")] == [200, 200]
        assert running.site.resumed == [False, False, True]


def key(person: str = "ann") -> SessionKey:
    """The key of somebody's sessions."""
    return SessionKey(person, ADDRESS, None, ADDRESS[0], (), CONTEXTS[0])


def session(verified: float = 0.0) -> KeptSession:
    """A session that is never used."""
    return KeptSession(SSL.Session.__new__(SSL.Session), verified)


OTHERS = {
    "person": "bob",
    "address": (ADDRESS[0], 8443),
    "via": ("http", ("upstream.example", 3128)),
    "sni": "two.facebook.com",
    "alpn_offers": (b"h2", b"http/1.1"),
    "context": CONTEXTS[1],
}


@pytest.mark.parametrize("field", SessionKey._fields)
def test_what_has_to_be_the_same(field: str) -> None:
    """Under another person, address, upstream proxy, name, offer of protocols, or OpenSSL context
    (and so another way of verifying certificates), a session is not found."""
    cache = SessionCache()
    cache.put(key(), session(), 0.0)
    assert cache.take(key()._replace(**{field: OTHERS[field]}), 0.0) is None
    assert cache.take(key(), 0.0) is not None


def test_each_session_is_given_once() -> None:
    """The latest first, and each only once."""
    cache = SessionCache()
    first, second = session(), session()
    cache.put(key(), first, 0.0)
    cache.put(key(), second, 0.0)
    assert cache.take(key(), 0.0) is second
    assert cache.take(key(), 0.0) is first
    assert cache.take(key(), 0.0) is None
    assert len(cache) == 0


def test_bounds() -> None:
    """There are never more sessions than are allowed, nor more of one key; the oldest go first."""
    cache = SessionCache(most=10, most_of_one=3)
    kept = [session() for _ in range(5)]
    for each in kept:
        cache.put(key(), each, 0.0)
    assert len(cache) == 3
    assert cache.take(key(), 0.0) is kept[-1]
    for number in range(100):
        cache.put(key(f"person {number}"), session(), 0.0)
        assert len(cache) <= 10
    assert cache.take(key(), 0.0) is None
    assert cache.take(key("person 89"), 0.0) is None
    assert all(cache.take(key(f"person {number}"), 0.0) for number in range(90, 100))
    assert len(cache) == 0


def test_what_is_given_up() -> None:
    """All sessions with one key go, and no others; for a lifetime none is kept with it. What has
    been given up is bounded, too."""
    cache = SessionCache(most=3, lifetime=60.0)
    for person in ("ann", "ann", "bob"):
        cache.put(key(person), session(), 0.0)
    for person in ("cleo", "ann"):
        cache.give_up(key(person), 10.0)
    assert len(cache) == 1
    assert cache.take(key("bob"), 10.0) is not None
    cache.put(key("ann"), session(69.0), 69.0)
    assert cache.take(key("ann"), 69.0) is None
    cache.put(key("ann"), session(70.0), 70.0)
    assert cache.take(key("ann"), 70.0) is not None
    for number in range(10):
        cache.give_up(key(f"person {number}"), 70.0)
    assert len(cache._given_up) == 3


def test_what_is_too_old_goes() -> None:
    """After their time sessions are neither given nor kept, and one that comes too late is not
    taken in."""
    cache = SessionCache(lifetime=60.0)
    cache.put(key("ann"), session(0.0), 0.0)
    cache.put(key("bob"), session(50.0), 50.0)
    cache.put(key("cleo"), session(0.0), 60.0)
    assert cache.take(key("cleo"), 60.0) is None
    cache.put(key("dora"), session(61.0), 61.0)
    assert len(cache) == 2  # Bob's and Dora's
    assert cache.take(key("bob"), 109.0) is not None
    assert cache.take(key("dora"), 121.0) is None


def test_internals_of_pyopenssl() -> None:
    """What is used of them exists, and a session is a reference to OpenSSL's."""
    library = SSL._lib  # type: ignore[attr-defined]
    assert callable(library.SSL_session_reused) and callable(library.SSL_get_verify_result)
    assert "SSL_get1_session" in inspect.getsource(SSL.Connection.get_session)
