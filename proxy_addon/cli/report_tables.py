"""The tables of `allowance report`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from proxy_addon.cli.tables import PlainTable, numbers, whole
from proxy_addon.presentation.durations import count
from proxy_addon.presentation.durations import day as day_words
from proxy_addon.report.document import WEEKDAYS, in_order, limits, notes, observed, table_of
from proxy_addon.report.totals import Report, Sum

_MINUTE = 60.0
_SUMS = ("Charged", "Free", "People", "Visits", "Ran out")
_SHADES = " ░▒▓█"


def clock(seconds: float) -> str:
    """Hours and minutes: `1 h 05`, `7 min`, `-` for nothing."""
    minutes = round(seconds / _MINUTE)
    if seconds <= 0:
        return "-"
    return (
        f"{minutes // 60} h {minutes % 60:02}"
        if minutes >= 60
        else f"{minutes} min"
        if minutes
        else "<1 min"
    )


def print_report(console: Console, report: Report, by: str) -> None:
    """For people: whom it is about, then sums by day, by group, by hour and by allowance."""
    span, zone = report.span, report.rules.zone
    last = day_words(span.days[-1].start, zone)
    first = day_words(span.start, zone)
    console.print(f"[bold]{first}[/bold]" if first == last else f"[bold]{first} to {last}[/bold]")
    if report.empty:
        console.print(
            "Nobody used a limited platform in that time. Another period: --last, --month, --from and --to. If "
            "people did, ask `allowance doctor` whether the proxy is in use."
        )
        return
    whole = report.whole
    console.print(
        f"{_people(whole.people)}, {clock(whole.charged)} charged and {clock(whole.free)} free"
        f"{f' ({clock(whole.estimated)} of it estimated)' if whole.estimated else ''} in "
        f"{count(whole.visits, 'visit')}; an allowance ran out {_times(whole.ran_out)}."
    )
    console.print(_days(report))
    console.print(_groups(f"By {by}", by.capitalize(), table_of(report, by).largest_first()))
    console.print(_hours(report))
    console.print(_allowances(report))
    if (grants := _grants(report)) is not None:
        console.print(grants)
    if report.observed:
        console.print(_observed(report))
    for note in notes(report):
        console.print(f"[dim]{escape(note)}[/dim]")


def _days(report: Report) -> PlainTable:
    table = _table("By day", "Day", *_SUMS, "Granted")
    for date, found, given in zip(report.span.dates, report.days, report.given, strict=True):
        table.add(f"{date:%a %d %b}", *_sums(found), clock(given.seconds))
    return table


def _times(number: int) -> str:
    return "once" if number == 1 else count(number, "time")


def _people(number: int) -> str:
    return count(number, "person", "people")


def _table(title: str, *columns: str) -> PlainTable:
    return PlainTable(whole(columns[0]), *map(numbers, columns[1:]), title=title)


def _groups(title: str, what: str, rows: Sequence[tuple[str, Sum]]) -> PlainTable:
    table = _table(title, what, *_SUMS)
    for name, found in rows:
        table.add(name, *_sums(found))
    return table


def _sums(found: Sum) -> list[str]:
    counts = (found.people, found.visits, found.ran_out)
    return [clock(found.charged), clock(found.free), *map(_count, counts)]


def _hours(report: Report) -> PlainTable:
    """A shade for each hour of the week; the busiest is the darkest."""
    most = max(max(row) for row in report.hours) or 1.0
    busiest = max(
        (seconds, day, hour)
        for day, row in enumerate(report.hours)
        for hour, seconds in enumerate(row)
    )
    title = f"By hour of the week (busiest: {WEEKDAYS[busiest[1]]} {busiest[2]:02}:00, {clock(busiest[0])})"
    table = PlainTable("", "0     3     6     9     12    15    18    21", title=title)
    for day in in_order(report):
        shades = (
            _SHADES[0 if seconds <= 0 else 1 + min(3, int(seconds / most * 4))] * 2
            for seconds in report.hours[day]
        )
        table.add(WEEKDAYS[day][:3], "".join(shades))
    return table


def _allowances(report: Report) -> PlainTable:
    table = _table("By allowance", "Allowance", "Limit", "Spent", "People", "Ran out", "of people")
    table.columns[1].justify = "left"
    for name, found in report.allowances.items():
        table.add(
            name + (" (observed)" if observed(report, name) else ""),
            limits(report.rules.allowances.get(name)),
            clock(found.spent),
            _count(found.people),
            _count(found.ran_out),
            _count(found.ran_out_people),
        )
    return table


def _grants(report: Report) -> PlainTable | None:
    """What was granted, and what was used while nothing was left; None where there was neither."""
    shown = {
        name: found for name, found in report.allowances.items() if found.grants or found.beyond > 0
    }
    if not shown:
        return None
    table = _table(
        "Grants and time over the limit",
        "Allowance",
        "Grants",
        "Granted",
        "Over the limit",
        "of people",
    )
    for name, found in shown.items():
        table.add(
            name,
            _count(found.grants),
            clock(found.granted),
            clock(found.beyond),
            _count(found.beyond_people),
        )
    return table


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _observed(report: Report) -> PlainTable:
    table = _table(
        "Only observed: what these rules would have stopped",
        "Rule",
        "Used",
        "People",
        "Visits",
        "Would stop",
        "of people",
    )
    for name, found in report.observed.items():
        table.add(
            name,
            clock(found.seconds),
            f"{found.people:,}",
            f"{found.visits:,}",
            clock(found.stopped),
            f"{found.stopped_people:,}",
        )
    return table
