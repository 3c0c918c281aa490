"""Limits, times and lists for employees, in the language that is spoken: "15 minutes a day",
"Monday to Friday from 12:00 to 13:30", "Facebook, Instagram and 30 more".

`rule_text.py` is for people who write rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time

from babel.dates import format_date, format_time, get_day_names
from babel.lists import format_list

from proxy_addon.core.ruleset import Limit, Period, RuleSet, When
from proxy_addon.presentation import durations
from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import locale, ngettext

_FEW = 5
_DAY = 86_400


def limit(one: Limit) -> str:
    """ "15 minutes a day", "20 minutes in any 4 hours"."""
    length = durations.duration(one.seconds)
    match one.period:
        case Period.HOUR:
            pattern = _("%(length)s an hour")
        case Period.DAY:
            pattern = _("%(length)s a day")
        case Period.WEEK:
            pattern = _("%(length)s a week")
        case Period.MONTH:
            pattern = _("%(length)s a month")
        case Period.QUARTER:
            pattern = _("%(length)s a quarter")
        case Period.YEAR:
            pattern = _("%(length)s a year")
        case Period.ROLLING:
            pattern = _("%(length)s in any %(window)s")
    return pattern % {"length": length, "window": durations.duration(one.rolling)}


def period_now(period: str | None, rolling: float) -> str:
    """The window of a limit that is open now: "today", "this quarter", "in the last 4 hours"; ""
    for None."""
    if period is None:
        return ""
    match Period(period):
        case Period.HOUR:
            return _("this hour")
        case Period.DAY:
            return _("today")
        case Period.WEEK:
            return _("this week")
        case Period.MONTH:
            return _("this month")
        case Period.QUARTER:
            return _("this quarter")
        case Period.YEAR:
            return _("this year")
        case Period.ROLLING:
            return _("in the last %(window)s") % {"window": durations.duration(rolling)}


def left_in(left: str, period: Period | None, rolling: float = 0.0) -> str:
    """What is left, as a heading: "2 minutes left today"."""
    match period:
        case Period.HOUR:
            pattern = _("%(left)s left this hour")
        case Period.DAY:
            pattern = _("%(left)s left today")
        case Period.WEEK:
            pattern = _("%(left)s left this week")
        case Period.MONTH:
            pattern = _("%(left)s left this month")
        case Period.QUARTER:
            pattern = _("%(left)s left this quarter")
        case Period.YEAR:
            pattern = _("%(left)s left this year")
        case _:
            pattern = _("%(left)s left")
    return pattern % {"left": left}


def period_of(name: str | None) -> Period | None:
    """The period of a balance; None where it is not known."""
    return None if name is None else Period(name)


def times(number: int, period: Period) -> str:
    """How often in a period of the calendar: "once a day", "2 times a week"."""
    match period:
        case Period.HOUR:
            pattern = ngettext("once an hour", "%(n)d times an hour", number)
        case Period.DAY:
            pattern = ngettext("once a day", "%(n)d times a day", number)
        case Period.WEEK:
            pattern = ngettext("once a week", "%(n)d times a week", number)
        case Period.MONTH:
            pattern = ngettext("once a month", "%(n)d times a month", number)
        case Period.QUARTER:
            pattern = ngettext("once a quarter", "%(n)d times a quarter", number)
        case _:
            pattern = ngettext("once a year", "%(n)d times a year", number)
    return pattern % {"n": number}


def limits(many: Iterable[Limit]) -> str:
    """Several limits that all hold: "15 minutes a day and 1 hour a week"."""
    return listed([limit(one) for one in many])


def listed(texts: Sequence[str]) -> str:
    """ "a, b and c", however many there are."""
    return str(format_list(list(texts), locale=locale())) if texts else ""


def some(texts: Sequence[str], most: int = _FEW) -> str:
    """The same; a long list is cut to "a, b, c, d and 7 more"."""
    if len(texts) <= most + 1:
        return listed(texts)
    rest = len(texts) - most
    return listed([*texts[:most], ngettext("%(n)d more", "%(n)d more", rest) % {"n": rest}])


def when(condition: When) -> str:
    """A condition: "Monday to Friday from 12:00 to 13:30"; "" where it always holds."""
    parts = [_days(condition.days)] if condition.days is not None else []
    if condition.dates:
        parts.append(listed([_dates(first, last) for first, last in condition.dates]))
    if condition.calendar is not None:
        parts.append(listed([_named(name) for name in condition.calendar.names]))
    if condition.between:
        parts.append(listed([_between(start, end) for start, end in condition.between]))
    text = " ".join(filter(None, parts))
    if condition.negated is None:
        return text
    excepted = when(condition.negated)
    return _("%(times)s except %(others)s") % {
        "times": text or _("at any time"),
        "others": excepted,
    }


def _named(calendar: str) -> str:
    return _("on days of “%(calendar)s”") % {"calendar": durations.label(calendar)}


def _days(days: frozenset[int]) -> str:
    """ "Monday to Friday", "Saturday and Tuesday"."""
    names = get_day_names("wide", locale=locale())
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    texts: list[str] = []
    for run in runs:
        if len(run) > 2:
            texts.append(
                _("%(first)s to %(last)s") % {"first": names[run[0]], "last": names[run[-1]]}
            )
        else:
            texts += [str(names[day]) for day in run]
    return listed(texts)


def _dates(first: date, last: date) -> str:
    begins = format_date(first, "long", locale())
    if first == last:
        return str(begins)
    return _("%(first)s to %(last)s") % {
        "first": begins,
        "last": format_date(last, "long", locale()),
    }


def _between(start: int, end: int) -> str:
    return _("from %(start)s to %(end)s") % {"start": clock(start), "end": clock(end)}


def clock(second: int) -> str:
    """A time of day: seconds after midnight; the end of a day is 24:00."""
    if second >= _DAY:
        return "24:00"
    return str(format_time(time(second // 3600, second // 60 % 60), "HH:mm", locale=locale()))


def days(number: int) -> str:
    """ "90 days"."""
    return ngettext("%(n)d day", "%(n)d days", number) % {"n": number}


def size(rules: RuleSet) -> str:
    """ "5 rules, 2 allowances, 1 role, 9 of 48 platforms limited"."""
    counts = (
        (ngettext("%(n)d rule", "%(n)d rules", len(rules.rules)), len(rules.rules)),
        (
            ngettext("%(n)d allowance", "%(n)d allowances", len(rules.allowances)),
            len(rules.allowances),
        ),
        (ngettext("%(n)d role", "%(n)d roles", len(rules.people.roles)), len(rules.people.roles)),
    )
    platforms = ngettext(
        "%(limited)d of %(n)d platform limited",
        "%(limited)d of %(n)d platforms limited",
        len(rules.platforms),
    ) % {"limited": len(rules.limited), "n": len(rules.platforms)}
    return ", ".join((*(pattern % {"n": number} for pattern, number in counts), platforms))


def length(seconds: float) -> str:
    """Days where it is that long: "90 days", else as durations are."""
    if seconds == _DAY or seconds >= 1.5 * _DAY:
        return days(round(seconds / _DAY))
    return durations.duration(seconds)
