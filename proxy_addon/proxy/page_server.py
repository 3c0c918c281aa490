"""Our own pages on the light path: who is asking, and what the application gets to know of it.

The person is in the ASGI scope and nowhere else. In a tunnel it is whoever asked for the tunnel; on
a plain connection, which a front proxy may share among many, each request says it. A request that
names another host than ours, in its address or in Host, is refused.

Who has to sign in and has not is a newcomer, and gets the open pages (`presentation/open_pages.py`)
and no others: on a plain connection 407, and in a tunnel, where nobody can be asked, the way to a
plain one (`responses/newcomers.py`). A tunnel of a newcomer ends with each answer, so that the next
one can be somebody's.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import structlog

from proxy_addon.core.hosts import normalise
from proxy_addon.core.notices.notice import Office
from proxy_addon.identity.identification import Identity
from proxy_addon.presentation.languages import marked
from proxy_addon.presentation.open_pages import is_open
from proxy_addon.proxy.credentials import HOP, REALM
from proxy_addon.proxy.failures import Failures, unavailable
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.bounded_stream import FORM_SECONDS, MAX_FORM_BYTES
from proxy_addon.proxy.layers.client_side import error_page
from proxy_addon.proxy.layers.tunnel_choice import PAGE_HOST
from proxy_addon.proxy.page_protocol import AcceptedHttp, AcceptedHttpProtocols
from proxy_addon.proxy.responses import responses
from proxy_addon.proxy.responses.newcomers import Arrival, sign_in_first
from proxy_addon.proxy.services import Services
from proxy_addon.relay.heads import ConnectHead
from proxy_addon.relay.interface import PageWatcher

log = structlog.get_logger("allowance.proxy")

_HOST: Final = re.compile(rb"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
_ADDRESS: Final = re.compile(rb"https?://([^/?#]*)(/.*)?", re.DOTALL)


class _Stream(NamedTuple):
    """An answer that goes on until somebody ends it."""

    who: Identity
    address: str
    end: Callable[[], None]


class LightPageServer:
    """Implements `relay.interface.PageServer`, for one event loop."""

    host = PAGE_HOST

    def __init__(
        self, services: Services, failures: Failures, context: Callable[[], ssl.SSLContext]
    ) -> None:
        """`context` gives TLS for a connection that begins now."""
        self._services = services
        self._failures = failures
        self._context = context
        self._protocols = AcceptedHttpProtocols()
        self._streams: dict[object, _Stream] = {}
        self._distrusted = False  # that has been logged
        self._is_draining = False
        self._header = services.forwarded_header.lower().encode("ascii")
        private = (*services.identifier.strip_headers, HOP)
        self._private = frozenset(name.lower().encode("ascii") for name in private)

    @property
    def _office(self) -> Office:
        return self._services.enforcer.rules.office

    # -- connections

    async def admit(self, address: str, head: ConnectHead) -> object | bytes:
        """See `relay.interface.PageServer`."""
        who = await self._who(address, head.fields)
        if who.challenge:
            # Who tries to sign in is asked again; who does not try may open what is open.
            tried = b"proxy-authorization" in head.fields
            return (
                writing.named_on_the_wire(responses.sign_in(REALM, self._office)) if tried else who
            )
        if not self._services.place.serves(who.name):  # the next connection goes to its worker
            return writing.named_on_the_wire(unavailable())
        return who

    def protocol(self, address: str, visitor: object | None, watcher: PageWatcher) -> AcceptedHttp:
        """See `relay.interface.PageServer`."""
        who = visitor if isinstance(visitor, Identity) else None

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self._answer(address, who, watcher, scope, receive, send)

        return self._protocols.make(app, self._bad_request)

    def tls(self) -> ssl.SSLContext:
        """See `relay.interface.PageServer`."""
        return self._context()

    def tls_failed(self, address: str, visitor: object) -> None:
        """See `relay.interface.PageServer`."""
        self._services.traffic.tls_failed("allowance")
        if self._services.devices is not None and isinstance(visitor, Identity):
            self._services.devices.failed(address, visitor.name)
        if not self._distrusted:
            self._distrusted = True
            log.warning(
                "client does not accept our certificate",
                platform="allowance",
                address=address,
                hint="install the CA on the device, or set `inspect: false` for the platform",
            )

    def follow_rules(self) -> None:
        """See `relay.interface.PageServer`."""
        again = self._services.identifier.again
        for stream in list(self._streams.values()):
            if again(stream.who, stream.address) != stream.who:
                stream.end()

    def end_streams(self) -> None:
        """See `relay.interface.PageServer`."""
        self._is_draining = True
        for stream in list(self._streams.values()):
            stream.end()

    def _fields(self, headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
        """The header fields. A front proxy's name for a person that comes twice names nobody."""
        fields = dict(headers)
        if sum(name == self._header for name, _ in headers) > 1:
            del fields[self._header]
        return fields

    async def _who(self, address: str, fields: dict[bytes, bytes]) -> Identity:
        """Waits only while a password is checked for the first time."""
        credentials = _text(fields.get(b"proxy-authorization"))
        forwarded = _text(fields.get(self._header)) if self._header else None
        identifier = self._services.identifier
        who = identifier.identify_now(address, credentials, forwarded)
        return (
            who if who is not None else await identifier.identify(address, credentials, forwarded)
        )

    # -- one request

    async def _answer(
        self,
        address: str,
        tunnelled: Identity | None,
        watcher: PageWatcher,
        scope: Any,
        receive: Any,
        send: Any,
    ) -> None:
        """Never raises; a failure after the head of an answer ends the connection."""
        watcher.begun()
        sent = _Sent(send, watcher, lambda: self._is_draining)
        try:
            path = _path(scope)
            if path is None or (tunnelled is None and not path.absolute):
                await sent.whole(_misdirected())
                return
            if tunnelled is None:
                who = await self._who(address, self._fields(scope["headers"]))
            else:
                who = self._services.identifier.again(tunnelled, address)
            if scope["scheme"] == "https" and self._services.devices is not None:
                self._services.devices.succeeded(address, who.name, is_newcomer=who.challenge)
            is_allowed = not who.challenge or is_open(scope["method"], _target(scope, path))
            if tunnelled is not None and who.challenge:
                sent.is_last = True
                if not is_allowed:
                    await sent.whole(self._sign_in_first(scope, path))
                    return
            elif tunnelled is None and not await self._continues(who, address, is_allowed, sent):
                return
            if not who.challenge:  # the roles that an address gives hold for the pages as well
                services = self._services
                services.enforcer.person(who.name, who.roles, services.clock.now())
            try:
                async with asyncio.timeout(FORM_SECONDS):
                    body = await _body(scope, receive)
            except TimeoutError:
                sent.is_last = True
                await sent.whole(error_page(408))
                return
            if body is None:
                await sent.whole(error_page(413))
                return
            await self._services.page(
                self._scope(scope, path.raw, who, address), _replayed(body, receive), sent
            )
        except _Gone:
            return
        except Exception:
            self._failures.note("pages")
            if sent.begun:
                watcher.close()
            else:
                await sent.whole(unavailable())

    async def _continues(self, who: Identity, address: str, is_allowed: bool, sent: _Sent) -> bool:
        """Whether a plain request is answered here; else its answer has been sent. What follows on
        this connection may be somebody's whose worker is another one: then it is the last. A
        newcomer is answered in any worker."""
        services = self._services
        if services.place.shared:
            sent.is_last = who.challenge or services.identifier.is_front_proxy(address)
        if not is_allowed:
            await sent.whole(responses.sign_in(REALM, self._office))
        elif not who.challenge and not services.place.serves(who.name):
            sent.is_last = True
            await sent.whole(unavailable())
        else:
            return True
        return False

    def _scope(self, scope: Any, raw: bytes, who: Identity, address: str) -> dict[str, Any]:
        person = {
            "name": who.name,
            "identified": who.identified,
            "address": address,
            "reached": scope["server"][0] if scope["server"] else None,
            "port": scope["server"][1] if scope["server"] else None,
            "signed_in": who.signed_in,
            "newcomer": who.challenge,
        }
        kept = [field for field in scope["headers"] if field[0] not in self._private]
        return {
            **scope,
            "path": unquote(raw.decode("latin-1")),
            "raw_path": raw,
            "headers": kept,
            "client": (address, 0),
            "extensions": {
                "allowance.person": person,
                "allowance.streams": lambda end: self._stream(_Stream(who, address, end)),
            },
        }

    def _stream(self, stream: _Stream) -> Callable[[], None]:
        """An answer without an end begins: its `end` is called when it has to. What this returns is
        called when it is over."""
        key = object()
        self._streams[key] = stream
        return lambda: self._streams.pop(key, None) and None

    # -- answers of our own

    def _sign_in_first(self, scope: Any, path: _Path) -> responses.Answer:
        fields = dict(scope["headers"])
        arrival = Arrival(
            scope["method"],
            _target(scope, path),
            _text(fields.get(b"sec-fetch-mode")) or "",
            _text(fields.get(b"accept")) or "",
            _text(fields.get(b"accept-language")) or "",
        )
        return sign_in_first(arrival, self._services.enforcer.rules.office.languages)

    def _bad_request(self) -> bytes:
        return writing.named_on_the_wire(
            responses.refused(
                400,
                marked("This request cannot be read"),
                marked("It is not HTTP as browsers send it."),
            )
        )


