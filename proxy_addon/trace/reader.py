"""Open any number of trace files as one stream of events in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from operator import itemgetter
from os import PathLike
from pathlib import Path

from proxy_addon.trace import flows, har, jsonl, squid
from proxy_addon.trace.detect import TraceFormat, detect
from proxy_addon.trace.event import TraceEvent, TraceFault
from proxy_addon.trace.order import nearly_sorted, sorted_on_disk
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source


def open_traces(
    paths: Iterable[str | PathLike[str]],
    user: str | None = None,
    *,
    report: ReadReport | None = None,
    strict: bool = False,
) -> Iterator[TraceEvent]:
    """Read traces of any known format, merged by time.

    `user` names the person where a file does not (always in HAR; in Squid's log and flow dumps
    instead of the address). What cannot be read is counted in `report`, which fills while the
    events are taken; with `strict` (or a strict report) the first problem raises TraceError.
    """
    report = report if report is not None else ReadReport()
    report.strict = report.strict or strict
    with ExitStack() as files:
        streams = []
        for path in paths:
            if (source := _open(Path(path), report)) is not None:
                files.callback(source.close)
                streams.append(_events(source, user, report))
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=itemgetter(0))
        for event in merged:
            report.events += 1
            yield event


def _open(path: Path, report: ReadReport) -> Source | None:
    try:
        return Source(path, report)
    except OSError as error:
        report.problem(str(path), 0, TraceFault.FILE, error.strerror or "cannot be opened")
        return None


def _events(source: Source, user: str | None, report: ReadReport) -> Iterator[TraceEvent]:
    known = detect(source.head())
    report.formats[source.name] = str(known)
    match known:
        case TraceFormat.JSONL:
            return nearly_sorted(jsonl.read(source, user, report), source.name, report)
        case TraceFormat.HAR:
            return sorted_on_disk(har.read(source, user, report))
        case TraceFormat.SQUID:
            return sorted_on_disk(squid.read(source, user, report))
        case TraceFormat.FLOWS:
            return sorted_on_disk(flows.read(source, user, report))
        case TraceFormat.EMPTY:
            return iter(())
    report.problem(
        source.name,
        0,
        TraceFault.FORMAT,
        "neither JSON lines, HAR, a Squid access.log nor mitmproxy flows",
    )
    return iter(())
