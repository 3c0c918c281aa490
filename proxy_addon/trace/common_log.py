"""The formats `common` and `combined` of Squid, which are those of web servers with whole URLs.

They have neither a duration nor a type; `combined` has Referer and User-Agent. What is written is
the time of the end.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo

from proxy_addon.trace.log_line import LogLine, sent_bytes, status_code
from proxy_addon.trace.log_times import of_server_date

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(
    r"\s*(\S+)\s+(\S+)\s+(\S+)\s+"
    r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?)\]\s+"
    rf"{_QUOTED}\s+(\d{{1,3}}|-)\s+(\d+|-)(?:\s+{_QUOTED}\s+{_QUOTED})?(?:\s.*)?"
)
_REQUEST = re.compile(r"([A-Za-z_-]+)\s+(.*?)(?:\s+(?:HTTP|ICY)/\S+)?\s*")


def line_of(text: str, zone: tzinfo = UTC) -> LogLine | None:
    """The columns of one line; None where it has another form; raises BadRecordError."""
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    client, _, user, date, request, code, sent, referer, agent = found.groups()
    asked = _REQUEST.fullmatch(request)
    if asked is None or asked.group(2).startswith("/"):
        return None  # a web server's own log: it has no hosts
    return LogLine(
        of_server_date(date, zone),
        None,
        client,
        user,
        asked.group(1),
        asked.group(2),
        status_code(code),
        sent_bytes(sent),
        None,
        referer or "-",
        agent or "-",
    )