class _Sent:
    """The ASGI `send` of one request: it names the request in the answer, and tells the connection
    how far it is."""

    def __init__(self, send: Any, watcher: PageWatcher, drains: Callable[[], bool]) -> None:
        self._send = send
        self._watcher = watcher
        self._drains = drains
        self.begun = False
        self.is_last = False  # the connection ends with this answer

    async def __call__(self, message: Any) -> None:
        starts = message["type"] == "http.response.start"
        if starts:
            named = (writing.REQUEST_HEADER.lower().encode(), writing.new_request_id().encode())
            is_last = self.is_last or self._drains()
            ends = [(b"connection", b"close")] if is_last else []
            message = {**message, "headers": [*message.get("headers", ()), named, *ends]}
        self.begun = True
        await self._send(message)
        self._watcher.progressed()
        if not starts and not message.get("more_body", False):
            self._watcher.completed()

    async def whole(self, answer: responses.Answer) -> None:
        """A whole answer of our own."""
        fields = [(k.lower().encode(), v.encode("latin-1", "replace")) for k, v in answer.headers]
        if all(name != b"content-length" for name, _ in fields):
            fields.append((b"content-length", b"%d" % len(answer.body)))
        await self({"type": "http.response.start", "status": answer.status, "headers": fields})
        await self({"type": "http.response.body", "body": answer.body})


