"""What syslog writes before a line that it passes on: RFC 3164, RFC 5424, the ISO form of rsyslog,
and what containers write."""

from __future__ import annotations

import re

from proxy_addon.trace.log_times import ISO

_PRIORITY = r"(?:<\d{1,3}>)?"
_TAG = r"(?:\([^)\s]*\)|[^\s:\[\]]+)(?:\[[^\]\s]*\])?:\s+"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_PRIORITY}[A-Z][a-z]{{2}}\s+\d{{1,2}}(?:\s\d{{4}})?\s\d\d:\d\d:\d\d(?:\.\d+)?\s+"
        rf"(?:\S+\s+)?{_TAG}",
        rf"<\d{{1,3}}>\d\s+(?:{ISO.pattern}|-)\s+\S+\s+\S+\s+\S+\s+\S+\s+"
        r"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+)\s+(?:\ufeff)?",
        rf"{_PRIORITY}{ISO.pattern}\s+(?:\S+\s+)?{_TAG}",
        r"[\w.-]+\s+\|\s+",
    )
)


def without_prefix(text: str) -> str | None:
    """The line behind the prefix; None where there is no prefix."""
    for form in _FORMS:
        found = form.match(text)
        if found is not None:
            return text[found.end() :]
    return None
