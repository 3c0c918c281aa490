"""`allowance simulate`: what a policy would have done to recorded traffic."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from proxy_addon.cli.common import AsJson, Config, Rules, exit_with, print_json, say
from proxy_addon.cli.expected_errors import one_line_errors
from proxy_addon.cli.simulate_tables import print_changes, print_result
from proxy_addon.cli.tables import PlainConsole
from proxy_addon.config.settings import load_settings
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.presentation.durations import iso
from proxy_addon.rules import folder as rules_folder
from proxy_addon.simulate import Replay, Result
from proxy_addon.simulate.compare import PersonComparison, SimulatedUse, changes
from proxy_addon.simulate.hours import by_hour
from proxy_addon.trace.detect import TraceFormat
from proxy_addon.trace.event import TraceEvent, TraceFault
from proxy_addon.trace.reader import open_traces
from proxy_addon.trace.report import ReadReport, TraceError

Traces = Annotated[
    list[Path],
    typer.Argument(
        metavar="TRACE...",
        help="JSON lines, HAR, Squid's access.log or mitmproxy flows; gzip and zip are fine.",
    ),
]
Against = Annotated[
    Path | None,
    typer.Option("--against", metavar="DIR", help="Compare with the rules in this folder."),
]
User = Annotated[
    str | None,
    typer.Option("--user", metavar="USER", help="Whose traffic it is, where a file does not say."),
]
ByHour = Annotated[bool, typer.Option("--by-hour", help="Also show the use in each hour.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Stop at the first line that cannot be read.")
]

NEEDED = (
    "A JSON line of ours has at least `at` (seconds since 1970), `user` (or give --user) and `url`; "
    "see docs/metering.md, Trying it on your own traffic."
)
TICK = 2_000  # events between two updates of the progress bar


def simulate(
    traces: Traces,
    rules: Rules = None,
    against: Against = None,
    user: User = None,
    hours: ByHour = False,
    strict: Strict = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Run recorded traffic through the rules on a virtual clock: who would have used what, and when
    it ran out."""
    with one_line_errors():
        policy = rules_folder.load(load_settings({"rules": rules}, config).rules)
        other = rules_folder.load(against) if against is not None else None
    report = ReadReport()
    results = _read(traces, user, report, strict, [policy] if other is None else [policy, other])
    _print_problems(report, strict)
    _exit_without_events(traces, report)
    if as_json:
        print_json(_form(results, policy, hours))
    else:
        _print(results, report, policy, hours)


def _read(
    traces: list[Path], user: str | None, report: ReadReport, strict: bool, policies: list[RuleSet]
) -> list[Result]:
    """One reading for all policies. Exit code 1 when strict reading stops."""
    replays = [Replay(policy) for policy in policies]
    try:
        with _progress(report) as counted:
            events = open_traces(traces, user, report=report, strict=strict, zone=policies[0].zone)
            for event in counted(events):
                for replay in replays:
                    replay.feed(event)
    except TraceError as error:
        exit_with(error)
    return [replay.finish() for replay in replays]


@contextmanager
def _progress(report: ReadReport) -> Iterator[Any]:
    """A bar on the terminal, on standard error; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield iter
        return
    columns = (
        TextColumn("{task.fields[events]:,} events"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=PlainConsole(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=report.bytes_total or None, events=0)

        def counted(events: Iterator[TraceEvent]) -> Iterator[TraceEvent]:
            for number, event in enumerate(events):
                if number % TICK == 0:
                    total = report.bytes_total or None
                    bar.update(task, completed=report.bytes_read, total=total, events=report.events)
                yield event

        yield counted


def _print_problems(report: ReadReport, strict: bool) -> None:
    _print_parts(report)
    if not report.unreadable or strict:
        return
    for problem in report.first:
        say(problem, err=True)
    more = report.unreadable - len(report.first)
    if more > 0:
        say(f"and {more:,} more like these", err=True)
    records = report.unreadable - report.problems[TraceFault.FILE]  # such a file has no record
    if records:
        subject = (
            "record could not be read and is"
            if records == 1
            else "records could not be read and are"
        )
        say(f"{records:,} {subject} left out.", err=True)


def _print_parts(report: ReadReport) -> None:
    """What was left out of records that were read."""
    if parts := report.parts.total():
        subject = "1 part of a record is" if parts == 1 else f"{parts:,} parts of records are"
        say(f"{subject} left out: {_counted(report.parts)}.", err=True)


def _counted(counts: Counter[str]) -> str:
    """Reasons with their numbers, the most frequent first."""
    return ", ".join(f"{what} ({count:,})" for what, count in counts.most_common())


def _exit_without_events(traces: list[Path], report: ReadReport) -> None:
    """Without a single event there is no result to print: exit code 1, and why if nothing has said
    it yet."""
    if report.problems[TraceFault.MISSING] and TraceFormat.JSONL in report.formats.values():
        say(NEEDED, err=True)
    if report.events:
        return
    if not report.unreadable:
        for trace in traces:
            empty = trace.is_file() and not trace.stat().st_size
            what = "the file is empty" if empty else "there is no traffic in it"
            say(f"{trace}: {what}; name a recording", err=True)
    raise typer.Exit(1)


def _form(results: list[Result], policy: RuleSet, hours: bool) -> dict[str, Any]:
    form = _users(results[0], policy.zone, hours)
    if len(results) > 1:
        form["against"] = _users(results[1], policy.zone, hours)
        form["changes"] = {c.user: _change(c, policy.zone) for c in changes(results[0], results[1])}
    return form


def _users(result: Result, zone: ZoneInfo, hours: bool) -> dict[str, Any]:
    form = result.to_json(zone)
    if hours:
        for name, found in form["users"].items():
            found["hours"] = by_hour(result.users[name], zone)
    return form


def _change(change: PersonComparison, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "gained": round(change.gained, 3),
        "now": _side(change.now, zone),
        "against": _side(change.then, zone),
    }


def _side(one: SimulatedUse, zone: ZoneInfo) -> dict[str, Any]:
    exhausted = {name: iso(at, zone) for name, at in sorted(one.exhausted.items())}
    return {"used": one.used, "spent": one.spent, "blocked": one.blocked, "exhausted_at": exhausted}


def _print(results: list[Result], report: ReadReport, policy: RuleSet, hours: bool) -> None:
    console = PlainConsole()
    print_result(console, results[0], policy.zone, hours=hours)
    if len(results) > 1:
        print_changes(console, changes(results[0], results[1]), policy.zone)
    noun = "event" if report.events == 1 else "events"
    console.print(f"{report.events:,} {noun} read.", highlight=False)
    if skipped := report.skipped.total():
        subject = "1 record is" if skipped == 1 else f"{skipped:,} records are"
        console.print(f"{subject} not traffic: {_counted(report.skipped)}.", highlight=False)
