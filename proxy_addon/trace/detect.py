"""Which format a file has, recognised by its first bytes and never by its name."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from proxy_addon.trace.access_log import is_log_line


class TraceFormat(StrEnum):
    """The formats that we read."""

    JSONL = "JSON lines"
    HAR = "HAR"
    SQUID = "Squid access.log"
    FLOWS = "mitmproxy flows"
    EMPTY = "empty"
    UNKNOWN = "unknown"


_FLOWS = re.compile(rb"\d{1,12}:\d{1,12}:")
_HAR = re.compile(rb'\s*(?:[\w$.\s=]{1,200}[(=]\s*)?\{\s*"log"\s*:')
_HAR_DEEP = re.compile(rb'"log"\s*:\s*\{')
_LINES = 100


def detect(head: bytes) -> TraceFormat:
    """Judge the first 64 KiB of the (unpacked) content."""
    stripped = head.lstrip()
    if not stripped:
        return TraceFormat.EMPTY
    if _FLOWS.match(head):
        return TraceFormat.FLOWS
    if _HAR.match(head):
        return TraceFormat.HAR
    lines = stripped.split(b"\n", _LINES)[:_LINES]
    if any(_is_object(line) for line in lines):
        return TraceFormat.JSONL
    if any(is_log_line(line.decode(errors="replace").strip()) for line in lines if line.strip()):
        return TraceFormat.SQUID
    if stripped.startswith(b"{"):
        return TraceFormat.HAR if _HAR_DEEP.search(head) else TraceFormat.JSONL
    return TraceFormat.UNKNOWN


def _is_object(line: bytes) -> bool:
    if not line.lstrip().startswith(b"{"):
        return False
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and bool(found.keys() & {"at", "url", "host", "kind"})
