"""The log of a proxy, line by line: each line is judged by itself, because a file may hold lines
from before and after a change of the format.

In this order: Squid's native format, `common` and `combined`, formats close to native, and each of
these behind the prefix of syslog. Lines are written when a transfer ends, so the start is the time
less the duration, and events leave here unsorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo

from proxy_addon.trace import common_log, custom_log, log_line, squid
from proxy_addon.trace.event import BadRecordError, TraceEvent, TraceFault
from proxy_addon.trace.log_line import LogLine
from proxy_addon.trace.log_times import EPOCH
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source
from proxy_addon.trace.syslog_prefix import without_prefix

WAY_OUT = (
    "not a line of a format that we know; set `access_log daemon:/var/log/squid/access.log squid` "
    "in squid.conf"
)
_FEWEST = 7  # columns up to the URL
_LONGEST = 65_536  # characters; a longer line has no URL that a browser would ask for


def read(
    source: Source, user: str | None, report: ReadReport, zone: tzinfo = UTC
) -> Iterator[TraceEvent]:
    """Events in the order of the log; `user` names those who have only an address, `zone` is that
    of times without one."""
    for number, line in source.lines():
        if not line or line.isspace() or line.lstrip().startswith(b"#"):
            continue
        try:
            event = event_of(_text(line), user, zone)
        except BadRecordError as bad:
            report.problem(source.name, number, bad.reason, bad.detail)
        except UnicodeDecodeError:
            report.problem(source.name, number, TraceFault.ENCODING)
        else:
            if event is None:
                report.skipped["not a request of a client"] += 1
            else:
                yield event


def event_of(text: str, user: str | None = None, zone: tzinfo = UTC) -> TraceEvent | None:
    """One line; None for lines that are not requests; raises BadRecordError."""
    if len(text) > _LONGEST:
        raise BadRecordError(TraceFault.TOO_LONG, "longer than 65,536 characters")
    line = _line_of(text, zone)
    return None if line is None else log_line.event_of(line, user)


def is_log_line(text: str) -> bool:
    """Whether this is a line of a log that we read."""
    try:
        _line_of(text, UTC)
    except BadRecordError as bad:
        return bad.reason is not TraceFault.FORMAT
    return True


def _line_of(text: str, zone: tzinfo) -> LogLine | None:
    """The columns of a line, with or without a prefix; None for what is not a request."""
    for part in (text, without_prefix(text)):
        if part is None:
            continue
        fields = part.split()
        if squid.is_native(fields):
            return squid.line_of(fields, zone)
        found = common_log.line_of(part, zone) or custom_log.line_of(part, zone)
        if found is not None:
            return found
    if EPOCH.match(text.lstrip()) and len(text.split()) < _FEWEST:
        raise BadRecordError(TraceFault.MISSING, "fewer than ten columns")
    raise BadRecordError(TraceFault.FORMAT, WAY_OUT)


def _text(line: bytes) -> str:
    return line.decode().strip("\r\n\0")
