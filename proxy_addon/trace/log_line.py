"""One line of a proxy's log, whatever its format, and the event that it tells of.

A log has no request headers, so what it has is used in their place: an answer of `text/html` to a
GET was a page, unless the catalogue knows better; and where the format has no type either, the path
says what is most likely (`content_types.py`).
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from proxy_addon.trace.content_types import guessed
from proxy_addon.trace.event import BadRecordError, TraceEvent, TraceFault, instant, size, status
from proxy_addon.trace.tunnels import of_unknown_length
from proxy_addon.trace.unsent_headers import page_headers
from proxy_addon.trace.urls import Url, host_of, split_url

_NO_REQUESTS = ("error:", "cache_object:", "internal:", "urn:")
_NO_METHODS = frozenset({"NONE", "ICP_QUERY", "HTCP_TST", "HTCP_CLR", "PURGE"})


class LogLine(NamedTuple):
    """What the columns say. `ended` is an instant, `elapsed` seconds (None: no such column), `user`
    as it is written (escaped, "-" = none), `content_type` None where the format has none."""

    ended: float
    elapsed: float | None
    client: str
    user: str
    method: str
    url: str
    status: int
    sent: int
    content_type: str | None = None
    referer: str = "-"
    agent: str = "-"


def event_of(line: LogLine, user: str | None = None) -> TraceEvent | None:
    """The event, `user` for somebody without a name; None for lines that are not requests; raises
    BadRecordError."""
    method = line.method.upper()
    if line.url.startswith(_NO_REQUESTS) or method in _NO_METHODS:
        return None
    who = _who(line.user, line.client) or user or _by_address(line.client)
    tunnel, place = _place(line, method)
    if tunnel:
        return _tunnel(line, who, place)
    method = "GET" if method == "-" else method
    kind = line.content_type
    if kind is None:
        kind = guessed(method, line.status, place.host, place.path)
    kind = "" if kind == "-" else kind.lower()
    sent = {
        name: value
        for name, value in (("referer", line.referer), ("user-agent", line.agent))
        if value not in ("-", "")
    }
    headers = page_headers(method, line.status, kind, sent)
    took = line.elapsed or 0.0
    at = instant(line.ended - took, "time")
    return TraceEvent(
        at,
        who,
        "request",
        method,
        *place,
        headers,
        line.status,
        kind,
        line.sent,
        0,
        took,
        "",
        line.client,
    )


def _place(line: LogLine, method: str) -> tuple[bool, Url]:
    """Whether the line is a tunnel, and where to. e2guardian writes "-" as the method of one."""
    if method == "CONNECT":
        host = host_of(line.url.partition("://")[2].partition("/")[0] or line.url)
        opened = line.status < 400
        return opened, Url("", host, "", "") if opened else Url("https", host, "/", "")
    place = split_url(line.url)
    if method == "-" and place.scheme == "https" and place.path == "/" and line.status < 400:
        return True, Url("", place.host, "", "")
    return False, place


def _tunnel(line: LogLine, who: str, place: Url) -> TraceEvent:
    estimated = line.elapsed is None
    took = of_unknown_length(line.sent) if line.elapsed is None else line.elapsed
    return TraceEvent(
        instant(line.ended - took, "time"),
        who,
        "tunnel",
        "CONNECT",
        *place,
        status=line.status,
        bytes=line.sent,
        duration=took,
        client=line.client,
        estimated=estimated,
    )


def _who(name: str, client: str) -> str:
    """The name without its escapes; "" for none, and for the address in the place of a name, as
    e2guardian writes it."""
    if name in ("-", ""):
        return ""
    raw = unquote_to_bytes(name)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "" if text == client else text


def _by_address(client: str) -> str:
    if client in ("-", ""):
        raise BadRecordError(TraceFault.MISSING, "neither a user nor an address")
    return f"ip:{client}"


def figure(value: str, field: str) -> float:
    """A column as a number."""
    try:
        return float(value)
    except ValueError:
        raise BadRecordError(TraceFault.TYPE, f"{field} is not a number") from None


def sent_bytes(value: str) -> int:
    """The column of bytes; "-" is none."""
    return 0 if value == "-" else size(figure(value, "bytes"))


def status_code(value: str) -> int:
    """The column of the status; "-" is no answer."""
    return 0 if value == "-" else status(figure(value, "status"))
