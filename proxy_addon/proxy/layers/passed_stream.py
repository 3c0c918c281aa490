"""One request that is passed on to a site, and its answer.

mitmproxy ends the exchange when a site closes a connection that it had left open, although nothing
is lost when the request is sent again; answers `Expect: 100-continue` before it knows whether the
site can be reached; and tells the end of an answer only when the request is complete. Here

* a request is sent once more, on another connection, when the site has not processed it (RFC 9113,
  8.7), or when its method may be repeated and a connection that had been in use ended before the
  first byte of the answer (RFC 9110, 9.2.2);
* the site is asked what the client asks, and its informational heads are passed on;
* an answer may end before its request; what is still uploaded goes to the site for as long as that
  reads it, and is dropped afterwards.

Internals of mitmproxy are used: `tests/proxy/layers/test_passed_stream.py` pins them.
"""

from __future__ import annotations

from mitmproxy import flow, http
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers.http import DropStream, HttpStream, SendHttp
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    RequestTrailers,
    ResponseEndOfMessage,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook

from proxy_addon.proxy.layers.exchange_events import Informational, Unanswered
from proxy_addon.proxy.layers.repeated_handshake import RepeatingHttp, WantedConnection, is_waiting

IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))  # RFC 9110, 9.2.2
MAX_KEPT_BYTES = 65_536  # of a body, in case it has to be sent again
_CONTINUE = "100-continue"


class PassedStream(HttpStream):
    """mitmproxy's stream of one exchange, for what is passed on."""

    _expects = False  # the client waits for "100 Continue" before it sends a body
    _ended_early = False  # the answer was complete before the request
    _repeated = False
    _kept: bytes | None = b""  # what has been sent of a body; None: too much

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if type(event) is Informational:
            return self._inform(event)
        handled: layer.CommandGenerator[None] = super()._handle_event(event)
        return handled

    def _inform(self, event: Informational) -> layer.CommandGenerator[None]:
        waits = self.server_state == self.state_wait_for_response_headers
        if waits and self.client_state != self.state_errored:
            yield SendHttp(event, self.context.client)

    # -- the request

    def check_invalid(self, request: bool) -> layer.CommandGenerator[bool]:
        """Called first for each request: mitmproxy would answer the expectation by itself."""
        if request:
            headers = self.flow.request.headers
            if headers.get("expect", "").lower() == _CONTINUE:
                del headers["expect"]
                self._expects = self.flow.request.http_version != "HTTP/1.0"
        invalid: bool = yield from super().check_invalid(request)
        return invalid

    def state_wait_for_request_headers(self, event: RequestHeaders) -> layer.CommandGenerator[None]:
        """What we read ourselves, we ask for."""
        yield from super().state_wait_for_request_headers(event)
        reads = self.client_state == self.state_consume_request_body and self.flow.response is None
        if self._expects and reads and not event.end_stream:
            head = http.Response(
                b"HTTP/1.1", 100, b"Continue", http.Headers(), None, None, 0.0, None
            )
            yield SendHttp(Informational(self.stream_id, head), self.context.client)

    def start_request_stream(self) -> layer.CommandGenerator[None]:
        """The site is asked, and its word is passed on."""
        if self._expects:
            self.flow.request.headers["Expect"] = _CONTINUE
        yield from super().start_request_stream()

    def state_stream_request_body(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """As mitmproxy's, and keep what is sent for as long as it is little. (No generator.)"""
        if self._kept is not None and type(event) is RequestData:
            short = len(self._kept) + len(event.data) <= MAX_KEPT_BYTES
            self._kept = self._kept + event.data if short else None
        streamed: layer.CommandGenerator[None] = super().state_stream_request_body(event)
        return streamed

    def make_server_connection(self) -> layer.CommandGenerator[bool]:
        """As mitmproxy's, but none of the connections that take no more requests."""
        retired = self._http_layer.retired
        request, site = self.flow.request, self.flow.server_conn
        connection, err = yield WantedConnection(
            retired,
            (request.host, request.port),
            request.scheme == "https",
            site.via,
            site.transport_protocol,
        )
        if err:
            failed = ResponseProtocolError(self.stream_id, err, ErrorCode.CONNECT_FAILED)
            yield from self.handle_protocol_error(failed)
            return False
        self.context.server = self.flow.server_conn = connection
        return True

    @property
    def _http_layer(self) -> RepeatingHttp:
        layers = self.context.layers
        parent = layers[layers.index(self) - 1]
        assert isinstance(parent, RepeatingHttp)
        return parent

    # -- once more

    def handle_protocol_error(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """Something ended: begin again where that is safe, and go on where only the rest of an
        upload is lost."""
        if self._ended_early:
            yield from self._upload_is_over(event)
        elif isinstance(event, Unanswered) and self._may_be_repeated(event):
            yield from self._repeat()
        else:
            yield from self.fail(event)

    def fail(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """The exchange has failed, as mitmproxy has it."""
        yield from super().handle_protocol_error(event)

    def _may_be_repeated(self, event: Unanswered) -> bool:
        if self._repeated or self._kept is None or self.flow.response is not None:
            return False
        if self.client_state not in (self.state_stream_request_body, self.state_done):
            return False
        safe = event.untouched or self.flow.request.method in IDEMPOTENT
        return safe and is_waiting(self.context)

    def _repeat(self) -> layer.CommandGenerator[None]:
        self._repeated = True
        if not (yield from self.make_server_connection()):
            self.client_state = self.state_errored
            return
        request, kept = self.flow.request, self._kept
        complete = self.client_state == self.state_done
        ends = complete and not kept and not request.trailers
        yield SendHttp(RequestHeaders(self.stream_id, request, ends), self.context.server)
        if kept:
            yield SendHttp(RequestData(self.stream_id, kept), self.context.server)
        if complete:
            if request.trailers:
                last = RequestTrailers(self.stream_id, request.trailers)
                yield SendHttp(last, self.context.server)
            yield SendHttp(RequestEndOfMessage(self.stream_id), self.context.server)

    # -- answers that end before their requests

    def send_response(self, already_streamed: bool = False) -> layer.CommandGenerator[None]:
        """As mitmproxy's, and the client is told of the end at once."""
        yield from super().send_response(already_streamed)
        answered = self.server_state == self.state_done and self.flow.response is not None
        if answered and self.client_state == self.state_stream_request_body:
            self._ended_early = True
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    def flow_done(self) -> layer.CommandGenerator[None]:
        """Both are complete."""
        if self._ended_early:
            self.flow.live = False
            yield DropStream(self.stream_id)
        else:
            yield from super().flow_done()

    def _upload_is_over(
        self, event: RequestProtocolError | ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """After the answer. What a client still sends to a site that has closed is dropped."""
        goes_on = self.client_state == self.state_stream_request_body
        if goes_on:
            self.flow.error = flow.Error(event.message)
            yield HttpErrorHook(self.flow)
        if isinstance(event, ResponseProtocolError):
            if goes_on:
                self.client_state = self.state_drop_request_body
            return
        if goes_on:
            yield SendHttp(event, self.context.server)
        self.client_state = self.state_errored
        self.flow.live = False
        yield DropStream(self.stream_id)

    def state_drop_request_body(self, event: HttpEvent) -> layer.CommandGenerator[None]:
        """The response is sent: read to the end of the request and keep nothing."""
        if isinstance(event, RequestEndOfMessage):
            self.client_state = self.state_done
            yield from self.flow_done()
