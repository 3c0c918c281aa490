"""HTTP/1 with a site: everything that the protocol allows is understood, and what sites commonly
get wrong is read as they mean it.

mitmproxy takes a head of status 1xx for the answer, raises an exception for trailers, refuses a
length that is said twice, sends a body of unknown length without its framing, and has no word for a
connection that a site closed while it was idle. Internals of mitmproxy are used:
`tests/proxy/layers/test_http1_site.py` pins them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import h11
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http import http1
from mitmproxy.net.http.validate import validate_headers
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._http1 import Http1Client, make_body_reader

from proxy_addon.proxy.budgets.back_pressure import HELD_BYTES, back_pressure_of, for_client
from proxy_addon.proxy.layers import framing
from proxy_addon.proxy.layers.exchange_events import Informational, Unanswered

IDLE_SECONDS = 60.0  # without a request a connection is closed after once or twice that
MAX_ANSWER_HEAD = 1_048_576  # bytes of a status line and its fields; browsers accept 256 KiB
_INFORMATIONAL = re.compile(rb"HTTP/\d\.\d[ \t]+1(?!01)\d\d[ \t\r\n]")
_SWITCHING = re.compile(rb"HTTP/\d\.\d[ \t]+101[ \t\r\n]")
_EMPTY_LINES = re.compile(rb"(?:\r?\n)+")


class Http1SiteSide(Http1Client):
    """Drop-in for `Http1Client`."""

    def __init__(self, ctx: context.Context) -> None:
        super().__init__(ctx)
        self._answered = 0  # requests, on this connection
        self._begun = False  # something has come for the request that waits
        self._looks = False  # whether it is idle
        self._seen = 0  # requests that were answered when that was last looked at
        back_pressure_of(ctx.client).speaks(self)

    def is_full(self) -> bool:
        """Whether enough of the answer waits for its client."""
        return self.stream_id is not None and for_client(self, self.stream_id) > HELD_BYTES

    # -- requests

    def send(self, event: Any) -> layer.CommandGenerator[None]:
        """As mitmproxy's, with the framing that HTTP/1.1 needs. (No generator: this is called for
        every chunk.)"""
        kind = type(event)
        if kind is RequestHeaders:
            self._begun = False
            event = framing.for_http1_site(event)
        elif kind is RequestTrailers or (kind is RequestData and not event.data):
            return nothing()  # an empty chunk would be the last one
        return super().send(event)

    def mark_done(
        self, *, request: bool = False, response: bool = False
    ) -> layer.CommandGenerator[None]:
        """An answer may be complete before its request is."""
        self._answered += response
        yield from super().mark_done(request=request, response=response)
        if self.response_done and not self.request_done:
            self.state = self.answered_early
            if not self.conn.state & ConnectionState.CAN_READ:
                yield from self._refuse_the_rest()
        elif not self._looks and self._is_idle():
            yield from self._look_later()

    # -- without requests

    def _is_idle(self) -> bool:
        waits = self.request is None and self.state == self.read_headers
        return waits and self.conn.state is ConnectionState.OPEN

    def _look_later(self) -> layer.CommandGenerator[None]:
        self._looks, self._seen = True, self._answered
        yield commands.RequestWakeup(IDLE_SECONDS)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if type(event) is events.Wakeup:
            return self._look()
        handled: layer.CommandGenerator[None] = super()._handle_event(event)
        return handled

    def _look(self) -> layer.CommandGenerator[None]:
        """Close a connection on which nothing was asked since the last look: most sites do it after
        a minute, and each is a socket of ours for as long as its client stays."""
        self._looks = False
        if self._is_idle():
            if self._seen == self._answered:
                yield commands.CloseConnection(self.conn)
            else:
                yield from self._look_later()

    # -- answers that come before their requests are complete

    def answered_early(self, event: events.Event) -> layer.CommandGenerator[None]:
        """The request goes on although it was answered; the site may close the connection."""
        if isinstance(event, events.ConnectionClosed):
            yield from self._refuse_the_rest()

    def _refuse_the_rest(self) -> layer.CommandGenerator[None]:
        yield commands.CloseConnection(self.conn)
        yield self._failed("the site closed the connection before the request was complete")

    # -- answers

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """The head of the answer, after any number of informational ones."""
        if isinstance(event, events.DataReceived) and self.request is not None:
            yield from self._read_heads(event)
        elif self.stream_id is not None and isinstance(event, events.ConnectionClosed):
            yield from self._ended()
        else:
            yield from super().read_headers(event)

    def _ended(self) -> layer.CommandGenerator[None]:
        if self.conn.state & ConnectionState.CAN_WRITE:
            yield commands.CloseConnection(self.conn)
        if self._begun or self.buf or not self._answered:
            yield self._failed("server closed connection")
        else:
            assert self.stream_id is not None
            why = "the site closed a connection that was used before"
            yield ReceiveHttp(Unanswered(self.stream_id, why, untouched=False))

    def _read_heads(self, event: events.DataReceived) -> layer.CommandGenerator[None]:
        assert self.stream_id is not None
        while lines := self._next_head():
            try:
                informational = _INFORMATIONAL.match(lines[0] + b"\n") is not None
                if _SWITCHING.match(lines[0] + b"\n") and "upgrade" not in self._asked.headers:
                    raise ValueError("a protocol that was not asked for")
                response = http1.read_response_head(framing.readable_head(lines))
                if not framing.is_status(lines[0].split(None, 2)[1]):
                    raise ValueError(framing.NO_STATUS)
                if not informational:
                    yield from self._begin(response)
                    yield from self.state(event)
                    return
                validate_headers(response)
            except ValueError as error:
                yield from self._give_up(f"Cannot parse HTTP response: {error}")
                return
            yield ReceiveHttp(Informational(self.stream_id, response))
        if len(self.buf) > MAX_ANSWER_HEAD:
            yield from self._give_up("the head of the answer is too long")

    @property
    def _asked(self) -> http.Request:
        assert self.request is not None
        return self.request

    def _next_head(self) -> list[bytes] | None:
        """The lines of a head that is complete."""
        self._begun = self._begun or bool(self.buf)
        if empty := _EMPTY_LINES.match(bytes(self.buf)):  # left over from the answer before
            self.buf.maybe_extract_at_most(empty.end())
        lines = self.buf.maybe_extract_lines()
        return [bytes(line) for line in lines] if lines else None

    def _begin(self, response: http.Response) -> layer.CommandGenerator[None]:
        """The body begins. Raises ValueError where its length cannot be known."""
        assert self.stream_id is not None
        framing.settle_length(response)
        size = http1.expected_http_body_size(self._asked, response)
        self.response = response
        yield ReceiveHttp(ResponseHeaders(self.stream_id, response, size == 0))
        self.body_reader = WithTrailers(make_body_reader(size), self._trailers)  # type: ignore[assignment]
        self.state = self.read_body

    def _trailers(self, found: framing.RawFields) -> None:
        if self.response is not None:
            self.response.trailers = framing.trailers(found)  # sent after the body

    def _give_up(self, why: str) -> layer.CommandGenerator[None]:
        yield commands.CloseConnection(self.conn)
        yield self._failed(why)
        self.state = self.done

    def _failed(self, why: str) -> ReceiveHttp:
        assert self.stream_id is not None
        return ReceiveHttp(
            ResponseProtocolError(self.stream_id, why, ErrorCode.GENERIC_SERVER_ERROR)
        )


class WithTrailers:
    """A body reader that tells of trailers beside the body: mitmproxy knows none in HTTP/1."""

    def __init__(self, reader: Any, tell: Callable[[framing.RawFields], None]) -> None:
        self._reader = reader
        self._tell = tell

    def __call__(self, buffer: Any) -> Any:
        return self._without_trailers(self._reader(buffer))

    def read_eof(self) -> Any:
        return self._without_trailers(self._reader.read_eof())

    def _without_trailers(self, event: Any) -> Any:
        if type(event) is not h11.EndOfMessage or not event.headers:
            return event
        self._tell(event.headers.raw_items())
        return h11.EndOfMessage()


def nothing() -> layer.CommandGenerator[None]:
    """No commands."""
    yield from ()
