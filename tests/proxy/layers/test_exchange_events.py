"""`proxy_addon/proxy/layers/exchange_events.py`: what mitmproxy's layers make of them."""

from __future__ import annotations

from mitmproxy import http
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import ErrorCode, ResponseHeaders, ResponseProtocolError

from proxy_addon.proxy.layers.exchange_events import Informational, Unanswered


def test_an_informational_head_is_no_answer() -> None:
    """It goes to the stream that it names, and is never taken for the head of the answer."""
    event = Informational(3, http.Response.make(103))
    assert isinstance(event, HttpEvent) and not isinstance(event, ResponseHeaders)
    assert (event.stream_id, event.response.status_code) == (3, 103)


def test_a_request_without_an_answer_is_a_502() -> None:
    """Whoever does not repeat it treats it as mitmproxy's error."""
    event = Unanswered(3, "closed", untouched=True)
    assert isinstance(event, ResponseProtocolError) and event.untouched
    assert (event.stream_id, event.message) == (3, "closed")
    assert event.code is ErrorCode.GENERIC_SERVER_ERROR and event.code.http_status_code() == 502
