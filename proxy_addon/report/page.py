"""A report as a page: one file that needs nothing else, for screens (dark or light), paper and
screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from babel.dates import get_day_names

from proxy_addon.presentation import durations as words
from proxy_addon.presentation import spoken_rules, theme
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import locale, ngettext, speaking
from proxy_addon.report import charts
from proxy_addon.report.charts import Bars, ChartSeries, clock
from proxy_addon.report.document import in_order, notes, observed
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


class ChartHead(NamedTuple):
    """What a chart is about."""

    id: str
    title: str
    text: str


class ChartDays(NamedTuple):
    """Names of days for a table, and shorter ones for an axis without much room."""

    names: list[str]
    short: list[str] | None


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


def page(report: Report, now: float, *, by_person: bool, language: str = "en") -> str:
    """The whole document, in this language; values are escaped by the templates."""
    with speaking(language):
        return _page(report, now, by_person=by_person)


def _page(report: Report, now: float, *, by_person: bool) -> str:
    zone = report.rules.zone
    first, last = words.day(report.span.start, zone), words.day(report.span.days[-1].start, zone)
    return _TEMPLATES.get_template("report.html").render(
        days=first
        if first == last
        else _("%(first)s to %(last)s") % {"first": first, "last": last},
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
        all_days=_("All days"),
    )


def _summary(report: Report) -> str:
    whole = report.whole
    visitors = sum(day.people for day in report.days)
    pattern = ngettext(
        "%(people)s person spent %(time)s on platforms that the policy limits: on average %(each)s a day for "
        "whoever used one.",
        "%(people)s people spent %(time)s on platforms that the policy limits: on average %(each)s a day for "
        "whoever used one.",
        whole.people,
    )
    return pattern % {
        "people": words.number(whole.people),
        "time": clock(whole.seconds),
        "each": clock(whole.seconds / visitors) if visitors else _("none"),
    }


def _facts(report: Report) -> list[Fact]:
    whole = report.whole
    share = whole.charged / whole.seconds if whole.seconds else 0.0
    grants = sum(found.grants for found in report.allowances.values())
    granted = sum(found.granted for found in report.allowances.values())
    busiest = max((day.people for day in report.days), default=0)
    times = ngettext("%(n)s time", "%(n)s times", whole.ran_out)
    in_grants = ngettext("in %(n)s grant", "in %(n)s grants", grants)
    each = clock(whole.seconds / max(1, whole.visits))
    facts = [
        Fact(
            _("People active"),
            words.number(whole.people),
            _("at most %(n)s on one day") % {"n": words.number(busiest)},
        ),
        Fact(_("Charged"), clock(whole.charged), _share(share)),
        Fact(_("Free by the rules"), clock(whole.free), _free_share(whole, 1 - share)),
        Fact(
            _("Visits"),
            words.number(whole.visits),
            _("%(length)s each on average") % {"length": each},
        ),
        Fact(
            _("An allowance ran out"),
            times % {"n": words.number(whole.ran_out)},
            _("at most once a day for each person"),
        ),
        Fact(
            _("Time granted"),
            clock(granted),
            in_grants % {"n": words.number(grants)} if grants else "",
        ),
    ]
    beyond = sum(
        found.beyond for name, found in report.allowances.items() if observed(report, name)
    )
    if report.observed:
        more = _("what observed allowances would have stopped")
        facts.append(Fact(_("Over the limit"), clock(beyond), more))
    return facts


def _share(share: float) -> str:
    return _("%(share)s of all attention") % {"share": words.percent(share)}


def _free_share(whole: Sum, share: float) -> str:
    if not whole.estimated:
        return _share(share)
    return _("%(share)s of all attention, %(time)s estimated") % {
        "share": words.percent(share),
        "time": clock(whole.estimated),
    }


def _day(day: date) -> str:
    """A day of a table: "Mon 16 Nov"."""
    weekday = get_day_names("abbreviated", locale=locale())[day.weekday()]
    return f"{weekday} {words.short_date(day)}"


def _charts(report: Report) -> list[Chart]:
    names = [_day(date) for date in report.span.dates]
    # "Mon 16 Nov" has room below seven bars, "16 Nov" below a month of them.
    short = [words.short_date(date) for date in report.span.dates] if len(names) > _FEW else None
    titles = {name: platform.title for name, platform in report.rules.platforms.items()}
    by_platform = [
        (titles.get(name, name), values) for name, values in _series(report, report.platforms)
    ]
    kinds: list[ChartSeries] = [
        (_("Charged"), [day.charged for day in report.days]),
        (_("Free by the rules"), [day.free for day in report.days]),
    ]
    by_role = _series(report, report.roles)
    days = ChartDays(names, short)
    return [
        _chart(
            ChartHead(
                "platforms", _("Attention per day, by platform"), _("Charged and free time.")
            ),
            days,
            charts.largest(by_platform),
        ),
        _chart(
            ChartHead(
                "roles",
                _("Attention per day, by role"),
                _("Everybody under the first of their roles at that time."),
            ),
            days,
            charts.largest(by_role),
        ),
        _chart(
            ChartHead(
                "kinds",
                _("Free against charged"),
                _("Free is what a rule allows without spending, such as lunch."),
            ),
            days,
            kinds,
            "two",
        ),
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
    about: ChartHead, days: ChartDays, series: Sequence[ChartSeries], kind: str = "many"
) -> Chart:
    rows = [
        [
            day,
            *(clock(values[number]) for __, values in series),
            clock(sum(values[number] for __, values in series)),
        ]
        for number, day in enumerate(days.names)
    ]
    total = [
        _("All days"),
        *(clock(sum(values)) for __, values in series),
        clock(sum(sum(v) for __, v in series)),
    ]
    head = [_("Day"), *(name for name, __ in series), _("Together")]
    bars = charts.stacked(days.names, series, days.short)
    return Chart(about.id, about.title, about.text, bars, head, [*rows, total], kind)


def _hours(report: Report) -> Hours:
    most = max(max(row) for row in report.hours) or 1.0
    wide, high, left, top = 27.5, 22.0, 56.0, 4.0
    names = get_day_names("wide", locale=locale())
    short = get_day_names("abbreviated", locale=locale())
    cells, weekdays, rows = [], [], []
    for line, day in enumerate(in_order(report)):
        y = top + line * high
        weekdays.append((y + high / 2 + 4, short[day]))
        for hour, seconds in enumerate(report.hours[day]):
            title = _("%(time)s: %(length)s") % {
                "time": _hour(names[day], hour),
                "length": clock(seconds),
            }
            shade = round(0.08 + 0.92 * seconds / most, 3) if seconds > 0 else 0.0
            cells.append(Cell(left + hour * wide, y, shade, title))
        parts = (sum(report.hours[day][since : since + 6]) for since in (0, 6, 12, 18))
        rows.append([names[day], *(clock(part) for part in parts), clock(sum(report.hours[day]))])
    marks = [(left + hour * wide, f"{hour:02}") for hour in range(0, 24, 3)]
    seconds, day, hour = max(
        (seconds, day, hour)
        for day, row in enumerate(report.hours)
        for hour, seconds in enumerate(row)
    )
    busiest = _("Most on %(time)s: %(length)s.") % {
        "time": _hour(names[day], hour),
        "length": clock(seconds),
    }
    return Hours(cells, weekdays, marks, rows, busiest)


def _hour(weekday: str, hour: int) -> str:
    """An hour of the week: "Monday from 09:00 to 10:00"."""
    return _("%(weekday)s from %(start)s to %(end)s") % {
        "weekday": weekday,
        "start": f"{hour:02}:00",
        "end": f"{(hour + 1) % 24:02}:00",
    }


def _allowances(report: Report) -> list[dict[str, Any]]:
    """Those that ran out most often first."""
    most = max((found.ran_out for found in report.allowances.values()), default=0) or 1
    found = sorted(
        report.allowances.items(), key=lambda each: (-each[1].ran_out, -each[1].spent, each[0])
    )
    return [
        {
            "title": words.label(name),
            "limit": _limits(report, name),
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


def _limits(report: Report, name: str) -> str:
    known = report.rules.allowances.get(name)
    return _("no longer in the rules") if known is None else spoken_rules.limits(known.limits)


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
            _day(dates[day]),
            words.label(name),
            clock(one.seconds),
            words.number(one.people),
        ]
        for name, found in report.allowances.items()
        for day, one in sorted(found.days.items())
        if one.people
    ]


def _people(report: Report) -> list[list[str]]:
    if report.people is None:
        return []
    return [
        [
            name,
            clock(one.charged),
            clock(one.free),
            words.number(one.visits),
            words.number(one.ran_out),
        ]
        for name, one in report.people.largest_first()[:_ROWS]
    ]
