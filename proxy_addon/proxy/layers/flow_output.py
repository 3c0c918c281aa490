"""From a response of ours to mitmproxy's values: the counterpart of `flow_input.py`."""

from __future__ import annotations

import uuid

from mitmproxy import connection, http
from mitmproxy.net.http import http1

from proxy_addon.proxy.responses.responses import Answer

ANSWERED = "answered"
PAGE = "page"
REQUEST_HEADER = "X-Allowance-Request"
ADDRESSED = "allowance_addressed"  # in a flow's metadata: the request named its host in its address
_ID_LENGTH = 13  # characters: 48 random bits
_MARK = "allowance"  # the key in a flow's metadata


def response(answer: Answer) -> http.Response:
    """The answer as mitmproxy's response."""
    fields = [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
    return http.Response.make(answer.status, answer.body, http.Headers(fields))


def on_the_wire(answer: Answer) -> bytes:
    """The answer as HTTP/1.1 bytes."""
    return bytes(http1.assemble_response(response(answer)))


def named_on_the_wire(answer: Answer) -> bytes:
    """The same with an id of its own, for requests that do not go through the engine."""
    return on_the_wire(with_request_id(answer, new_request_id()))


def answer_with(flow: http.HTTPFlow, answer: Answer) -> None:
    """Answer a request ourselves: the site is not contacted, and the body of the request is not
    needed."""
    mark(flow, ANSWERED)
    if "expect" in flow.request.headers:
        del flow.request.headers["expect"]  # or "100 Continue" would ask for the body first
    flow.response = response(with_request_id(answer, request_id(flow)))


def end_connection(flow: http.HTTPFlow) -> None:
    """Have the client's connection end with this answer, where its protocol does that by a field of
    the head. An upgrade goes on."""
    answer = flow.response
    if answer is not None and answer.status_code != 101 and not flow.request.is_http2:
        answer.headers["Connection"] = "close"


def with_request_id(answer: Answer, request: str) -> Answer:
    """The answer with the header that names its request."""
    return answer._replace(headers=(*answer.headers, (REQUEST_HEADER, request)))


def new_request_id() -> str:
    """An id for a request that mitmproxy does not see."""
    return str(uuid.uuid4())[:_ID_LENGTH]


def mark(flow: http.HTTPFlow, what: str) -> None:
    """Remember that we answer this flow (`ANSWERED`), or that it is for the employee page
    (`PAGE`)."""
    flow.metadata[_MARK] = what


def marked(flow: http.HTTPFlow) -> str | None:
    """What `mark` remembered."""
    found = flow.metadata.get(_MARK)
    return found if isinstance(found, str) else None


def request_id(handle: http.HTTPFlow | connection.Client) -> str:
    """The id of a request, or of a tunnel by its connection."""
    return handle.id[:_ID_LENGTH]
