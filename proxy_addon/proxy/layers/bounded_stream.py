"""One request and its answer, with a bound on what is kept of a body that nobody else takes.

mitmproxy keeps the body of a request in memory until its end whenever an add-on answers, and only then sends the
answer: an upload to a blocked site would fill the memory. Here our answer is sent at once, and what is still
coming is read and dropped. What we do read (a form for the employee page) is bounded. Internals of mitmproxy
are used: `tests/proxy/layers/test_bounded_stream.py` pins them.
"""

from __future__ import annotations

from mitmproxy.proxy import layer
from mitmproxy.proxy.layers.http import HttpStream, SendHttp
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    ResponseEndOfMessage,
)
from mitmproxy.proxy.layers.http._hooks import HttpResponseHeadersHook

from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.client_side import error_page

FORM_MOST = 65_536  # bytes of a request's body that are kept


class BoundedStream(HttpStream):
    """mitmproxy's stream of one exchange. Whatever is passed on goes its usual way."""

    def state_wait_for_request_headers(self, event: RequestHeaders) -> layer.CommandGenerator[None]:
        """Answer at once where we answer, although the body is still to come."""
        yield from super().state_wait_for_request_headers(event)
        keeps = self.client_state == self.state_consume_request_body
        if keeps and not event.end_stream and self.flow.response is not None:
            yield from self._answer_now()

    def state_consume_request_body(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """Keep a body for one of our own pages, as long as it is short."""
        if (
            isinstance(event, RequestData)
            and len(self.request_body_buf) + len(event.data) > FORM_MOST
        ):
            self.request_body_buf.clear()
            writing.give(self.flow, error_page(413))
            yield from self._answer_now()
            return
        yield from super().state_consume_request_body(event)

    def _answer_now(self) -> layer.CommandGenerator[None]:
        self.client_state = self.state_drop_request_body
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        yield from self.send_response()
        if self.flow.live and self.context.client.alpn == b"h2":
            # HTTP/1.1 knows the end of our answer by its length, HTTP/2 has to be told.
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    def state_drop_request_body(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """The answer is out: read on to the end of the request, keep nothing."""
        if isinstance(event, RequestEndOfMessage):
            self.client_state = self.state_done
            yield from self.flow_done()
