"""One client connection on the light path: its head, its greeting, and then bytes both ways.

0. Where a balancer is expected: its header, which says whose connection this is.
1. The head. A CONNECT that may be relayed is relayed; any other bytes are the engine's, from the
   first one on.
2. The site is connected to at once, so that its client learns of a dead site in the answer, and
   protocols in which the server speaks first work.
3. The greeting. Nothing of it is passed on before it is read: when it names a host about which
   something has to be decided, the engine goes on with the connection as if it had come to it with
   its CONNECT. (A site that speaks first ends the wait: whoever speaks such a protocol is known by
   the host of CONNECT only.)
4. Bytes, until both sides have ended, or nothing has passed for a long time.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Protocol, cast

from proxy_addon.network.resolver import timed_out
from proxy_addon.relay.client_connection import ClientConnection
from proxy_addon.relay.engine_transport import EngineTransport
from proxy_addon.relay.greetings import MAX_GREETING_BYTES, read_greeting
from proxy_addon.relay.heads import METHOD, ConnectHead, Unusual, read_head
from proxy_addon.relay.interface import ConnectSite, ProtocolFactory, RelayPolicy
from proxy_addon.relay.proxy_protocol import PREFIX_1, BadHeader, may_begin, read_header
from proxy_addon.relay.site_side import SiteSide, resume

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_MAX_EARLY_BYTES = MAX_GREETING_BYTES  # sent by the client before its CONNECT was answered


class TunnelOwner(Protocol):
    """Who keeps the connections, and hears what happens to them."""

    policy: RelayPolicy
    connect: ConnectSite

    def opened(self, client: ClientSide) -> None:
        """A client has connected."""

    def identified(self, client: ClientSide) -> bool:
        """A balancer has passed on whose connection this is; whether it may be relayed."""

    def keeps(self, client: ClientSide) -> bool:
        """Whether what has to be decided about is decided here, now. If not, another worker goes on
        with it, or `client.stay` is called later."""

    def handed_over(self, client: ClientSide) -> None:
        """The engine has the connection from now on."""

    def page(self, client: ClientSide, data: bytes) -> bool | None:
        """Whether our own pages answer the connection from now on; None: that is not known yet."""

    def given_back(self, client: ClientSide) -> None:
        """What comes next on a connection of our own pages is not for them."""

    def relayed(self, client: ClientSide) -> bool:
        """Bytes are about to be passed on; False: the engine has to decide after all."""

    def count(self, client: ClientSide) -> bool:
        """Count what has passed since the last time; whether anything has."""

    def unreachable(self, client: ClientSide, error: OSError) -> None:
        """The site cannot be connected to."""

    def closed(self, client: ClientSide) -> None:
        """A connection is over."""


class ClientSide(ClientConnection):
    """The connection of a client, from its first byte on."""

    __slots__ = ("_engine", "_is_engines", "_is_given_up", "_owner", "waits_for_greeting")

    def __init__(self, owner: TunnelOwner, engine: ProtocolFactory) -> None:
        """`engine` makes the protocol that takes over what is not relayed."""
        super().__init__(self._read_head)
        self._owner = owner
        self._engine = engine
        self._is_given_up = False  # the site has not answered in time
        self._is_engines = False  # our own pages have failed to answer it
        self.waits_for_greeting = False

    @property
    def is_reading(self) -> bool:
        """Whether a head or a greeting has begun and is not complete, or a balancer owes us its
        header."""
        waits = self._on_data == self._read_balancer_header
        return (bool(self._pending) or waits) and not self.is_connecting

    @property
    def awaits_site(self) -> bool:
        """Whether the site has still to answer."""
        return self._on_data == self._wait_for_site and self.is_connecting

    # -- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on to the site, or wait for more of what decides."""
        if self.pass_on is not None:
            self.sent += len(data)
            self.asked = True
            self.pass_on(data)
            return
        if not self._pending:
            self.active = asyncio.get_running_loop().time()
        self._pending += data
        self._on_data()

    def eof_received(self) -> bool:
        """The client sends no more; the site still may."""
        self.ended = True
        site = self.site
        if site is None:
            return False
        if self.waits_for_greeting:
            if self._pending:  # a greeting that nobody can read to its end, except perhaps the site
                self.close()
                return False
            self._pass_on()
            if self.site is None:
                return False
        if site.ended:
            site.transport.close()
            return False
        if site.transport.can_write_eof():
            site.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over."""
        if self._task is not None:
            self._task.cancel()
        if self.site is not None:
            self.site.transport.close()
        self._owner.closed(self)

    def count(self) -> None:
        """See `RelayedTunnel`."""
        self._owner.count(self)

    # -- between workers

    def go_on(self) -> None:
        """What another worker has begun goes on here."""
        if self._passed is not None:
            self.address = self._passed[0]
        if self._head:
            self.stay()
        else:
            self._read_head()

    # -- 0. the balancer's header

    def expect_balancer_header(self) -> None:
        """The next bytes have to be a header of the PROXY protocol."""
        self._on_data = self._read_balancer_header

    def _read_balancer_header(self) -> None:
        try:
            passed = read_header(self._pending)
        except BadHeader as problem:
            self._owner.policy.bad_balancer_header(self.address, str(problem))
            self.close()
            return
        if passed is None:
            return
        self._pending = self._pending[passed.size :]
        self._passed = passed.address
        if passed.address is not None:
            self.address = passed.address[0]
        self._on_data = self._read_head
        if self._owner.identified(self) and self._pending:
            self._read_head()

    # -- 1. the head

    def _read_head(self) -> None:
        if not self._owner.policy.relays:
            self.hand_over()
            return
        if may_begin(self._pending) and not METHOD.startswith(self._pending):
            self._read_unexpected_header()
            return
        head = None
        try:
            head = read_head(self._pending)
            if head is None:
                return
            terms = self._owner.policy.terms(self.address, head)
        except Unusual:
            terms = None
        except Exception:
            self._owner.policy.failed("light_path")
            terms = None
        if terms is None or head is None:
            self.hand_over()
            return
        if terms.watched and not self._owner.keeps(self):
            return
        self.terms = terms
        self._head, self._pending = self._pending[: head.size], self._pending[head.size :]
        self.hosts = (head.host,)
        self._on_data = self._wait_for_site
        loop = asyncio.get_running_loop()
        self.active = loop.time()
        self._task = loop.create_task(self._open(head))

    def _read_unexpected_header(self) -> None:
        """A header of the PROXY protocol from somebody who is not listed, as soon as it is one."""
        try:
            if read_header(self._pending) is None and len(self._pending) < len(PREFIX_1):
                return
        except BadHeader:
            pass
        problem = "a header of the PROXY protocol from an address that is not listed"
        self._owner.policy.bad_balancer_header(self.address, problem)
        self.close()

    def _wait_for_site(self) -> None:
        if len(self._pending) > _MAX_EARLY_BYTES:
            self.close()

    # -- 2. the site

    async def _open(self, head: ConnectHead) -> None:
        owner = self._owner
        asker = partial(owner.policy.asker, self.address, head)
        try:
            await owner.connect(head.host, head.port, asker, partial(SiteSide, self))
        except OSError as error:
            owner.unreachable(self, error)
        except Exception:
            owner.policy.failed("light_path")
            self.close()
        except asyncio.CancelledError:
            if not self._is_given_up:
                raise
            owner.unreachable(self, timed_out(head.host))
        finally:
            self._task = None

    def give_up(self) -> None:
        """The site has not answered for too long."""
        if self._task is not None:
            self._is_given_up = True
            self._task.cancel()

    def connected(self, site: SiteSide) -> None:
        """The connection to the site stands."""
        if self.transport.is_closing():
            site.transport.close()
            return
        self.site = site
        self.waits_for_greeting = True
        self._on_data = self._read_greeting
        self.active = asyncio.get_running_loop().time()
        self.transport.write(ESTABLISHED)
        if site.early:
            site.data_received(site.early)
        elif self._pending:
            self._read_greeting()

    # -- 3. the greeting

    def _read_greeting(self) -> None:
        assert self.terms is not None
        try:
            greeting = read_greeting(self._pending)
            if greeting is None:
                return
            needs_engine = any(map(self.terms.needs_engine, greeting.hosts))
        except Unusual:
            needs_engine, greeting = True, None
        except Exception:
            self._owner.policy.failed("light_path")
            needs_engine, greeting = True, None
        if needs_engine or greeting is None:
            self.hand_over()
            return
        self.hosts = tuple(dict.fromkeys((*self.hosts, *greeting.hosts)))
        self._pass_on()

    def site_speaks_first(self) -> None:
        """The site has sent something before the client: there is no greeting to wait for."""
        if self.site is not None:
            self._pass_on()

    def _pass_on(self) -> None:
        """From here on bytes are passed on as they come."""
        site = self.site
        assert site is not None
        if not self._owner.relayed(self):
            self.hand_over()
            return
        self.waits_for_greeting = False
        self.pass_on, site.pass_on = site.transport.write, self.transport.write
        self._head = b""
        data, self._pending = self._pending, b""
        if data:
            self.sent += len(data)
            self.asked = True
            site.transport.write(data)

    # -- 4. the end

    def site_ended(self) -> bool:
        """The site sends no more. Whether its connection stays open for what the client sends."""
        if self.ended or self.transport.is_closing():
            self.transport.close()
            return False
        if self.waits_for_greeting:
            self._pass_on()
            if self.site is None:
                return False
        if self.transport.can_write_eof():
            self.transport.write_eof()
        return True

    def site_lost(self) -> None:
        """The connection to the site is over."""
        if self.site is not None:  # else the engine has the client
            self.transport.close()

    # -- our own pages

    def resume(self, data: bytes, *, answered: bytes, unread: bool) -> None:
        """Go on with a connection that our own pages do not answer any more, see
        `page_connection.PageOwner.given_back`."""
        self.transport.set_protocol(self)
        self._owner.given_back(self)
        self.active = asyncio.get_running_loop().time()
        self._head, self._pending = answered, data
        if answered or unread:
            self._is_engines = True
            self.hand_over()
        elif data:
            self._read_head()

    # -- the engine

    def hand_over(self) -> None:
        """The engine goes on with this connection, as if it had come to it from the start; that of
        another worker, where the person is served there."""
        site, self.site = self.site, None
        if site is not None:
            site.transport.close()
        if self._owner.keeps(self):
            self.stay()

    def stay(self) -> None:
        """See `MovingClient`."""
        if self._head or self._is_engines or self._owner.page(self, self._pending) is False:
            self.to_engine()

    def to_engine(self) -> None:
        """The engine of this worker goes on."""
        replay, data = bool(self._head), self._head + self._pending
        self._head = self._pending = b""
        self._owner.handed_over(self)
        if self.transport.is_closing():
            return
        engine = self._engine()
        self.transport.set_protocol(engine)
        resume(self.transport)
        changed = replay or self._passed is not None
        seen = EngineTransport(self.transport, answered=replay, address=self._passed)
        engine.connection_made(seen if changed else self.transport)  # type: ignore[arg-type]
        if data and isinstance(engine, asyncio.Protocol):
            engine.data_received(data)
