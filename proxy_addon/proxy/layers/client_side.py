"""The client side of a connection: limited in size, and with our own error pages instead of
mitmproxy's.

mitmproxy collects a request's head without limit, and its error pages name the software and
internal details. The two classes here replace its connection layers towards the client;
`termination.TerminableHttp` uses them. Internals of mitmproxy are used:
`tests/proxy/layers/test_client_side.py` pins them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import h2.errors
import h2.events
import h11
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http._base import HttpConnection
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    ResponseEndOfMessage,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._http1 import Http1Server
from mitmproxy.proxy.layers.http._http2 import Http2Server

from proxy_addon.network.guards import refusal
from proxy_addon.presentation.languages import marked
from proxy_addon.proxy.budgets.budgeted_http2 import BudgetedHttp2
from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.responses import responses

MAX_HEAD_BYTES = 65_536  # bytes of request line and headers
_NO_WORD = re.compile(rb"[\0-\x20\x7f]")
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

    def send(self, event: Any) -> layer.CommandGenerator[None]:
        """Our page in place of mitmproxy's. (No generator of its own: this is called for every
        chunk.)"""
        if isinstance(event, ResponseProtocolError):
            return self._refuse(event)
        return super().send(event)

    def _refuse(self, event: ResponseProtocolError) -> layer.CommandGenerator[None]:
        if not self.conn.state & ConnectionState.CAN_WRITE:
            return
        answer = answer_to(event)
        if self.response is None and answer is not None:
            yield commands.SendData(self.conn, writing.on_the_wire(answer))
        yield commands.CloseConnection(self.conn)

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
        self._body_reader = _WithoutTrailers(reader)


class _WithoutTrailers:
    """A body reader that drops trailers: mitmproxy gives up on a connection that sends any."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __call__(self, buffer: Any) -> Any:
        return self._without_trailers(self._reader(buffer))

    def read_eof(self) -> Any:
        return self._without_trailers(self._reader.read_eof())

    @staticmethod
    def _without_trailers(event: Any) -> Any:
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def _fits_one_line(fields: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether method, path and authority have no space and nothing that cannot be seen: in a first
    line of HTTP/1.1 they would begin another word."""
    for name, value in fields:
        if name[:1] != b":":  # these come first
            break
        if _NO_WORD.search(value):
            return False
    return True


class Http2ClientSide(BudgetedHttp2, Http2Server):
    """HTTP/2 with a client."""

    def __init__(self, ctx: context.Context) -> None:
        super().__init__(ctx)
        self._head_only: set[int] = (
            set()
        )  # streams with a HEAD request: a response with a body breaks them

    def handle_h2_event(self, event: h2.events.Event) -> layer.CommandGenerator[bool]:
        """As mitmproxy's, and remember HEAD requests. A request that would be other words as
        HTTP/1.1 ends its own stream (RFC 9113, 8.1.1)."""
        if isinstance(event, h2.events.RequestReceived):
            if not _fits_one_line(event.headers):
                return self._reset(event.stream_id)
            if (b":method", b"HEAD") in event.headers:
                self._head_only.add(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self._head_only.discard(event.stream_id)
        return super().handle_h2_event(event)

    def _reset(self, stream_id: int) -> layer.CommandGenerator[bool]:
        self.h2_conn.reset_stream(stream_id, h2.errors.ErrorCodes.PROTOCOL_ERROR)
        yield commands.SendData(self.conn, self.h2_conn.data_to_send())
        return False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, ResponseProtocolError) and self._can_still_answer(event.stream_id):
            answer = answer_to(event)
            if answer is not None:
                return self._refuse(event.stream_id, answer)
        if isinstance(event, ResponseEndOfMessage):
            self._head_only.discard(event.stream_id)
        return super()._handle_event(event)

    def _can_still_answer(self, stream_id: int) -> bool:
        if not self.is_open_for_us(stream_id):
            return False
        return not self.h2_conn.streams[stream_id].state_machine.headers_sent

    def _refuse(self, stream_id: int, answer: responses.Answer) -> layer.CommandGenerator[None]:
        fields = [
            (name.lower().encode(), value.encode("latin-1", "replace"))
            for name, value in answer.headers
        ]
        fields = [field for field in fields if field[0] != b"connection"]
        head_only = stream_id in self._head_only
        self._head_only.discard(stream_id)
        head = [(b":status", b"%d" % answer.status), *fields]
        self.h2_conn.send_headers(stream_id, head, end_stream=head_only)
        if not head_only:
            self.h2_conn.send_data(stream_id, answer.body)
            # On its own: mitmproxy forgets the end of data that it has to split into frames.
            self.h2_conn.end_stream(stream_id)
        yield commands.SendData(self.conn, self.h2_conn.data_to_send())


def client_layer(ctx: context.Context) -> HttpConnection:
    """The layer that talks to the client of a connection."""
    return Http2ClientSide(ctx.fork()) if ctx.client.alpn == b"h2" else Http1ClientSide(ctx.fork())
