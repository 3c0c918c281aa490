"""mitmproxy flow dumps (`mitmdump -w FILE`). The only reader that imports mitmproxy.

A dump holds flows in the order in which they *ended*, so events leave here unsorted. People come from the
proxy sign-in that mitmproxy keeps with a flow, else from the client's address.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from mitmproxy import flow, http, tcp, udp
from mitmproxy.io import compat, tnetstring

from proxy_addon.trace.event import (
    NO_HEADERS,
    BadRecordError,
    TraceEvent,
    Trouble,
    duration,
    instant,
    kept,
    size,
    status,
)
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
            # mitmproxy rebuilds a flow from untrusted state; whatever goes wrong in there comes out as it is.
            except Exception as error:
                report.problem(source.name, number, Trouble.SYNTAX, f"not a flow ({type(error).__name__})")


def events_of(recorded: flow.Flow, user: str | None = None) -> list[TraceEvent]:
    """One flow: a request with its WebSocket messages, or the busy stretches of a tunnel; [] for DNS."""
    who, client = _who(recorded, user), _address(recorded)
    if isinstance(recorded, http.HTTPFlow):
        event = _request(recorded, who, client)
        if recorded.websocket is None:
            return [event]
        return [event._replace(duration=0.0), *_messages(recorded.websocket.messages, event)]
    if isinstance(recorded, tcp.TCPFlow | udp.UDPFlow):
        return _stretches(recorded, who, client)
    return []


def _next_state(
    stream: io.BufferedReader[Any], name: str, number: int, report: ReadReport
) -> dict[bytes | str, Any] | None:
    """The next frame, None at the end. Without a sound frame the start of the following one is unknown."""
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
        report.problem(name, number, Trouble.CUT_OFF, "broken flow; what follows it was not read")
        return None
    return state


def _request(recorded: http.HTTPFlow, who: str, client: str) -> TraceEvent:
    request, response = recorded.request, recorded.response
    at = instant(request.timestamp_start, "timestamp_start")
    path, _, query = request.path.partition("?")
    end = (response.timestamp_end if response else None) or request.timestamp_end or at
    content_type = response.headers.get("content-type", "") if response else ""
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
        _body(response),
        _body(request),
        duration(max(0.0, end - at)),
        client=client,
    )


def _headers(request: http.Request) -> Mapping[str, str]:
    fields = request.headers.fields
    return kept({name.decode("latin-1"): value.decode("latin-1") for name, value in fields})


def _body(message: http.Message | None) -> int:
    """Bytes of a body; a body that was streamed through is not in the dump, then its header says."""
    if message is None:
        return 0
    if message.raw_content is not None:
        return len(message.raw_content)
    declared = message.headers.get("content-length", "0")
    return size(int(declared)) if declared.isascii() and declared.isdigit() else 0


def _messages(messages: Any, event: TraceEvent) -> Iterator[TraceEvent]:
    for message in messages:
        count = len(message.content)
        yield event._replace(
            at=instant(message.timestamp, "timestamp"),
            kind="websocket",
            method="",
            headers=NO_HEADERS,
            status=0,
            content_type="",
            bytes=0 if message.from_client else count,
            bytes_up=count if message.from_client else 0,
            duration=0.0,
            direction="client" if message.from_client else "server",
        )


def _stretches(recorded: tcp.TCPFlow | udp.UDPFlow, who: str, client: str) -> list[TraceEvent]:
    """A tunnel as the stretches in which bytes flowed, so that an hour of silence is not spread over."""
    address = recorded.server_conn.sni or (recorded.server_conn.address or ("",))[0]
    host, found, last = host_of(address), [], float("-inf")
    for message in recorded.messages:
        at = instant(message.timestamp, "timestamp")
        if at - last > _PAUSE or at < last:
            found.append(
                TraceEvent(at, who, "tunnel", "CONNECT", "", host, "", "", NO_HEADERS, client=client)
            )
        down, up = (0, len(message.content)) if message.from_client else (len(message.content), 0)
        stretch = found[-1]
        found[-1] = stretch._replace(
            bytes=stretch.bytes + down, bytes_up=stretch.bytes_up + up, duration=duration(at - stretch.at)
        )
        last = at
    return found


def _who(recorded: flow.Flow, user: str | None) -> str:
    signed_in = recorded.metadata.get("proxyauth")
    name = (
        signed_in[0] if isinstance(signed_in, list | tuple) and signed_in else recorded.metadata.get("user")
    )
    if isinstance(name, str) and name:
        return name
    return user or f"ip:{_address(recorded)}"


def _address(recorded: flow.Flow) -> str:
    peer = recorded.client_conn.peername
    return str(peer[0]) if peer else "unknown"
