"""A flow dump in small form: JSON lines that the meter judges as it judges the dump.

Kept is what `proxy_addon/trace/event.py` has of a request: no content, no cookie, and only hosts
below `.test`, so that nothing of the machine or of its maker is in it.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from proxy_addon.trace.event import TraceEvent
from proxy_addon.trace.reader import open_traces
from proxy_addon.trace.report import ReadReport

OURS = ".test"
DIGITS = 6  # of a second: finer than the clock of the dump is kept


def record_of(event: TraceEvent) -> dict[str, Any]:
    """An event as the object that `proxy_addon/trace/jsonl.py` reads; what is empty is left out."""
    record: dict[str, Any] = {"at": round(event.at, DIGITS), "user": event.user}
    if event.kind == "tunnel":
        record |= {
            "kind": event.kind,
            "host": event.host,
            "bytes_up": event.bytes_up,
            "bytes_down": event.bytes,
        }
    else:
        query = f"?{event.query}" if event.query else ""
        record["url"] = f"{event.scheme}://{event.host}{event.path}{query}"
    if event.kind == "websocket":
        size = event.bytes_up if event.direction == "client" else event.bytes
        record |= {"kind": event.kind, "direction": event.direction, "bytes": size}
    if event.kind == "request":
        record |= {
            "method": event.method,
            "headers": dict(event.headers),
            "status": event.status,
            "content_type": event.content_type,
            "bytes": event.bytes,
            "bytes_up": event.bytes_up,
        }
    record["duration"] = round(event.duration, DIGITS)
    if event.course is not None:
        passed = [[round(after, DIGITS), size] for after, size in event.course.passed]
        course = {
            "head": round(event.course.head, DIGITS),
            "told": event.course.told,
            "passed": passed,
        }
        record["course"] = {key: value for key, value in course.items() if value}
    return {key: value for key, value in record.items() if key == "course" or value}


def write(events: Iterable[TraceEvent], people: Iterable[str], target: Path) -> int:
    """Write what these people did on hosts of ours, gzipped and the same for the same events; how
    many lines."""
    known, lines = set(people), 0
    raw = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        for event in events:
            if event.user in known and event.host.endswith(OURS):
                line = json.dumps(record_of(event), separators=(",", ":"), ensure_ascii=False)
                packed.write(line.encode() + b"\n")
                lines += 1
    target.write_bytes(raw.getvalue())
    return lines


def write_dump(dump: Path, people: Iterable[str], target: Path) -> int:
    """The small form of a dump; raises TraceError where something in it cannot be read."""
    return write(open_traces([dump], report=ReadReport(strict=True)), people, target)
