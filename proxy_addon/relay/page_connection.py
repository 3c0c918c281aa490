"""One client connection on which our own pages are answered.

* Plain: requests in absolute form, each of which may be somebody else's, or for another site. They
  are passed on one at a time; the first that is not for our pages goes back to where connections
  are judged, with all that came after the answers.
* A tunnel: whose it is, is known from its CONNECT. Inside is TLS with a certificate of our CA, or
  plain HTTP. What names another host in its greeting is the engine's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Protocol

from proxy_addon.relay.greetings import Greeting, GreetingKind, read_greeting
from proxy_addon.relay.heads import ConnectHead, Unusual
from proxy_addon.relay.interface import PageProtocol, PageServer
from proxy_addon.relay.page_requests import read_page_request
from proxy_addon.relay.tls_transport import TlsTransport
from proxy_addon.system.descriptors import has_unread

HEAD_SECONDS = 30.0  # a greeting or a head that has begun has to be complete after this long
IDLE_SECONDS = 60.0  # a connection on which nothing happens for this long is closed
STALLED_SECONDS = 10.0  # a closed connection whose rest nobody reads is given up after this long
_MAX_WAITING_BYTES = 65_536  # read, while the request before is being answered
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Origin(Protocol):
    """Where a connection came from, and goes back to."""

    transport: asyncio.Transport
    address: str


class PageOwner(Protocol):
    """Who keeps these connections, and hears what happens to them."""

    def given_back(
        self, page: PageConnection, data: bytes, *, answered: bytes = b"", unread: bool = False
    ) -> None:
        """The connection has to be judged again: `data` came, and is not ours to answer.
        `answered`: the CONNECT before it, which was answered already; then, and where `unread`, the
        engine goes on with it."""

    def closed(self, page: PageConnection) -> None:
        """The connection is over."""

    def failed(self) -> None:
        """Our own code failed."""


class PageConnection(asyncio.Protocol):
    """See above. Begins with `requests` or `tunnel`."""

    def __init__(self, owner: PageOwner, pages: PageServer, origin: Origin) -> None:
        """The connection of `origin`, whose protocol this becomes."""
        self._owner = owner
        self._pages = pages
        self.origin = origin
        self._loop = asyncio.get_running_loop()
        self._raw = origin.transport
        self._transport: asyncio.Transport = self._raw  # or TLS on it
        self._tls: TlsTransport | None = None
        self._raw.set_protocol(self)
        self._server: PageProtocol | None = None
        self._task: asyncio.Task[None] | None = None
        self._head = b""  # the CONNECT, once it was answered
        self._pending = b""
        self._plain = False
        self._left = 0  # bytes of the plain request at hand that have not come yet
        self._busy = False  # a request is being answered
        self._has_asked = False  # for a page, at least once
        self._incomplete: float | None = None  # since when a head or a greeting is incomplete
        self._active = self._loop.time()

    # -- how it begins

    def requests(self, data: bytes) -> None:
        """Plain requests, the first of which is complete."""
        self._plain = True
        self._pending = data
        self._serve(None)

    def tunnel(self, head: ConnectHead, data: bytes) -> None:
        """A CONNECT to our pages, and what came with it."""
        self._pending = data[head.size :]
        self._start(self._admit(head, data[: head.size]))

    def _start(self, step: Coroutine[None, None, None]) -> None:
        """Begin what has to wait. The engine's loop runs a task at once as far as it gets."""
        task = self._loop.create_task(step)
        if not task.done():
            self._task = task

    async def _admit(self, head: ConnectHead, sent: bytes) -> None:
        try:
            visitor = await self._pages.admit(self.origin.address, head)
        except Exception:
            self._owner.failed()
            self._task = None
            self._give_back(sent + self._pending, unread=True)
            return
        self._task = None
        if self._raw.is_closing():
            return
        if isinstance(visitor, bytes):
            self._raw.write(visitor)
            self._give_back(self._pending)
            return
        self._head = sent
        self._visitor = visitor
        self._raw.write(_ESTABLISHED)
        self._read_greeting()

    # -- inside a tunnel

    def _read_greeting(self) -> None:
        try:
            greeting = read_greeting(self._pending)
        except Unusual:
            self._give_back(self._pending, answered=self._head)
            return
        except Exception:
            self._owner.failed()
            self._give_back(self._pending, answered=self._head)
            return
        if greeting is None:
            self._wait_for_more()
        elif not self._is_ours(greeting):
            self._give_back(self._pending, answered=self._head)
        elif greeting.kind is GreetingKind.TLS:
            self._head = b""
            self._begin_tls()
        else:
            self._head = b""
            self._serve(self._visitor)

    def _is_ours(self, greeting: Greeting) -> bool:
        if greeting.kind is GreetingKind.OTHER:
            return False
        return all(host == self._pages.host for host in greeting.hosts)

    def _begin_tls(self) -> None:
        try:
            self._tls = self._transport = TlsTransport(self._raw, self._pages.tls())
        except Exception:
            self._owner.failed()
            self.close()
            return
        data, self._pending = self._pending, b""
        self._incomplete = self._loop.time()
        self._read_tls(self._tls, data)

    def _read_tls(self, tls: TlsTransport, data: bytes) -> None:
        try:
            self._pending += tls.received(data)
        except ssl.SSLError as error:
            if not tls.established and "ALERT" in (error.reason or ""):
                self._pages.tls_failed(self.origin.address, self._visitor)
            self.close()
            return
        if self._server is not None:
            self._pass_on()
        elif tls.established:
            self._incomplete = None
            self._serve(self._visitor)
        if tls.ended:
            self.close()

    # -- requests

    def _serve(self, visitor: object | None) -> None:
        if self._transport.is_closing():
            return
        try:
            self._server = self._pages.protocol(self.origin.address, visitor, self)
            self._server.connection_made(self._transport)
        except Exception:
            self._owner.failed()
            self.close()
            return
        self._pass_on()

    def _pass_on(self) -> None:
        """Give the server what is for it."""
        assert self._server is not None
        if self._plain:
            self._pass_on_plain(self._server)
        elif self._pending:
            if not self._busy:
                self._wait_for_more()
            data, self._pending = self._pending, b""
            self._give(self._server, data)

    def _pass_on_plain(self, server: PageProtocol) -> None:
        while self._pending:
            if not self._left:
                if self._busy:
                    self._hold()
                    return
                try:
                    request = read_page_request(self._pending, self._pages.host)
                except Unusual:
                    server.release()
                    self._give_back(self._pending)
                    return
                if request is None:
                    self._wait_for_more()
                    return
                self._busy = True
                self._left = request.size + request.body
            data, self._pending = self._pending[: self._left], self._pending[self._left :]
            self._left -= len(data)
            self._give(server, data)

    def _give(self, server: PageProtocol, data: bytes) -> None:
        try:
            server.data_received(data)
        except Exception:
            self._owner.failed()
            self.close()

    def _hold(self) -> None:
        if len(self._pending) > _MAX_WAITING_BYTES:
            self.close()

    def _wait_for_more(self) -> None:
        if self._pending and self._incomplete is None:
            self._incomplete = self._loop.time()

    def begun(self) -> None:
        """See `PageWatcher`."""
        self._busy, self._has_asked, self._incomplete = True, True, None
        self.progressed()

    def progressed(self) -> None:
        """See `PageWatcher`."""
        self._active = self._loop.time()

    def completed(self) -> None:
        """See `PageWatcher`."""
        self._busy = False
        self.progressed()
        if self._plain and self._pending and not self._transport.is_closing():
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._server is not None and not self._transport.is_closing():
            self._pass_on()

    # -- the connection

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._transport.is_closing():
            return
        self._pending += data  # with TLS nothing else is pending: what it said has been passed on
        self._active = self._loop.time()
        if self._tls is not None:
            data, self._pending = self._pending, b""
            self._read_tls(self._tls, data)
        elif self._server is not None:
            self._pass_on()
        elif self._task is not None:
            self._hold()
        else:
            self._read_greeting()

    def eof_received(self) -> bool:
        """See `asyncio.Protocol`."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if self._task is not None:
            self._task.cancel()
        self._end()

    def _end(self) -> None:
        self._task = None
        server, self._server = self._server, None
        if server is not None:
            server.connection_lost(None)
        self._owner.closed(self)

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        if self._server is not None:
            self._server.pause_writing()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        if self._server is not None:
            self._server.resume_writing()

    def _give_back(self, data: bytes, *, answered: bytes = b"", unread: bool = False) -> None:
        self._server = None
        self._owner.given_back(self, data, answered=answered, unread=unread)

    # -- from outside

    def close(self) -> None:
        """End it; what has been written is still delivered."""
        self._transport.close()

    def close_soon(self, seconds: float) -> None:
        """End it: at once, or after so many seconds when something is being answered."""
        if self._busy:
            self._loop.call_later(seconds, self.close)
        else:
            self.close()

    def close_idle(self, now: float, idle: float, unanswered: float) -> None:
        """While draining: close it when nothing is being answered, for so many seconds; for
        `unanswered` where a client has just come, or is in the middle of a request."""
        waits = self._has_asked and self._incomplete is None
        patience = idle if waits else unanswered
        rests = not self._busy and self._task is None and now - self._active >= patience
        if rests and not has_unread(self._raw):
            self.close()

    def close_overdue(self, now: float) -> None:
        """Close it when it has waited for too long. `now`: seconds on the loop's clock."""
        idle = now - self._active
        if self._transport.is_closing():
            if idle >= STALLED_SECONDS:
                self._raw.abort()
        elif self._incomplete is not None:
            if now - self._incomplete >= HEAD_SECONDS:
                self.close()
        elif self._task is None and idle >= IDLE_SECONDS:
            self.close()
