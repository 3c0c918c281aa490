"""Our own trace format: one JSON object a line, sorted by `at` (docs/metering.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from proxy_addon.trace.event import (
    NO_HEADERS,
    BadRecordError,
    ResponseTiming,
    TraceEvent,
    TraceFault,
    duration,
    instant,
    kept,
    person,
    size,
    status,
    text,
)
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source
from proxy_addon.trace.unsent_headers import page_headers
from proxy_addon.trace.urls import host_of, split_url

_DIRECTIONS = ("client", "server")


def read(source: Source, user: str | None, report: ReadReport) -> Iterator[TraceEvent]:
    """Events in the order of the file; a line that cannot be used is counted."""
    decode = json.JSONDecoder().decode
    for number, line in source.lines():
        if not line or line.isspace():
            continue
        try:
            record = decode(line.decode())
            yield event_of(record, user)
        except BadRecordError as bad:
            report.problem(source.name, number, bad.reason, bad.detail)
        except UnicodeDecodeError:
            report.problem(source.name, number, TraceFault.ENCODING)
        except (ValueError, RecursionError):
            report.problem(source.name, number, TraceFault.SYNTAX, "not JSON")


def event_of(record: Any, user: str | None = None) -> TraceEvent:
    """A decoded line as an event; raises BadRecordError. `user` is for a record that names
    nobody."""
    if record.__class__ is not dict:
        raise BadRecordError(TraceFault.TYPE, "the line is not an object")
    get = record.get
    kind = get("kind", "request")
    if kind == "request":
        return _request(get, user)
    if kind == "websocket":
        return _message(get, user)
    if kind == "tunnel":
        return _tunnel(get, user)
    raise BadRecordError(TraceFault.KIND, "kind is not request, websocket or tunnel")


def _request(get: Any, user: str | None) -> TraceEvent:
    url = split_url(get("url"))
    method = text(get("method"), "method").upper() or "GET"
    code = status(get("status"))
    kind = text(get("content_type"), "content_type").lower()
    headers = get("headers")
    return TraceEvent(
        instant(get("at")),
        person(get("user"), user),
        "request",
        method,
        url.scheme,
        url.host,
        url.path,
        url.query,
        # An empty object says that none was sent, nothing at all that they were not recorded.
        page_headers(method, code, kind) if headers is None else kept(headers),
        code,
        kind,
        size(get("bytes")),
        size(get("bytes_up"), "bytes_up"),
        duration(get("duration")),
        "",
        text(get("client"), "client"),
        _course(get("course")),
    )


def _message(get: Any, user: str | None) -> TraceEvent:
    url = split_url(get("url"))
    direction = get("direction")
    if direction not in _DIRECTIONS:
        raise BadRecordError(TraceFault.KIND, "direction is not client or server")
    count = size(get("bytes"))
    down, up = (0, count) if direction == "client" else (count, 0)
    return TraceEvent(
        instant(get("at")),
        person(get("user"), user),
        "websocket",
        "",
        url.scheme,
        url.host,
        url.path,
        url.query,
        kept(get("headers")),
        bytes=down,
        bytes_up=up,
        direction=direction,
        client=text(get("client"), "client"),
    )


def _tunnel(get: Any, user: str | None) -> TraceEvent:
    host = get("host")
    if not isinstance(host, str):
        raise BadRecordError(TraceFault.MISSING if host is None else TraceFault.TYPE, "host")
    return TraceEvent(
        instant(get("at")),
        person(get("user"), user),
        "tunnel",
        "CONNECT",
        "",
        host_of(host),
        "",
        "",
        NO_HEADERS,
        bytes=size(get("bytes_down"), "bytes_down"),
        bytes_up=size(get("bytes_up"), "bytes_up"),
        duration=duration(get("duration")),
        client=text(get("client"), "client"),
        course=_course(get("course")),
    )


def _course(value: Any) -> ResponseTiming | None:
    """How an answer or a tunnel came, where the line says it."""
    if value is None:
        return None
    if value.__class__ is not dict:
        raise BadRecordError(TraceFault.TYPE, "course is not an object")
    get = value.get
    passed = get("passed", [])
    if passed.__class__ is not list:
        raise BadRecordError(TraceFault.TYPE, "passed is not a list")
    return ResponseTiming(
        duration(get("head"), "head"), size(get("told"), "told"), tuple(_steps(passed))
    )


def _steps(passed: list[Any]) -> Iterator[tuple[float, int]]:
    """Pairs of seconds after the start, never fewer than before, and bytes."""
    last = 0.0
    for step in passed:
        if step.__class__ is not list or len(step) != 2:
            raise BadRecordError(TraceFault.TYPE, "passed has an entry that is not a pair")
        after = duration(step[0], "passed")
        if after < last:
            raise BadRecordError(TraceFault.TIME, "passed is not in the order of time")
        last = after
        yield after, size(step[1], "passed")