class _Gone(Exception):
    """The client has left before its request was complete."""


async def _body(scope: Any, receive: Any) -> bytes | None:
    """The whole body of a request, as through the engine; None: it is longer than any form. Raises
    _Gone."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if int(length) > MAX_FORM_BYTES:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MAX_FORM_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _replayed(body: bytes, receive: Any) -> Any:
    """`receive` for what has read nothing yet."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return waiting.pop() if waiting else await receive()

    return replay


class _Path(NamedTuple):
    """A path on our host, quoted; whether the request named the host in its address."""

    raw: bytes
    absolute: bool


def _path(scope: Any) -> _Path | None:
    """The path of a request that names our host and no other; else None."""
    raw: bytes = scope["raw_path"]
    absolute = _ADDRESS.fullmatch(raw)
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if absolute is not None:
        hosts.append(absolute[1])
        raw = absolute[2] or b"/"
    if not hosts or not all(map(_is_ours, hosts)):
        return None
    return _Path(raw, absolute is not None) if raw.startswith(b"/") else None


def _target(scope: Any, path: _Path) -> bytes:
    """Path and query as they were sent."""
    query: bytes = scope["query_string"]
    return path.raw + b"?" + query if query else path.raw


def _is_ours(host: bytes) -> bool:
    return bool(_HOST.fullmatch(host)) and normalise(host.decode("ascii")) == PAGE_HOST


def _misdirected() -> responses.Answer:
    return responses.refused(
        421,
        marked("This request names another site"),
        marked("It was sent to the proxy's own pages but names another site. Load the page again."),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
