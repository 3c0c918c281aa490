"""Open any number of trace files as one stream of events in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, tzinfo
from operator import itemgetter
from os import PathLike
from pathlib import Path

from proxy_addon.trace import access_log, flows, har, jsonl
from proxy_addon.trace.detect import TraceFormat, detect
from proxy_addon.trace.event import TraceEvent, TraceFault
from proxy_addon.trace.order import nearly_sorted, sorted_on_disk
from proxy_addon.trace.report import ReadReport
from proxy_addon.trace.source import Source, open_sources

SIGN_IN_WANTED = 407  # a proxy's own answer to somebody whom it does not know yet
UNKNOWN = (
    "neither JSON lines, HAR, a proxy's log nor mitmproxy flows; for Squid set "
    "`access_log daemon:/var/log/squid/access.log squid` in squid.conf"
)


def open_traces(
    paths: Iterable[str | PathLike[str]],
    user: str | None = None,
    *,
    report: ReadReport | None = None,
    strict: bool = False,
    zone: tzinfo = UTC,
) -> Iterator[TraceEvent]:
    """Read traces of any known format, merged by time.

    `user` names the person where a file does not (always in HAR; in a proxy's log and flow dumps
    instead of the address). `zone` is that of times in logs which name none. What cannot be read is
    counted in `report`, which fills while the events are taken; with `strict` (or a strict report)
    the first problem raises TraceError.
    """
    report = report if report is not None else ReadReport()
    report.strict = report.strict or strict
    with ExitStack() as files:
        streams = []
        for path in paths:
            for source in _open(Path(path), report):
                files.callback(source.close)
                streams.append(_events(source, user, report, zone))
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=itemgetter(0))
        for event in merged:
            if event.status == SIGN_IN_WANTED:
                report.skipped["a proxy asked for a sign-in"] += 1
                continue
            report.events += 1
            yield event


def _open(path: Path, report: ReadReport) -> list[Source]:
    try:
        return open_sources(path, report)
    except OSError as error:
        why = error.strerror or str(error) or "cannot be opened"
        report.problem(str(path), 0, TraceFault.FILE, why)
        return []


def _events(
    source: Source, user: str | None, report: ReadReport, zone: tzinfo
) -> Iterator[TraceEvent]:
    known = detect(source.head())
    report.formats[source.name] = str(known)
    match known:
        case TraceFormat.JSONL:
            return nearly_sorted(jsonl.read(source, user, report), source.name, report)
        case TraceFormat.HAR:
            return sorted_on_disk(har.read(source, user, report))
        case TraceFormat.SQUID:
            return sorted_on_disk(access_log.read(source, user, report, zone))
        case TraceFormat.FLOWS:
            return sorted_on_disk(flows.read(source, user, report))
        case TraceFormat.EMPTY:
            return iter(())
    report.problem(source.name, 0, TraceFault.FORMAT, UNKNOWN)
    return iter(())
