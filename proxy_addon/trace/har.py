"""HAR 1.2: what a browser's developer tools save, of one page or of many."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from proxy_addon.trace import har_fields
from proxy_addon.trace.event import BadRecordError, TraceEvent, TraceFault, instant, kept
from proxy_addon.trace.har_fields import LeaveOut
from proxy_addon.trace.jsonstream import BrokenJsonError, JsonStream
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source
from proxy_addon.trace.unsent_headers import page_headers
from proxy_addon.trace.urls import split_url

NOBODY = "har"  # a HAR file names no person
_LOCAL = ("data:", "blob:", "chrome-extension:", "moz-extension:", "about:", "file:")


def read(source: Source, user: str | None, report: ReadReport) -> Iterator[TraceEvent]:
    """Events in the order of the file, WebSocket messages behind their handshake (so not
    sorted)."""
    number = 0
    with io.BufferedReader(source) as stream:
        try:
            for entry in _entries(JsonStream(stream)):
                number += 1
                yield from _checked(entry, number, source.name, user, report)
        except BrokenJsonError as broken:
            report.problem(
                source.name, number + 1, TraceFault.SYNTAX, f"not JSON from here on: {broken}"
            )


def events_of(
    entry: Any, user: str | None = None, left_out: LeaveOut = lambda what: None
) -> list[TraceEvent]:
    """One entry: the request and its WebSocket messages; [] for what never went out.

    `left_out` is told of each odd part; raises BadRecordError only where it is not known what was
    asked for, or when.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("request"), dict):
        raise BadRecordError(TraceFault.MISSING, "request")
    request = entry["request"]
    response = har_fields.part(entry.get("response"), "a response", left_out)
    address = request.get("url")
    local = isinstance(address, str) and address.startswith(_LOCAL)
    if local or entry.get("_fromCache") or response.get("_fromDiskCache"):
        return []
    event = _request(entry, request, response, user or NOBODY, left_out)
    messages = har_fields.items(entry.get("_webSocketMessages"), "messages", left_out)
    if not messages:
        return [event]
    found = [event._replace(duration=0.0)]
    for message in messages:
        try:
            found.append(_message(message, event))
        except BadRecordError:
            left_out("a WebSocket message")
    return found


def _request(
    entry: dict[str, Any],
    request: dict[str, Any],
    response: dict[str, Any],
    who: str,
    left_out: LeaveOut,
) -> TraceEvent:
    url = split_url(request.get("url"))
    method = har_fields.text(request.get("method"), "a method", left_out).upper() or "GET"
    code = har_fields.status(response.get("status"), left_out)
    content = har_fields.part(response.get("content"), "a content", left_out)
    kind = har_fields.text(content.get("mimeType"), "a type", left_out).lower()
    sent = har_fields.headers(request.get("headers"), left_out)
    connection = entry.get("connection")
    client = connection if isinstance(connection, str) and connection != "0" else ""
    return TraceEvent(
        _time(entry.get("startedDateTime")),
        who,
        "request",
        method,
        *url,
        kept(sent) if sent else page_headers(method, code, kind),
        code,
        kind,
        _down(response, content, left_out),
        har_fields.size(request.get("bodySize"), "a size", left_out),
        har_fields.seconds(entry.get("time"), "a duration", left_out),
        client=client,
    )


def _checked(
    entry: Any, number: int, name: str, user: str | None, report: ReadReport
) -> Iterator[TraceEvent]:
    def left_out(what: str) -> None:
        report.parts[what] += 1

    try:
        events = events_of(entry, user, left_out)
    except BadRecordError as bad:
        report.problem(name, number, bad.reason, bad.detail)
        return
    if not events:
        report.skipped["never left the browser"] += 1
    yield from events


def _entries(document: JsonStream) -> Iterator[Any]:
    document.start()
    for key in document.members():
        if key != "log":
            document.value()
            continue
        for part in document.members():
            if part == "entries":
                yield from document.items()
            else:
                document.value()


def _time(value: object) -> float:
    if not isinstance(value, str):
        fault = TraceFault.MISSING if value is None else TraceFault.TYPE
        raise BadRecordError(fault, "startedDateTime")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return instant(moment.timestamp(), "startedDateTime")
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadRecordError):
            raise
        raise BadRecordError(TraceFault.TIME, "startedDateTime is not a date") from None


def _down(response: dict[str, Any], content: dict[str, Any], left_out: LeaveOut) -> int:
    """What came over the wire where the browser says so, else the size of the content."""
    for value in (response.get("_transferSize"), response.get("bodySize")):
        if found := har_fields.size(value, "a size", left_out):
            return found
    return har_fields.size(content.get("size"), "a size", left_out)


def _message(message: Any, event: TraceEvent) -> TraceEvent:
    kind = message.get("type") if isinstance(message, dict) else None
    if kind not in ("send", "receive"):
        raise BadRecordError(TraceFault.KIND, "a WebSocket message is neither send nor receive")
    data = message.get("data")
    count = len(data.encode(errors="replace")) if isinstance(data, str) else 0
    return TraceEvent(
        instant(message.get("time"), "time"),
        event.user,
        "websocket",
        "",
        event.scheme,
        event.host,
        event.path,
        event.query,
        bytes=0 if kind == "send" else count,
        bytes_up=count if kind == "send" else 0,
        direction="client" if kind == "send" else "server",
    )
