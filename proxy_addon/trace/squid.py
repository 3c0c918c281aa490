"""Squid's native access.log: time of the *end*, milliseconds, client, result, bytes, method, URL,
user, …

The log is written when a transfer ends, so the start is the time less the duration, and the events
leave here unsorted. CONNECT lines are tunnels. Somebody without a name is known by the address, as
everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from proxy_addon.trace.event import (
    NO_HEADERS,
    BadRecordError,
    TraceEvent,
    TraceFault,
    duration,
    instant,
    size,
    status,
)
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source
from proxy_addon.trace.urls import Url, host_of, split_url

_FIELDS = 10


def read(source: Source, user: str | None, report: ReadReport) -> Iterator[TraceEvent]:
    """Events in the order of the log; `user` names those who have only an address."""
    for number, line in source.lines():
        if not line or line.isspace():
            continue
        try:
            event = event_of(line.decode(), user)
        except BadRecordError as bad:
            report.problem(source.name, number, bad.reason, bad.detail)
        except UnicodeDecodeError:
            report.problem(source.name, number, TraceFault.ENCODING)
        else:
            if event is None:
                report.skipped["aborted before a request"] += 1
            else:
                yield event


def event_of(line: str, user: str | None = None) -> TraceEvent | None:
    """One line; None for lines that are not requests; raises BadRecordError."""
    fields = line.split()
    if len(fields) < _FIELDS:
        raise BadRecordError(TraceFault.MISSING, "fewer than ten columns")
    logged, elapsed, client, result, sent, method, url, name, _, content_type = fields[:_FIELDS]
    seconds = duration(_figure(elapsed, "elapsed") / 1000.0, "elapsed")
    at = instant(_figure(logged, "time") - seconds, "time")
    if url.startswith("error:"):
        return None
    code = status(_figure(result.rpartition("/")[2], "status"))
    who = _who(name, client, user)
    down = size(_figure(sent, "bytes"))
    kind = "" if content_type == "-" else content_type.lower()
    tunnel = method == "CONNECT" and code < 400
    if tunnel:
        place = Url("", host_of(url), "", "")
    elif method == "CONNECT":
        place = Url("https", host_of(url), "/", "")
    else:
        place = split_url(url)
    return TraceEvent(
        at,
        who,
        "tunnel" if tunnel else "request",
        method,
        *place,
        NO_HEADERS,
        code,
        kind,
        down,
        0,
        seconds,
        "",
        client,
    )


def _figure(value: str, field: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise BadRecordError(TraceFault.TYPE, f"{field} is not a number") from None


def _who(name: str, client: str, user: str | None) -> str:
    if name not in ("-", ""):
        return unquote(name)
    return user or f"ip:{client}"
