"""A report as a page: one file that needs nothing else, for screens (dark or light), paper and
screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from proxy_addon.presentation import durations as words
from proxy_addon.presentation import theme
from proxy_addon.report import charts
from proxy_addon.report.charts import Bars, ChartSeries, clock
from proxy_addon.report.document import WEEKDAYS, in_order, limits, notes, observed
from proxy_addon.report.totals import Report, Sum, Table

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = theme.environment(_HERE, report_style=(_HERE / "report.css").read_text("utf-8"))
_TEMPLATES.globals |= {
    "box": (charts.WIDTH, charts.HEIGHT, charts.LEFT, charts.BOTTOM, charts.RIGHT)
}
_FEW: Final = 10  # days with room for the name of the weekday
_ROWS: Final = 50  # people on a page; a table for all is `--csv`


class Fact(NamedTuple):
    """One large number."""

    title: str
    value: str
    more: str


class Chart(NamedTuple):
    """A chart and the same numbers as text. `kind` chooses its colours."""

    id: str
    title: str
    text: str
    bars: Bars
    head: list[str]
    rows: list[list[str]]
    kind: str = "many"


class Cell(NamedTuple):
    """An hour of the week; `shade` from 0 to 1."""

    x: float
    y: float
    shade: float
    title: str


class Hours(NamedTuple):
    """The heat map: cells, weekdays from the top, and the same numbers for each weekday."""

    cells: list[Cell]
    weekdays: list[tuple[float, str]]
    hours: list[tuple[float, str]]
    rows: list[list[str]]
    busiest: str


def page(report: Report, now: float, *, by_person: bool) -> str:
    """The whole document; values are escaped by the templates."""
    zone = report.rules.zone
    first, last = words.day(report.span.start, zone), words.day(report.span.days[-1].start, zone)
    return _TEMPLATES.get_template("report.html").render(
        days=first if first == last else f"{first} to {last}",
        made=f"{words.day(now, zone)}, {words.time_of_day(now, zone)}",
        empty=report.empty,
        observing=report.rules.observes,
        summary=_summary(report),
        facts=_facts(report),
        charts=[] if report.empty else _charts(report),
        hours=None if report.empty else _hours(report),
        allowances=_allowances(report),
        observed=_observed(report),
        over=_over(report),
        people=_people(report) if by_person else None,
        people_left_out=max(0, len(report.people.rows) - _ROWS)
        if by_person and report.people
        else 0,
        notes=notes(report),
    )


def _summary(report: Report) -> str:
    whole = report.whole
    visitors = sum(day.people for day in report.days)
    each = clock(whole.seconds / visitors) if visitors else "none"
    return (
        f"{words.count(whole.people, 'person', 'people')} spent {clock(whole.seconds)} on "
        f"platforms that the policy limits: on average "
        f"{each} a day for whoever used one."
    )


def _facts(report: Report) -> list[Fact]:
    whole = report.whole
    share = whole.charged / whole.seconds if whole.seconds else 0.0
    grants = sum(found.grants for found in report.allowances.values())
    granted = sum(found.granted for found in report.allowances.values())
    busiest = max((day.people for day in report.days), default=0)
    facts = [
        Fact("People active", f"{whole.people:,}", f"at most {busiest:,} on one day"),
        Fact("Charged", clock(whole.charged), f"{share:.0%} of all attention"),
        Fact("Free by the rules", clock(whole.free), _free_share(whole, 1 - share)),
        Fact(
            "Visits",
            f"{whole.visits:,}",
            f"{clock(whole.seconds / max(1, whole.visits))} each on average",
        ),
        Fact(
            "An allowance ran out",
            words.count(whole.ran_out, "time"),
            "at most once a day for each person",
        ),
        Fact(
            "Time granted",
            clock(granted),
            f"in {words.count(grants, 'grant')}" if grants else "",
        ),
    ]
    beyond = sum(
        found.beyond for name, found in report.allowances.items() if observed(report, name)
    )
    if report.observed:
        facts.append(
            Fact("Over the limit", clock(beyond), "what observed allowances would have stopped")
        )
    return facts


def _free_share(whole: Sum, share: float) -> str:
    text = f"{share:.0%} of all attention"
    return f"{text}, {clock(whole.estimated)} estimated" if whole.estimated else text


def _charts(report: Report) -> list[Chart]:
    names = [f"{date:%a} {date.day} {date:%b}" for date in report.span.dates]
    titles = {name: platform.title for name, platform in report.rules.platforms.items()}
    by_platform = [
        (titles.get(name, name), values) for name, values in _series(report, report.platforms)
    ]
    kinds: list[ChartSeries] = [
        ("Charged", [day.charged for day in report.days]),
        ("Free by the rules", [day.free for day in report.days]),
    ]
    by_role = _series(report, report.roles)
    free = "Free is what a rule allows without spending, such as lunch."
    first = "Everybody under the first of their roles at that time."
    both = "Charged and free time."
    return [
        _chart(
            "platforms", "Attention per day, by platform", both, names, charts.largest(by_platform)
        ),
        _chart("roles", "Attention per day, by role", first, names, charts.largest(by_role)),
        _chart("kinds", "Free against charged", free, names, kinds, "two"),
    ]


def _series(report: Report, table: Table) -> list[ChartSeries]:
    days = range(len(report.span.days))
    return [
        (
            name,
            [table.cells[day, name].seconds if (day, name) in table.cells else 0.0 for day in days],
        )
        for name in table.rows
    ]


def _chart(
    key: str,
    title: str,
    text: str,
    days: Sequence[str],
    series: Sequence[ChartSeries],
    kind: str = "many",
) -> Chart:
    rows = [
        [
            day,
            *(clock(values[number]) for _, values in series),
            clock(sum(values[number] for _, values in series)),
        ]
        for number, day in enumerate(days)
    ]
    total = [
        "All days",
        *(clock(sum(values)) for _, values in series),
        clock(sum(sum(v) for _, v in series)),
    ]
    head = ["Day", *(name for name, _ in series), "Together"]
    # "Mon 16 Nov" has room below seven bars, "16 Nov" below a month of them.
    short = [day.partition(" ")[2] for day in days] if len(days) > _FEW else None
    return Chart(key, title, text, charts.stacked(days, series, short), head, [*rows, total], kind)


def _hours(report: Report) -> Hours:
    most = max(max(row) for row in report.hours) or 1.0
    wide, high, left, top = 27.5, 22.0, 56.0, 4.0
    cells, weekdays, rows = [], [], []
    for line, day in enumerate(in_order(report)):
        y = top + line * high
        weekdays.append((y + high / 2 + 4, WEEKDAYS[day][:3]))
        for hour, seconds in enumerate(report.hours[day]):
            title = f"{WEEKDAYS[day]} {hour:02}:00 to {(hour + 1) % 24:02}:00: {clock(seconds)}"
            shade = round(0.08 + 0.92 * seconds / most, 3) if seconds > 0 else 0.0
            cells.append(Cell(left + hour * wide, y, shade, title))
        parts = (sum(report.hours[day][since : since + 6]) for since in (0, 6, 12, 18))
        rows.append(
            [WEEKDAYS[day], *(clock(part) for part in parts), clock(sum(report.hours[day]))]
        )
    marks = [(left + hour * wide, f"{hour:02}") for hour in range(0, 24, 3)]
    seconds, day, hour = max(
        (seconds, day, hour)
        for day, row in enumerate(report.hours)
        for hour, seconds in enumerate(row)
    )
    busiest = f"{WEEKDAYS[day]} from {hour:02}:00 to {(hour + 1) % 24:02}:00 with {clock(seconds)}"
    return Hours(cells, weekdays, marks, rows, busiest)


def _allowances(report: Report) -> list[dict[str, Any]]:
    """Those that ran out most often first."""
    most = max((found.ran_out for found in report.allowances.values()), default=0) or 1
    found = sorted(
        report.allowances.items(), key=lambda each: (-each[1].ran_out, -each[1].spent, each[0])
    )
    return [
        {
            "title": words.label(name),
            "limit": limits(report.rules.allowances.get(name)),
            "observed": observed(report, name),
            "spent": clock(one.spent),
            "people": one.people,
            "ran_out": one.ran_out,
            "ran_out_people": one.ran_out_people,
            "share": round(100 * one.ran_out / most, 1),
            "grants": one.grants,
            "granted": clock(one.granted),
            "over": clock(one.beyond),
            "over_people": one.beyond_people,
        }
        for name, one in found
    ]


def _observed(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "rule": name,
            "used": clock(one.seconds),
            "people": one.people,
            "visits": one.visits,
            "stopped": clock(one.stopped),
            "stopped_people": one.stopped_people,
        }
        for name, one in report.observed.items()
    ]


def _over(report: Report) -> list[list[str]]:
    """Use beyond a limit, by day and allowance."""
    dates = report.span.dates
    return [
        [
            f"{dates[day]:%a} {dates[day].day} {dates[day]:%b}",
            words.label(name),
            clock(one.seconds),
            f"{one.people:,}",
        ]
        for name, found in report.allowances.items()
        for day, one in sorted(found.days.items())
        if one.people
    ]


def _people(report: Report) -> list[list[str]]:
    if report.people is None:
        return []
    return [
        [name, clock(one.charged), clock(one.free), f"{one.visits:,}", f"{one.ran_out:,}"]
        for name, one in report.people.largest_first()[:_ROWS]
    ]
