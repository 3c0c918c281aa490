"""The client side of a connection: limited in size, and with our own error pages instead of
mitmproxy's.

mitmproxy collects a request's head without limit, and its error pages name the software and
internal details. The class here replaces its layer towards a client that speaks HTTP/1,
`client_http2` that for HTTP/2; `termination.TerminableHttp` uses them. Internals of mitmproxy are
used: `tests/proxy/layers/test_client_side.py` pins them.
"""

from __future__ import annotations

import re
from typing import Any

from h11._receivebuffer import ReceiveBuffer
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http import status_codes
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    ResponseTrailers,
)
from mitmproxy.proxy.layers.http._http1 import Http1Server

from proxy_addon.network.guards import refusal
from proxy_addon.presentation.languages import marked
from proxy_addon.proxy.budgets.back_pressure import HELD_BYTES, back_pressure_of, for_site
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers import framing
from proxy_addon.proxy.layers.exchange_events import Informational
from proxy_addon.proxy.layers.http1_site import WithTrailers, nothing
from proxy_addon.proxy.responses import responses

MAX_HEAD_BYTES = 65_536  # bytes of request line and headers
LINGER_SECONDS = 2.0  # seconds of silence after which a client that was refused is not read on
MOST_LINGERS = 15  # times that, at most
HALF_CLOSED_SECONDS = 60.0  # seconds in which an answer has to begin
_EMPTY_LINES = re.compile(rb"(?:\r?\n)+")
_REQUEST_LINE = re.compile(
    rb"[!#-'*+.0-9A-Z^-z|~-]+[ \t]+[^\0-\x20\x7f]+[ \t]+HTTP/1\.[0-9][ \t]*\r?\n"
)
_BAD_HOST = re.compile(rb"\n[Hh][Oo][Ss][Tt]:(?![ \t]*[^\0-\x20\x7f]*[ \t]*\r?\n(?![ \t]))")

NOT_HERE = marked("Not through this proxy")
_TEXTS = {
    400: (
        marked("The proxy could not read this request"),
        marked(
            "What the browser or app sent is not a request that a proxy can pass on. Load the page again. "
            "If that does not help, ask your IT team."
        ),
    ),
    408: (
        marked("This form came too slowly"),
        marked("The proxy did not get all of it in time. Please send it again."),
    ),
    413: (
        marked("This form is too long"),
        marked("The proxy accepts only short forms on its own pages."),
    ),
    431: (
        marked("This request is too long"),
        marked(
            "Its address or its headers (often the cookies) are longer than the proxy passes on."
        ),
    ),
    502: (
        marked("This site cannot be reached right now"),
        marked(
            "The proxy could not connect to it, or the connection was lost. The site may be down, or its "
            "name may be mistyped. Try again in a moment."
        ),
    ),
}
_UNTRUSTED = (
    marked("This site cannot prove its identity"),
    marked(
        "Its certificate is not one that the proxy trusts, so nothing was sent to it. If it is a site of "
        "your own office, your IT team can add its CA."
    ),
)


def error_page(status: int, message: str = "") -> responses.Answer:
    """What a person sees when something failed that is not a decision of ours. `message` is
    mitmproxy's."""
    why = refusal(message)
    if why is not None:
        return responses.refused(403, NOT_HERE, why)
    if status == 502 and "certificate" in message.lower():
        return responses.refused(status, *_UNTRUSTED)
    return responses.refused(status, *_TEXTS.get(status, _TEXTS[400 if status < 500 else 502]))


class ExchangeEnded(ResponseProtocolError):
    """An exchange ends early. `answer`: what its client gets if nothing has been sent to it yet."""

    def __init__(
        self, stream_id: int, message: str, code: ErrorCode, answer: responses.Answer | None
    ) -> None:
        super().__init__(stream_id, message, code)
        self.answer = answer


def answer_to(event: ResponseProtocolError) -> responses.Answer | None:
    """Our page for something that failed or was ended; None where there is none to send."""
    if isinstance(event, ExchangeEnded):
        return event.answer
    status = event.code.http_status_code()
    return None if status is None else error_page(status, event.message)


