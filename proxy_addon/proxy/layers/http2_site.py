"""HTTP/2 with a site: requests that it has not processed are given back, and what it has begun to
answer is finished, also when it closes the connection.

mitmproxy ends every stream when a site says that it will accept no more (GOAWAY), drops
informational heads, and forgets requests that wait for a free stream. Internals of mitmproxy and of
h2 are used: `tests/proxy/layers/test_http2_site.py` pins them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import h2.errors
import h2.events
from mitmproxy import http
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import ErrorCode, ResponseProtocolError
from mitmproxy.proxy.layers.http._http2 import Http2Client, StreamState
from mitmproxy.proxy.layers.http._http_h2 import BufferedH2Connection

from proxy_addon.proxy.budgets.budgeted_http2 import BudgetedHttp2
from proxy_addon.proxy.budgets.flow_control import FlowControlled
from proxy_addon.proxy.layers import framing
from proxy_addon.proxy.layers.exchange_events import Informational, Unanswered
from proxy_addon.proxy.layers.http1_site import MAX_ANSWER_HEAD
from proxy_addon.proxy.layers.repeated_handshake import retire

_CLOSED = "peer closed connection"  # as mitmproxy calls it
_SHORT = "the answer is shorter than its length"


class PatientH2Connection(FlowControlled):
    """h2 takes GOAWAY for the end, although streams that were begun go on after it (RFC 9113,
    6.8), and accepts 64 KiB of fields, although sites send more."""

    def __init__(self, config: h2.config.H2Configuration) -> None:
        super().__init__(config)
        self.decoder.max_header_list_size = MAX_ANSWER_HEAD

    def _receive_goaway_frame(self, frame: Any) -> tuple[list[Any], list[h2.events.Event]]:
        if frame.error_code != h2.errors.ErrorCodes.NO_ERROR:
            return super()._receive_goaway_frame(frame)
        ending = h2.events.ConnectionTerminated()
        ending.error_code = h2.errors.ErrorCodes.NO_ERROR
        ending.last_stream_id = frame.last_stream_id
        ending.additional_data = frame.additional_data or None
        return [], [ending]


class Http2SiteSide(BudgetedHttp2, Http2Client):
    """Drop-in for `Http2Client`."""

    def __init__(self, ctx: context.Context) -> None:
        super().__init__(ctx)
        self._answered = False  # a request, on this connection
        self._ending = False  # no more streams may be begun
        self._site = ctx.server
        self._seen = -1  # requests that had been sent when it was last looked at

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        turns = (self._next_turn, self._room_wanted)
        if type(event) is events.Wakeup and event.command not in turns and self._is_idle():
            return self._leave()
        return super()._handle_event(event)

    def _is_idle(self) -> bool:
        """Whether nothing was asked since mitmproxy was last about to keep the connection alive: it
        would do so for as long as the client stays."""
        seen, self._seen = self._seen, len(self.our_stream_id)
        return seen == self._seen and not self.streams and not self.stream_queue

    def _leave(self) -> layer.CommandGenerator[None]:
        self.h2_conn.close_connection()
        yield commands.SendData(self.conn, self.h2_conn.data_to_send())
        yield from self.close_connection("nothing was asked")

    def handle_h2_event(self, event: h2.events.Event) -> layer.CommandGenerator[bool]:
        """As mitmproxy's, but for what it does not know. (No generator: this is called for every
        piece of a body.)"""
        if isinstance(event, h2.events.DataReceived):
            return super().handle_h2_event(event)
        if isinstance(event, h2.events.ResponseReceived):
            return self._response(event)
        if isinstance(event, h2.events.InformationalResponseReceived):
            return self._inform(event)
        if isinstance(event, h2.events.StreamReset):
            return self._reset(event)
        if isinstance(event, h2.events.ConnectionTerminated):
            return self._terminated(event)
        if isinstance(event, h2.events.TrailersReceived) and is_short(
            self.h2_conn, event.stream_id
        ):
            return self._broken(event.stream_id)
        if isinstance(event, h2.events.StreamEnded):
            return self._ended(event)
        return super().handle_h2_event(event)

    def _response(self, event: h2.events.ResponseReceived) -> layer.CommandGenerator[bool]:
        self._answered = True
        status = dict(event.headers).get(b":status", b"")
        if not framing.is_status(status):
            return (yield from self._broken(event.stream_id, framing.NO_STATUS))
        # h2 forgets a stream that is over, here while earlier events of the same bytes are handled.
        asked = self.h2_conn.streams.get(event.stream_id)
        is_head = asked is not None and asked.request_method == b"HEAD"
        has_body = not is_head and status not in (b"204", b"304")
        if event.stream_ended and has_body and is_short(self.h2_conn, event.stream_id):
            return (yield from self._broken(event.stream_id))
        return (yield from super().handle_h2_event(event))

    def _broken(self, stream_id: int, why: str = _SHORT) -> layer.CommandGenerator[bool]:
        """An answer that has no meaning."""
        self.streams.pop(stream_id, None)
        if not self.is_closed(stream_id):
            self.h2_conn.reset_stream(stream_id, h2.errors.ErrorCodes.PROTOCOL_ERROR)
        yield ReceiveHttp(ResponseProtocolError(stream_id, why, ErrorCode.GENERIC_SERVER_ERROR))
        return False

    def _inform(
        self, event: h2.events.InformationalResponseReceived
    ) -> layer.CommandGenerator[bool]:
        fields = list(event.headers)
        status = next(value for name, value in fields if name == b":status")
        if event.stream_id in self.streams and not framing.is_status(status):
            return (yield from self._broken(event.stream_id, framing.NO_STATUS))
        if event.stream_id in self.streams and status != b"101":
            headers = http.Headers([field for field in fields if field[0][:1] != b":"])
            head = http.Response(b"HTTP/2.0", int(status), b"", headers, None, None, 0.0, None)
            yield ReceiveHttp(Informational(event.stream_id, head))
        return False

    def _reset(self, event: h2.events.StreamReset) -> layer.CommandGenerator[bool]:
        only_http1 = event.error_code == h2.errors.ErrorCodes.HTTP_1_1_REQUIRED
        refused = event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM or only_http1
        if refused and self.streams.get(event.stream_id) is StreamState.EXPECTING_HEADERS:
            retire(self.context, self._site, only_http1=only_http1)
            yield from self._give_back([event.stream_id], "the site refused a stream")
            return False
        if only_http1:  # about an answer that has begun: no business of our client's
            event.error_code = h2.errors.ErrorCodes.PROTOCOL_ERROR
        return (yield from super().handle_h2_event(event))

    def _terminated(self, event: h2.events.ConnectionTerminated) -> layer.CommandGenerator[bool]:
        """GOAWAY: streams above the one that it names were not processed, the others go on."""
        self._ending = True
        only_http1 = event.error_code == h2.errors.ErrorCodes.HTTP_1_1_REQUIRED
        retire(self.context, self._site, only_http1=only_http1)
        last = event.last_stream_id or 0
        waiting = StreamState.EXPECTING_HEADERS
        later = [n for n, s in self.streams.items() if n > last or (only_http1 and s is waiting)]
        yield from self._give_back(later, "the site accepts no more requests here")
        yield from self._give_back_queued()
        if event.error_code != h2.errors.ErrorCodes.NO_ERROR or not self.streams:
            yield from self.close_connection(f"HTTP/2 connection closed: {event!r}")
            return True
        return False

    def _ended(self, event: h2.events.StreamEnded) -> layer.CommandGenerator[bool]:
        stop = yield from super().handle_h2_event(event)
        if self._ending and not self.streams and not stop:
            yield from self.close_connection(_CLOSED)
            return True
        return stop

    def _give_back(self, streams: Iterable[int], why: str) -> layer.CommandGenerator[None]:
        for number in streams:
            self.streams.pop(number, None)
            yield ReceiveHttp(Unanswered(number, why, untouched=True))

    def _give_back_queued(self) -> layer.CommandGenerator[None]:
        """Requests that were never sent. They have no stream here: their numbers are made up."""
        queued, self.stream_queue = list(self.stream_queue), type(self.stream_queue)(list)
        for theirs in queued:
            self.their_stream_id[-theirs] = theirs
        yield from self._give_back([-theirs for theirs in queued], "the connection has ended")

    def close_connection(self, msg: str) -> layer.CommandGenerator[None]:
        """As mitmproxy's, but requests that nobody has begun to answer may be repeated."""
        retire(self.context, self._site)
        yield from self._give_back_queued()
        if msg == _CLOSED and self._answered:
            waiting = [n for n, s in self.streams.items() if s is StreamState.EXPECTING_HEADERS]
            for number in waiting:
                del self.streams[number]
                yield ReceiveHttp(Unanswered(number, msg, untouched=False))
        yield from super().close_connection(msg)


def is_short(connection: BufferedH2Connection, stream_id: int) -> bool:
    """Whether a body that has ended without DATA at its end is not as long as its length says,
    which h2 does not look at."""
    stream = connection.streams.get(stream_id)
    if stream is None or stream._expected_content_length is None:
        return False
    return bool(stream._expected_content_length != stream._actual_content_length)
