"""What happens to an exchange beyond the events that mitmproxy knows."""

from __future__ import annotations

from mitmproxy import http
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import ErrorCode, ResponseProtocolError


class Informational(HttpEvent):
    """A head of status 1xx (never 101) before the answer."""

    def __init__(self, stream_id: int, response: http.Response) -> None:
        self.stream_id = stream_id
        self.response = response


class Unanswered(ResponseProtocolError):
    """A site's connection gave no byte of an answer to a request. `untouched`: the site has
    certainly not processed it; otherwise it may have, but more likely closed a connection that was
    idle."""

    def __init__(self, stream_id: int, message: str, *, untouched: bool) -> None:
        super().__init__(stream_id, message, ErrorCode.GENERIC_SERVER_ERROR)
        self.untouched = untouched
