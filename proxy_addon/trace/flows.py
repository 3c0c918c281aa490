"""mitmproxy flow dumps (`mitmdump -w FILE`). The only reader that imports mitmproxy.

A dump holds flows in the order in which they *ended*, so events leave here unsorted. People come
from the proxy sign-in that mitmproxy or our add-on keeps with a flow, else from the client's
address. What our add-on notes of streamed bodies and of messages (`notes.py`) comes before what
mitmproxy kept of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mitmproxy import flow, http, tcp, udp
from mitmproxy.io import compat, tnetstring

from proxy_addon.trace import notes
from proxy_addon.trace.event import (
    NO_HEADERS,
    BadRecordError,
    ResponseTiming,
    TraceEvent,
    TraceFault,
    duration,
    instant,
    kept,
    size,
    status,
)
from proxy_addon.trace.notes import Message
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source
from proxy_addon.trace.urls import host_of

_LARGEST = 512 << 20
_PREFIX = 13  # twelve digits and a colon
_PAUSE = 5.0  # a silence this long inside a tunnel ends one busy stretch


def read(source: Source, user: str | None, report: ReadReport) -> Iterator[TraceEvent]:
    """Events flow by flow; a broken flow is counted, a broken frame ends the file."""
    number = 0
    with io.BufferedReader(source, 1 << 18) as stream:
        while state := _next_state(stream, source.name, number + 1, report):
            number += 1
            try:
                yield from events_of(flow.Flow.from_state(compat.migrate_flow(state)), user)
            except BadRecordError as bad:
                report.problem(source.name, number, bad.reason, bad.detail)
            # mitmproxy rebuilds a flow from untrusted state; whatever goes wrong in there comes out
            # as it is.
            except Exception as error:
                report.problem(
                    source.name, number, TraceFault.SYNTAX, f"not a flow ({type(error).__name__})"
                )


def events_of(recorded: flow.Flow, user: str | None = None) -> list[TraceEvent]:
    """One flow: a request with its WebSocket messages, or the busy stretches of a tunnel; [] for
    DNS."""
    who, client = _who(recorded, user), _address(recorded)
    if isinstance(recorded, http.HTTPFlow):
        event = _request(recorded, who, client)
        if recorded.websocket is None:
            return [event]
        handshake = event._replace(duration=0.0, course=None)
        return [handshake, *_messages(_noted(recorded, recorded.websocket.messages), event)]
    if isinstance(recorded, tcp.TCPFlow | udp.UDPFlow):
        return _stretches(recorded, who, client)
    return []


def _next_state(
    stream: io.BufferedReader[Any], name: str, number: int, report: ReadReport
) -> dict[bytes | str, Any] | None:
    """The next frame, None at the end. Without a sound frame the start of the following one is
    unknown."""
    head = stream.peek(_PREFIX)[:_PREFIX]
    if not head:
        return None
    digits = head.partition(b":")[0]
    try:
        if digits.isdigit() and int(digits) > _LARGEST:
            raise ValueError("larger than 512 MiB")
        state = tnetstring.load(stream)
        if not isinstance(state, dict):
            raise TypeError("not a flow")
    except (ValueError, TypeError, IndexError, RecursionError, MemoryError):
        report.problem(
            name, number, TraceFault.CUT_OFF, "broken flow; what follows it was not read"
        )
        return None
    return state


def _request(recorded: http.HTTPFlow, who: str, client: str) -> TraceEvent:
    request, response = recorded.request, recorded.response
    noted = notes.times(recorded.metadata)
    at = noted[0] if noted else instant(request.timestamp_start, "timestamp_start")
    path, _, query = request.path.partition("?")
    end = (response.timestamp_end if response else None) or request.timestamp_end or at
    content_type = response.headers.get("content-type", "") if response else ""
    took = duration(max(0.0, end - at))
    course = _course(recorded, at, took)
    passed = sum(count for _, count in course.passed) if course else 0
    return TraceEvent(
        at,
        who,
        "request",
        request.method.upper(),
        request.scheme,
        host_of(request.pretty_host),
        path or "/",
        query,
        _headers(request),
        status(response.status_code) if response else 0,
        content_type.lower(),
        passed or _body(response),
        _body(request),
        took,
        client=client,
        course=course,
    )


def _course(recorded: http.HTTPFlow, at: float, took: float) -> ResponseTiming | None:
    """What the proxy knew at the head of the answer, and how the body came."""
    response = recorded.response
    if response is None:
        return None
    noted = notes.times(recorded.metadata)
    began = noted[1] if noted else response.timestamp_start or at
    head = min(took, max(0.0, began - at))
    return ResponseTiming(head, _declared(response), notes.passed(recorded.metadata, at))


def _noted(
    recorded: http.HTTPFlow | tcp.TCPFlow | udp.UDPFlow, dumped: Sequence[Any]
) -> list[Message]:
    """The messages as noted by our add-on, which forgets their content, else as mitmproxy kept
    them."""
    noted = notes.messages(recorded.metadata)
    if noted is not None:
        return noted
    return [
        Message(instant(m.timestamp, "timestamp"), len(m.content), m.from_client) for m in dumped
    ]


def _headers(request: http.Request) -> Mapping[str, str]:
    fields = request.headers.fields
    return kept({name.decode("latin-1"): value.decode("latin-1") for name, value in fields})


def _body(message: http.Message | None) -> int:
    """Bytes of a body; a body that was streamed through is not in the dump, then its header
    says."""
    if message is None:
        return 0
    if message.raw_content is not None:
        return len(message.raw_content)
    return _declared(message)


def _declared(message: http.Message) -> int:
    declared = message.headers.get("content-length", "0")
    return size(int(declared)) if declared.isascii() and declared.isdigit() else 0


def _messages(messages: Iterable[Message], event: TraceEvent) -> Iterator[TraceEvent]:
    for message in messages:
        count = message.size
        yield event._replace(
            at=message.at,
            kind="websocket",
            method="",
            headers=NO_HEADERS,
            status=0,
            content_type="",
            bytes=0 if message.from_client else count,
            bytes_up=count if message.from_client else 0,
            duration=0.0,
            course=None,
            direction="client" if message.from_client else "server",
        )


def _stretches(recorded: tcp.TCPFlow | udp.UDPFlow, who: str, client: str) -> list[TraceEvent]:
    """A tunnel as the stretches in which bytes flowed, so that an hour of silence is not spread
    over."""
    address = recorded.server_conn.sni or (recorded.server_conn.address or ("",))[0]
    host = host_of(address)
    groups: list[list[Message]] = []
    for message in _noted(recorded, recorded.messages):
        if not groups or not 0.0 <= message.at - groups[-1][-1].at <= _PAUSE:
            groups.append([])
        groups[-1].append(message)
    return [_stretch(group, who, client, host) for group in groups]


def _stretch(group: list[Message], who: str, client: str, host: str) -> TraceEvent:
    start = group[0].at
    return TraceEvent(
        start,
        who,
        "tunnel",
        "CONNECT",
        "",
        host,
        "",
        bytes=sum(m.size for m in group if not m.from_client),
        bytes_up=sum(m.size for m in group if m.from_client),
        duration=duration(group[-1].at - start),
        client=client,
        course=ResponseTiming(0.0, 0, tuple((m.at - start, m.size) for m in group)),
    )


def _who(recorded: flow.Flow, user: str | None) -> str:
    signed_in = recorded.metadata.get("proxyauth")
    name = (
        signed_in[0]
        if isinstance(signed_in, list | tuple) and signed_in
        else recorded.metadata.get(notes.USER)
    )
    if isinstance(name, str) and name:
        return name
    return user or f"ip:{_address(recorded)}"


def _address(recorded: flow.Flow) -> str:
    peer = recorded.client_conn.peername
    return str(peer[0]) if peer else "unknown"