def _is_sound(head: bytes) -> bool:
    """Whether a head, with the end of its last line, can be read in one way only. It may be more
    than that: what mitmproxy checks by itself is not checked here."""
    return (
        b"\0" not in head
        and head.count(b"\r") == head.count(b"\r\n")
        and _REQUEST_LINE.match(head) is not None
        and _BAD_HOST.search(head) is None
    )


class Http1ClientSide(Http1Server):
    """HTTP/1 with a client."""

    def __init__(self, ctx: context.Context) -> None:
        super().__init__(ctx)
        self._trailers: http.Headers | None = None
        self._half_closed = False  # the client sends nothing more, and still reads
        self._looks, self._heard = 0, False
        back_pressure_of(ctx.client).speaks(self)

    def is_full(self) -> bool:
        """Whether the client sends faster than its site takes it, or asks for more before it has
        its answer."""
        if self.state == self.wait:
            return len(self.buf) > HELD_BYTES
        return self.state == self.read_body and for_site(self, self.stream_id) > HELD_BYTES

    def send(self, event: Any) -> layer.CommandGenerator[None]:
        """Our page in place of mitmproxy's, and what mitmproxy knows only in HTTP/2. (No generator
        of its own: this is called for every chunk.)"""
        kind = type(event)
        if kind is ResponseData:
            return (
                super().send(event) if event.data else nothing()
            )  # no chunk but the last is empty
        if kind is ResponseHeaders and self.request is not None:
            event = framing.for_http1_client(event, self.request)
        elif kind is ResponseTrailers:
            self._trailers = event.trailers
            return nothing()
        elif kind is ResponseEndOfMessage and self._trailers is not None:
            return self._end_with_trailers()
        elif kind is Informational:
            return self._inform(event.response)
        elif isinstance(event, ResponseProtocolError):
            return self._refuse(event)
        return super().send(event)

    def _inform(self, head: http.Response) -> layer.CommandGenerator[None]:
        """A head before the answer, which HTTP/1.0 does not know."""
        if self.request is None or self.request.http_version == "HTTP/1.0":
            return
        reason = head.reason or status_codes.RESPONSES.get(head.status_code, "")
        line = f"HTTP/1.1 {head.status_code} {reason}\r\n"
        yield commands.SendData(self.conn, line.encode("latin-1") + bytes(head.headers) + b"\r\n")

    def _end_with_trailers(self) -> layer.CommandGenerator[None]:
        """Trailers follow the last chunk; where there are no chunks, there is no place for them."""
        found, self._trailers = self._trailers, None
        assert self.request is not None and self.response is not None and found is not None
        chunked = "chunked" in self.response.headers.get("transfer-encoding", "").lower()
        if chunked and self.request.method != "HEAD":
            yield commands.SendData(self.conn, b"0\r\n" + bytes(found) + b"\r\n")
        yield from self.mark_done(response=True)

    def _refuse(self, event: ResponseProtocolError) -> layer.CommandGenerator[None]:
        if not self.conn.state & ConnectionState.CAN_WRITE:
            return
        answer = answer_to(event)
        if self.response is None and answer is not None:
            yield commands.SendData(self.conn, writing.on_the_wire(answer))
            if self.state == self.read_body and self.conn.state is ConnectionState.OPEN:
                yield from self._linger()
                return
        yield commands.CloseConnection(self.conn)

    # -- the end of a connection

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if type(event) is events.Wakeup:
            return self._look_again()
        handled: layer.CommandGenerator[None] = super()._handle_event(event)
        return handled

    def wait(self, event: events.Event) -> layer.CommandGenerator[None]:
        """A client that has asked and ends its half of the connection still gets its answer, which
        has to begin in `HALF_CLOSED_SECONDS`: most have gone. (With TLS, all have.)"""
        ended = isinstance(event, events.ConnectionClosed)
        reads = self.conn.state is ConnectionState.CAN_WRITE and not self.conn.tls
        asked = self.request is not None and self.request.method != "CONNECT"
        if ended and reads and asked:
            self._half_closed = True
            yield commands.RequestWakeup(HALF_CLOSED_SECONDS)
        else:
            yield from super().wait(event)

    def mark_done(
        self, *, request: bool = False, response: bool = False
    ) -> layer.CommandGenerator[None]:
        """Nothing follows the last answer to a client that has ended its half."""
        yield from super().mark_done(request=request, response=response)
        if self._half_closed and self.state == self.read_headers:
            self.state = self.done
            yield commands.CloseConnection(self.conn)

    def make_pipe(self) -> layer.CommandGenerator[None]:
        """Another protocol begins, and learns that the client has ended its half."""
        yield from super().make_pipe()
        if self._half_closed:
            yield from self.state(events.ConnectionClosed(self.conn))

    def _linger(self) -> layer.CommandGenerator[None]:
        """A client that still sends is read for a while: closed at once, its kernel would throw
        away our page."""
        self.state = self.lingering
        self._heard = True
        yield commands.RequestWakeup(LINGER_SECONDS)

    def lingering(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Everything is sent; drop what comes."""
        self.buf = ReceiveBuffer()
        self._heard = True
        if isinstance(event, events.ConnectionClosed):
            yield commands.CloseConnection(self.conn)

    def _look_again(self) -> layer.CommandGenerator[None]:
        """Whether the client still sends, or its answer has begun."""
        self._looks += 1
        if self.state == self.lingering:
            if self._heard and self._looks < MOST_LINGERS:
                self._heard = False
                yield commands.RequestWakeup(LINGER_SECONDS)
            elif self.conn.state & ConnectionState.CAN_WRITE:
                yield commands.CloseConnection(self.conn)
        elif self._half_closed and self.state == self.wait and self.response is None:
            yield commands.CloseConnection(self.conn)
            why, code = "Client disconnected.", ErrorCode.CLIENT_DISCONNECTED
            yield ReceiveHttp(RequestProtocolError(self.stream_id, why, code))

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """Refuse a head that is too long or that two programs could read differently, and send our
        own page for one that cannot be read. (mitmproxy would pass HTTP/9.9 and zero bytes on as
        they came, and wait for more after an empty line.)"""
        status = self._refused(event.data) if isinstance(event, events.DataReceived) else None
        if status is not None:
            self.state = self.done
            yield commands.SendData(self.conn, writing.on_the_wire(error_page(status)))
            yield commands.CloseConnection(self.conn)
            return
        for command in super().read_headers(event):
            if isinstance(
                command, commands.SendData
            ):  # nothing but an error is sent before the head is read
                command = commands.SendData(self.conn, writing.on_the_wire(error_page(400)))
            yield command

    def _refused(self, news: bytes) -> int | None:
        """The status of a head that mitmproxy is not even shown; None for all others. `news`: what
        has just come; nothing where it came with the request before."""
        if self._head_is_too_long():
            return 431
        if news and b"\n" not in news:
            return None
        received = bytes(self.buf)
        if empty := _EMPTY_LINES.match(received):  # allowed before a request (RFC 9112, 2.2)
            self.buf.maybe_extract_at_most(empty.end())
            received = received[empty.end() :]
        ends = [end for end in (received.find(b"\n\r\n"), received.find(b"\n\n")) if end >= 0]
        return None if not ends or _is_sound(received[: min(ends) + 1]) else 400

    def _head_is_too_long(self) -> bool:
        if len(self.buf) <= MAX_HEAD_BYTES:
            return False
        start = bytes(self.buf)[:MAX_HEAD_BYTES]
        return b"\n\r\n" not in start and b"\n\n" not in start

    @property
    def body_reader(self) -> Any:
        """h11's reader of the body under way."""
        return self._body_reader

    @body_reader.setter
    def body_reader(self, reader: Any) -> None:
        self._body_reader = WithTrailers(reader, _drop)


def _drop(_: framing.RawFields) -> None:
    """Trailers of requests: hardly any site reads them."""
