"""Seven days of somebody in bars, with the limit of a day as a line; and which days are kept.

A day is one of the policy: it begins at `day_starts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from babel.dates import format_date, format_skeleton

from proxy_addon.core import periods
from proxy_addon.core.ruleset import Period, RuleSet
from proxy_addon.core.types import Interval, Visit
from proxy_addon.presentation import durations as words
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import locale
from proxy_addon.web.day_view import sums

DAYS: Final = 7
HEIGHT: Final = 30.0  # of a bar's picture, in its own units


class DayBar(NamedTuple):
    """One day. Heights in units of `HEIGHT`; `charged` stands at the bottom, `free` on it.
    `length`: what was charged, in short; `said`: the whole day in words; `href`: its page, "" where
    it is not kept."""

    name: str
    length: str
    said: str
    href: str
    is_shown: bool
    charged: float
    free: float


class Week(NamedTuple):
    """`limit`: the height of the line of the daily limit; None where there is no single one.
    `earlier`, `later`: the page with the seven days before and after; "" where none are kept."""

    bars: tuple[DayBar, ...]
    charged: str
    free: str
    limit: float | None
    limit_said: str
    earlier: str
    later: str


def day_of_instant(rules: RuleSet, instant: float) -> date:
    """The policy's day that an instant is in, by the date on which it begins."""
    return _local(rules, periods.calendar_window(Period.DAY, rules, instant).start)


def window_of(rules: RuleSet, day: date) -> Interval:
    """From when to when a day of the policy goes."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=rules.zone).timestamp()
    window = periods.calendar_window(Period.DAY, rules, noon)
    if _local(rules, window.start) < day:  # days that begin in the afternoon
        window = periods.calendar_window(Period.DAY, rules, window.end + 3600)
    return Interval(window.start, window.end)


def kept_day(rules: RuleSet, text: str, now: float) -> date | None:
    """The day that a query names, if it is kept still and has begun; None for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if first_kept(rules, now) <= day <= day_of_instant(rules, now) else None


def first_kept(rules: RuleSet, now: float) -> date:
    """The first day of which everything is kept."""
    return day_of_instant(rules, max(now - rules.retention, 0.0) + 86_400)


def first_day(rules: RuleSet, shown: date, now: float) -> date:
    """The first of the seven days that are shown together with one: they end with it, or, if it is
    among the last seven, with today."""
    today = day_of_instant(rules, now)
    last = today if (today - shown).days < DAYS else shown
    return last - timedelta(days=DAYS - 1)


def week_of(
    rules: RuleSet, visits: Sequence[Visit], shown: date, now: float, limit: float | None
) -> Week:
    """The seven days around one. `visits`: those of all seven; `limit`: seconds of a day."""
    start, today = first_day(rules, shown, now), day_of_instant(rules, now)
    kept = first_kept(rules, now)
    days = [start + timedelta(days=number) for number in range(DAYS)]
    each = [sums(visits, *window_of(rules, day)) for day in days]
    most = max([one.charged + one.free for one in each] + [limit or 0.0, 60.0])
    scale = (HEIGHT - 1) / most
    bars = tuple(
        DayBar(
            name=str(format_date(day, "EEE", locale())),
            length=_short(one.charged),
            said=_said(day, one.charged, one.free),
            href=_page(day, today) if day >= kept else "",
            is_shown=day == shown,
            charged=round(one.charged * scale, 2),
            free=round(one.free * scale, 2),
        )
        for day, one in zip(days, each, strict=True)
    )
    return Week(
        bars,
        words.spent(sum(one.charged for one in each)),
        words.duration(sum(one.free for one in each)),
        None if limit is None else round(HEIGHT - limit * scale, 2),
        "" if limit is None else words.duration(limit),
        _page(max(start - timedelta(days=1), kept), today) if start > kept else "",
        _page(min(days[-1] + timedelta(days=DAYS), today), today) if days[-1] < today else "",
    )


def _page(day: date, today: date) -> str:
    return "/" if day == today else f"/?day={day}"


def date_words(day: date) -> str:
    """ "Monday, 2 November 2026"."""
    return str(format_date(day, "full", locale()))


def _short(seconds: float) -> str:
    """ "15 min", below a bar."""
    if 0 < seconds < 60:
        return _("< 1 min")
    return _("%(n)s min") % {"n": words.spent_minutes(seconds)}


def _said(day: date, charged: float, free: float) -> str:
    month = format_skeleton("MMMMd", day, locale=locale())
    return _("%(day)s: %(charged)s charged, %(free)s free") % {
        "day": f"{format_date(day, 'EEEE', locale())}, {month}",
        "charged": words.spent(charged),
        "free": words.duration(free),
    }


def _local(rules: RuleSet, instant: float) -> date:
    return datetime.fromtimestamp(instant, rules.zone).date()
