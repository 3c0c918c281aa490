"""HAR 1.2: what a browser's developer tools save, of one page or of many."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from proxy_addon.trace.event import (
    BadRecordError,
    TraceEvent,
    TraceFault,
    duration,
    instant,
    kept,
    size,
    status,
    text,
)
from proxy_addon.trace.jsonstream import BrokenJsonError, JsonStream
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source
from proxy_addon.trace.urls import Url, split_url

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


def events_of(entry: Any, user: str | None = None) -> list[TraceEvent]:
    """One entry: the request and its WebSocket messages; [] for what never went out."""
    request, response = _object(entry, "request"), _object(entry, "response")
    address = text(request.get("url"), "url")
    if address.startswith(_LOCAL) or entry.get("_fromCache") or response.get("_fromDiskCache"):
        return []
    url = split_url(request.get("url"))
    at = _time(entry.get("startedDateTime"))
    who = user or NOBODY
    client = (
        text(entry.get("connection"), "connection")
        if isinstance(entry.get("connection"), str)
        else ""
    )
    event = TraceEvent(
        at,
        who,
        "request",
        text(request.get("method"), "method").upper() or "GET",
        url.scheme,
        url.host,
        url.path,
        url.query,
        _headers(request.get("headers")),
        status(response.get("status")),
        _mime(response),
        _down(response),
        size(_known(request.get("bodySize")), "bodySize"),
        duration((_known(entry.get("time")) or 0.0) / 1000.0, "time"),
        client="" if client == "0" else client,
    )
    messages = entry.get("_webSocketMessages")
    if not messages:
        return [event]
    if not isinstance(messages, list):
        raise BadRecordError(TraceFault.TYPE, "_webSocketMessages is not a list")
    return [event._replace(duration=0.0), *(_message(m, url, who) for m in messages)]


def _checked(
    entry: Any, number: int, name: str, user: str | None, report: ReadReport
) -> Iterator[TraceEvent]:
    try:
        events = events_of(entry, user)
    except BadRecordError as bad:
        report.problem(name, number, bad.reason, bad.detail)
        return
    if not events:
        report.skipped["never left the browser"] += 1
    yield from events


def _entries(document: JsonStream) -> Iterator[Any]:
    for key in document.members():
        if key != "log":
            document.value()
            continue
        for part in document.members():
            if part == "entries":
                yield from document.items()
            else:
                document.value()


def _object(entry: Any, name: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise BadRecordError(TraceFault.TYPE, "the entry is not an object")
    part = entry.get(name)
    if not isinstance(part, dict):
        raise BadRecordError(TraceFault.MISSING if part is None else TraceFault.TYPE, name)
    return part


def _time(value: object) -> float:
    try:
        moment = datetime.fromisoformat(text(value, "startedDateTime"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return instant(moment.timestamp(), "startedDateTime")
    except (ValueError, OverflowError) as error:
        if isinstance(error, BadRecordError):
            raise
        raise BadRecordError(TraceFault.TIME, "startedDateTime is not a date") from None


def _headers(pairs: object) -> Any:
    """HAR has a list of names and values; HTTP/2 puts its pseudo headers among them."""
    if pairs is None:
        return kept(None)
    if not isinstance(pairs, list):
        raise BadRecordError(TraceFault.TYPE, "headers is not a list")
    found = {}
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(pair.get("name"), str):
            raise BadRecordError(TraceFault.TYPE, "a header has no name")
        found[pair["name"]] = pair.get("value")
    return kept(found)


def _known(value: Any) -> Any:
    """HAR writes -1 for "not known"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        if value is None:
            return None
        raise BadRecordError(TraceFault.TYPE, "a size or time is not a number")
    return None if value == -1 else value


def _down(response: dict[str, Any]) -> int:
    """What came over the wire where the browser says so, else the size of the content."""
    for value in (response.get("_transferSize"), response.get("bodySize")):
        if (known := _known(value)) is not None and known > 0:
            return size(known)
    content = response.get("content")
    return size(_known(content.get("size")), "content.size") if isinstance(content, dict) else 0


def _mime(response: dict[str, Any]) -> str:
    content = response.get("content")
    return text(content.get("mimeType"), "mimeType").lower() if isinstance(content, dict) else ""


def _message(message: Any, url: Url, who: str) -> TraceEvent:
    if not isinstance(message, dict) or message.get("type") not in ("send", "receive"):
        raise BadRecordError(TraceFault.KIND, "a WebSocket message is neither send nor receive")
    sent = message["type"] == "send"
    count = len(text(message.get("data"), "data").encode(errors="replace"))
    return TraceEvent(
        instant(message.get("time"), "time"),
        who,
        "websocket",
        "",
        url.scheme,
        url.host,
        url.path,
        url.query,
        bytes=0 if sent else count,
        bytes_up=count if sent else 0,
        direction="client" if sent else "server",
    )
