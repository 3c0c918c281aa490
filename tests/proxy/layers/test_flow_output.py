"""`proxy_addon/proxy/layers/flow_output.py`: answers as mitmproxy sends them."""

from __future__ import annotations

from proxy_addon.proxy.layers import flow_output as writing
from proxy_addon.proxy.responses.responses import Answer
from tests.proxy.harness import request

ANSWER = Answer(403, (("X-Name", "ü€"), ("Content-Length", "2")), b"no")


def test_response() -> None:
    """Status, headers and body; what Latin-1 cannot say becomes a question mark."""
    made = writing.response(ANSWER)
    assert (made.status_code, made.content, made.headers.fields[0]) == (
        403,
        b"no",
        (b"X-Name", b"\xfc?"),
    )


def test_on_the_wire() -> None:
    """The same as bytes."""
    assert writing.on_the_wire(ANSWER) == (
        b"HTTP/1.1 403 Forbidden\r\nX-Name: \xfc?\r\nContent-Length: 2\r\n\r\nno"
    )


def test_give() -> None:
    """A flow that we answer is marked, and its body is not asked for."""
    flow = request("http://x.com/", headers={"Expect": "100-continue"})
    assert writing.marked(flow) is None
    writing.answer_with(flow, ANSWER)
    assert flow.response is not None
    assert (flow.response.status_code, writing.marked(flow)) == (403, writing.ANSWERED)
    assert "Expect" not in flow.request.headers
    assert flow.response.headers["X-Allowance-Request"] == flow.id[:13]
