"""One request and its response, with a limit on how much of a body is kept.

When an add-on answers a request, mitmproxy first reads the whole body into memory and only then
sends the response: an upload to a blocked site would fill the memory. Here our response is sent at
once, and the rest of the body is read and dropped. What we do read (a form for the employee page)
is limited.

An answer of ours to an exchange that failed or was ended names the request, which only the stream
knows. Internals of mitmproxy are used: `tests/proxy/layers/test_bounded_stream.py` pins them.
"""

from __future__ import annotations

from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import DropStream, SendHttp
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestHeaders,
    RequestProtocolError,
    ResponseEndOfMessage,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpResponseHeadersHook

from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.layers.client_side import ExchangeEnded, answer_to, error_page
from proxy_addon.proxy.layers.passed_stream import PassedStream

MAX_FORM_BYTES = 65_536  # bytes of a request's body that are kept
FORM_SECONDS = 30.0  # seconds in which it has to be complete, however it drips


class BoundedStream(PassedStream):
    """mitmproxy's stream of one exchange. Requests that are passed on are handled as usual."""

    def state_wait_for_request_headers(self, event: RequestHeaders) -> layer.CommandGenerator[None]:
        """Send our own response at once, although the body is still to come."""
        yield from super().state_wait_for_request_headers(event)
        keeps = self.client_state == self.state_consume_request_body
        if keeps and not event.end_stream:
            if self.flow.response is not None:
                yield from self._answer_now()
            else:
                yield commands.RequestWakeup(FORM_SECONDS)

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if type(event) is events.Wakeup:
            return self._look_at_the_form()
        return super()._handle_event(event)

    def _look_at_the_form(self) -> layer.CommandGenerator[None]:
        """Whether all of it has come in time; else its client gets a 408, and is read no more."""
        if self.client_state != self.state_consume_request_body or self.flow.response is not None:
            return
        self.request_body_buf.clear()
        writing.answer_with(self.flow, error_page(408))
        yield from self._answer_now()
        client = self.context.client
        if client.alpn == b"h2":
            slow = ResponseProtocolError(self.stream_id, "a slow form", ErrorCode.CANCEL)
            yield SendHttp(slow, client)
            self.client_state = self.state_errored
            self.flow.live = False
            yield DropStream(self.stream_id)
        else:
            yield commands.CloseConnection(client)

    def check_invalid(self, request: bool) -> layer.CommandGenerator[bool]:
        """Called first for each request: afterwards mitmproxy has filled in the host of those that
        named it in no address, and forgotten which they were."""
        if request and self.flow.request.data.host:
            self.flow.metadata[writing.ADDRESSED] = True
        return (yield from super().check_invalid(request))

    def state_consume_request_body(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """Keep a body for one of our own pages, as long as it is short."""
        if (
            isinstance(event, RequestData)
            and len(self.request_body_buf) + len(event.data) > MAX_FORM_BYTES
        ):
            self.request_body_buf.clear()
            writing.answer_with(self.flow, error_page(413))
            yield from self._answer_now()
            return
        yield from super().state_consume_request_body(event)

    def fail(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """Where nothing has been sent yet, our page names the request, like every answer of
        ours."""
        if isinstance(event, ResponseProtocolError) and self.flow.response is None:
            answer = answer_to(event)
            if answer is not None:
                answer = writing.with_request_id(answer, writing.request_id(self.flow))
                event = ExchangeEnded(event.stream_id, event.message, event.code, answer)
        yield from super().fail(event)

    def passthrough(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Inside a tunnel, a side that ends in the middle of a message has ended its connection.
        mitmproxy gives the error to layers that know none."""
        if isinstance(event, RequestProtocolError):
            event = events.ConnectionClosed(self.context.client)
        elif isinstance(event, ResponseProtocolError):
            event = events.ConnectionClosed(self.context.server)
        yield from super().passthrough(event)

    def _answer_now(self) -> layer.CommandGenerator[None]:
        self.client_state = self.state_drop_request_body
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        yield from self.send_response()
        if self.flow.live and self.context.client.alpn == b"h2":
            # HTTP/1.1 recognises the end of our answer by its length, HTTP/2 needs a message.
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
