"""Squid's native access.log: time of the *end*, milliseconds, client, result, bytes, method, URL,
user, …

Columns in front are counted from the left and those behind the URL from the right, because a URL
may have blanks in it: whoever puts some in must not become somebody else. The time may be a date in
ISO form, the type may be missing, and columns that an office added may follow it.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo

from proxy_addon.trace.event import BadRecordError, TraceFault, duration, instant
from proxy_addon.trace.log_line import LogLine, figure, sent_bytes, status_code
from proxy_addon.trace.log_times import of_column

RESULT = re.compile(r"[A-Z][A-Z_]*(?:/\S*)?")
HIERARCHY = re.compile(
    r"(?:TIMEOUT_)?(?:HIER[A-Z_]*|[A-Z_]*(?:DIRECT|NONE|PARENT|SIBLING|HIT|MISS|FASTEST|CARP|PINNED"
    r"|ORIGINAL_DST|POOL)[A-Z_]*)/\S*"
)
_LEADING = 6  # columns before the URL
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def is_native(fields: list[str]) -> bool:
    """Whether the columns of a line are those of the native format."""
    fields = _joined(fields)
    return len(fields) > _LEADING and "/" in fields[3] and RESULT.fullmatch(fields[3]) is not None


def line_of(fields: list[str], zone: tzinfo = UTC) -> LogLine | None:
    """The columns of one line; None for what is not a request of a client; raises
    BadRecordError."""
    fields = _joined(fields)
    if len(fields) <= _LEADING:
        raise BadRecordError(TraceFault.MISSING, "fewer than ten columns")
    logged, elapsed, client, result, sent, method, *rest = fields
    if result.startswith("UDP_"):
        return None
    # A clock that was set while the transfer ran makes it negative.
    took = figure(elapsed, "elapsed") / 1000.0
    seconds = 0.0 if took < 0 else duration(took, "elapsed")
    ended = instant(of_column(logged, zone), "time")
    code = status_code(result.rpartition("/")[2])
    if rest and rest[0].startswith("error:"):
        return None
    url, name, content_type = _from_the_right(rest)
    return LogLine(ended, seconds, client, name, method, url, code, sent_bytes(sent), content_type)


def _joined(fields: list[str]) -> list[str]:
    """A date and a time of day with a blank between them are one column."""
    if len(fields) > 1 and _DAY.fullmatch(fields[0]):
        return [f"{fields[0]}T{fields[1]}", *fields[2:]]
    return fields


def _from_the_right(rest: list[str]) -> tuple[str, str, str]:
    """URL, user and content type. `rest` is what follows the method."""
    places = [i for i, field in enumerate(rest) if i >= 2 and HIERARCHY.fullmatch(field)]
    if not places and len(rest) >= 4 and rest[-2] == "-":
        places = [len(rest) - 2]
    if not places:
        raise BadRecordError(TraceFault.MISSING, "fewer than ten columns")
    last = places[-1]
    if len(places) > 1 and len(rest) - last > 2:
        raise BadRecordError(TraceFault.SYNTAX, "the column of the user is not certain")
    content_type = rest[last + 1] if last + 1 < len(rest) else "-"
    return " ".join(rest[: last - 1]), rest[last - 1], content_type.rstrip(";")
