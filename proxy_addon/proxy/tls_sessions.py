"""TLS sessions towards sites are resumed, for the same person only.

A session that is resumed saves both sides the certificates and the signatures of a handshake, but
it also tells the site that the same client is back. So a session belongs to one person at one site
(address and server name), with the same protocols offered, under the same verification of
certificates: mitmproxy has one OpenSSL context for each set of such options, and the session is
bound to that object. Of somebody who is not identified nothing is kept.

Each session is offered once, so that whoever watches the line cannot recognise a person by a
ticket (RFC 8446, C.4). It is offered only where a handshake that fails is repeated without one
(`layers/repeated_handshake.py`); then all sessions with the same key are forgotten, and none is
kept for an hour. OpenSSL does not verify certificates when it resumes: `verified` goes from session
to session, and after an hour there is a whole handshake again.

Internals of pyOpenSSL are used; `tests/proxy/test_tls_sessions.py` pins them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, finalize

from mitmproxy import connection, http, tls
from mitmproxy.proxy import server_hooks
from OpenSSL import SSL

from proxy_addon.proxy.failures import Failures
from proxy_addon.proxy.layers.connections import Connections
from proxy_addon.proxy.layers.repeated_handshake import is_waiting, repeats
from proxy_addon.system.clock import timer

MOST_SESSIONS = 2000
MOST_OF_ONE = 4  # sessions of one person at one site: browsers open several connections at once
LIFETIME = 3600.0  # seconds after the site's certificate was verified

_VERIFIED = 0  # X509_V_OK


class SessionKey(NamedTuple):
    """What has to be the same for a session to be resumed."""

    person: str
    address: tuple[Any, ...]
    via: Any  # the upstream proxy
    sni: str | None
    alpn_offers: tuple[bytes, ...]
    context: SSL.Context  # by identity: trust, verification, versions, ciphers


class KeptSession(NamedTuple):
    """A session, and when the certificate in it was verified (seconds of `timer`)."""

    session: SSL.Session
    verified: float


class SessionCache:
    """The latest sessions. `most` bounds all, `most_of_one` those with the same key; `lifetime` is
    in seconds: of sessions, and of keys that were given up."""

    def __init__(
        self,
        most: int = MOST_SESSIONS,
        most_of_one: int = MOST_OF_ONE,
        lifetime: float = LIFETIME,
    ) -> None:
        self._most, self._most_of_one, self._lifetime = most, most_of_one, lifetime
        self._kept: OrderedDict[SessionKey, list[KeptSession]] = OrderedDict()
        self._count = 0
        self._given_up: OrderedDict[SessionKey, float] = OrderedDict()  # and when

    def __len__(self) -> int:
        return self._count

    def put(self, key: SessionKey, session: KeptSession, now: float) -> None:
        """Keep a session; what is too much or too old goes, the oldest first."""
        if not self._valid(session, now) or self._is_given_up(key, now):
            return
        same = self._kept.setdefault(key, [])
        self._kept.move_to_end(key)
        same.append(session)
        self._count += 1
        if len(same) > self._most_of_one:
            del same[0]
            self._count -= 1
        while self._count > self._most or not self._valid(self._oldest()[-1], now):
            self._count -= len(self._kept.popitem(last=False)[1])

    def take(self, key: SessionKey, now: float) -> KeptSession | None:
        """The latest session with this key, which is not kept any longer."""
        same = self._kept.get(key)
        if same is None:
            return None
        found = same.pop()
        self._count -= 1
        if not same:
            del self._kept[key]
        return found if self._valid(found, now) else None

    def give_up(self, key: SessionKey, now: float) -> None:
        """Forget all sessions with this key, and keep none for a lifetime: each one that a site
        refuses costs a connection."""
        self._count -= len(self._kept.pop(key, ()))
        self._given_up[key] = now
        self._given_up.move_to_end(key)
        if len(self._given_up) > self._most:
            self._given_up.popitem(last=False)

    def _is_given_up(self, key: SessionKey, now: float) -> bool:
        since = self._given_up.get(key)
        if since is None or now - since < self._lifetime:
            return since is not None
        del self._given_up[key]
        return False

    def _oldest(self) -> list[KeptSession]:
        return next(iter(self._kept.values()))

    def _valid(self, session: KeptSession, now: float) -> bool:
        return 0 <= now - session.verified < self._lifetime


class _Handshake:
    """TLS with a site, until its session is known."""

    __slots__ = ("first", "key", "offered", "tls", "verified")

    def __init__(self, key: SessionKey, tls: SSL.Connection, offered: KeptSession | None) -> None:
        self.key = key
        self.tls = tls
        self.offered = offered
        self.verified = 0.0
        self.first: SSL.Session | None = None  # TLS 1.3: before any ticket


class TlsSessions:
    """An add-on that comes after mitmproxy's `TlsConfig`, whose connections it completes.

    Under somebody's own `mitmdump -s` add-ons come before `TlsConfig`; there sessions are not
    resumed. When something fails here there is a whole handshake.
    """

    name = "allowance_tls_sessions"

    def __init__(
        self,
        connections: Connections,
        failures: Failures,
        cache: SessionCache | None = None,
        now: Callable[[], float] = timer,
    ) -> None:
        self._connections = connections
        self._failures = failures
        self.cache = SessionCache() if cache is None else cache
        self._now = now
        self._begun: WeakKeyDictionary[connection.Connection, _Handshake] = WeakKeyDictionary()
        # Those that are over, and whose ticket has not been looked for yet.
        self._waiting: WeakKeyDictionary[connection.Connection, _Handshake] = WeakKeyDictionary()

    def tls_start_server(self, data: tls.TlsData) -> None:
        """Before the ClientHello: offer a session."""
        try:
            key = None if data.is_dtls else self._key(data)
            layer = repeats(data.context)
            if key is None or layer is None or data.ssl_conn is None:
                return
            offered = self.cache.take(key, self._now()) if layer.resumes else None
            self._begun[data.conn] = _Handshake(key, data.ssl_conn, offered)
            if offered is not None:
                layer.offered.add(data.conn)
                data.ssl_conn.set_session(offered.session)
        except Exception:
            self._failures.note("tls_sessions")

    def _key(self, data: tls.TlsData) -> SessionKey | None:
        """None: nothing is kept of this connection. Who asks is known of a tunnel; a plain
        connection may be shared by many people."""
        conn, server = self._connections.known(data.context.client), data.conn
        if server is not data.context.server:
            return None  # TLS with the upstream proxy
        if conn is None or not conn.hosts or conn.who is None or not conn.who.identified:
            return None
        if not isinstance(server, connection.Server) or not server.address or not data.ssl_conn:
            return None
        return SessionKey(
            conn.who.name,
            tuple(server.address),
            server.via,
            server.sni,
            tuple(server.alpn_offers),
            data.ssl_conn.get_context(),
        )

    def tls_established_server(self, data: tls.TlsData) -> None:
        """The handshake is over. With TLS 1.2 the session is known; with 1.3 it comes later."""
        try:
            shake = self._begun.pop(data.conn, None)
            if shake is None or not _verified(shake.tls):
                return
            offered, shake.offered = shake.offered, None
            resumed = offered is not None and _resumed(shake.tls)
            shake.verified = offered.verified if offered and resumed else self._now()
            session = shake.tls.get_session()
            if shake.tls.get_protocol_version() >= SSL.TLS1_3_VERSION:
                shake.first = session
                self._waiting[data.conn] = shake
            elif session is not None:
                self._keep(data.conn, shake, session)
        except Exception:
            self._failures.note("tls_sessions")

    def tls_failed_server(self, data: tls.TlsData) -> None:
        """The handshake failed. If a session was offered, the site may not like the others either;
        unless it ended because the client has gone."""
        try:
            shake = self._begun.pop(data.conn, None)
            if shake is not None and shake.offered is not None and is_waiting(data.context):
                self.cache.give_up(shake.key, self._now())
        except Exception:
            self._failures.note("tls_sessions")

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Sites send tickets before their first answer."""
        if self._waiting:
            self._look_for_ticket(flow.server_conn)

    def server_disconnected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The connection ended, perhaps without any answer."""
        if self._waiting:
            self._look_for_ticket(data.server)

    def _look_for_ticket(self, server: connection.Connection) -> None:
        try:
            shake = self._waiting.pop(server, None)
            if shake is None or shake.first is None:
                return
            session = shake.tls.get_session()
            if session is not None and not _same(session, shake.first):
                self._keep(server, shake, session)
        except Exception:
            self._failures.note("tls_sessions")

    def _keep(self, server: connection.Connection, shake: _Handshake, session: SSL.Session) -> None:
        self.cache.put(shake.key, KeptSession(session, shake.verified), self._now())
        # mitmproxy closes connections without sending close_notify. OpenSSL makes the session of
        # such a connection unusable when it frees it, unless it believes that one was sent.
        # It must not believe so as long as anything may still be sent.
        finalize(server, shake.tls.set_shutdown, SSL.SENT_SHUTDOWN).atexit = False


def _resumed(ssl_conn: SSL.Connection) -> bool:
    return bool(SSL._lib.SSL_session_reused(ssl_conn._ssl))  # type: ignore[attr-defined]


def _verified(ssl_conn: SSL.Connection) -> bool:
    """Whether the certificate has been found good; without verification it is not looked at."""
    if not ssl_conn.get_context().get_verify_mode() & SSL.VERIFY_PEER:
        return False
    result = SSL._lib.SSL_get_verify_result(ssl_conn._ssl)  # type: ignore[attr-defined]
    return bool(result == _VERIFIED)


def _same(one: SSL.Session, other: SSL.Session) -> bool:
    """Whether no ticket has come in between: OpenSSL makes a new session for each."""
    return bool(one._session == other._session)
