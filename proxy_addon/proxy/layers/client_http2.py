"""HTTP/2 with a client: limited in size, with our own error pages, and no request that would be
another one as HTTP/1.1.

Internals of mitmproxy are used: `tests/proxy/layers/test_client_http2.py` pins them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import h2.errors
import h2.events
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http._base import HttpConnection, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseEndOfMessage,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._http2 import Http2Server, normalize_h1_headers

from proxy_addon.proxy.budgets.budgeted_http2 import BudgetedHttp2
from proxy_addon.proxy.layers.client_side import (
    MAX_HEAD_BYTES,
    Http1ClientSide,
    answer_to,
    error_page,
)
from proxy_addon.proxy.layers.exchange_events import Informational
from proxy_addon.proxy.layers.http2_site import is_short
from proxy_addon.proxy.responses import responses

_NO_WORD = re.compile(rb"[\0-\x20\x7f]")


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
            if not _fits_one_line(event.headers) or (
                event.stream_ended and is_short(self.h2_conn, event.stream_id)
            ):
                return self._reset(event.stream_id)
            if (b":method", b"HEAD") in event.headers:
                self._head_only.add(event.stream_id)
            if sum(len(name) + len(value) for name, value in event.headers) > MAX_HEAD_BYTES:
                return self._too_long(event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            if is_short(self.h2_conn, event.stream_id):
                return self._reset_begun(event.stream_id)
        elif isinstance(event, h2.events.ConnectionTerminated):
            if event.error_code == h2.errors.ErrorCodes.NO_ERROR and self.streams:
                return self._goes_on()
        elif isinstance(event, h2.events.StreamReset):
            self._head_only.discard(event.stream_id)
        return super().handle_h2_event(event)

    def _reset(self, stream_id: int) -> layer.CommandGenerator[bool]:
        self.h2_conn.reset_stream(stream_id, h2.errors.ErrorCodes.PROTOCOL_ERROR)
        yield commands.SendData(self.conn, self.h2_conn.data_to_send())
        return False

    def _reset_begun(self, stream_id: int) -> layer.CommandGenerator[bool]:
        """A request that ended before its length did: what has been sent on of it ends, too."""
        self.streams.pop(stream_id, None)
        why = "the request is shorter than its length"
        yield ReceiveHttp(RequestProtocolError(stream_id, why, ErrorCode.GENERIC_CLIENT_ERROR))
        return (yield from self._reset(stream_id))

    def _goes_on(self) -> layer.CommandGenerator[bool]:
        """A client that asks for nothing more (GOAWAY) waits for its answers."""
        yield from ()
        return False

    def _too_long(self, stream_id: int) -> layer.CommandGenerator[bool]:
        yield from self._refuse(stream_id, error_page(431))
        return False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if isinstance(event, ResponseProtocolError) and self._can_still_answer(event.stream_id):
            answer = answer_to(event)
            if answer is not None:
                return self._refuse(event.stream_id, answer)
        if isinstance(event, Informational):
            return self._inform(event)
        if isinstance(event, ResponseEndOfMessage):
            self._head_only.discard(event.stream_id)
        return super()._handle_event(event)

    def _inform(self, event: Informational) -> layer.CommandGenerator[None]:
        if self._can_still_answer(event.stream_id):
            fields = normalize_h1_headers(list(event.response.headers.fields), False)
            status = b"%d" % event.response.status_code
            self.h2_conn.send_headers(event.stream_id, [(b":status", status), *fields])
            yield commands.SendData(self.conn, self.h2_conn.data_to_send())

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
        if not self.is_closed(stream_id) and not self.h2_conn.stream_buffers.get(stream_id):
            # The client still sends: there is no need to (RFC 9113, 8.1).
            self.h2_conn.reset_stream(stream_id, h2.errors.ErrorCodes.NO_ERROR)
        yield commands.SendData(self.conn, self.h2_conn.data_to_send())


def client_layer(ctx: context.Context) -> HttpConnection:
    """The layer that talks to the client of a connection."""
    return Http2ClientSide(ctx.fork()) if ctx.client.alpn == b"h2" else Http1ClientSide(ctx.fork())
