"""Times and durations in plain words, for people to read on a page or in a terminal.

Durations and instants as everywhere: float seconds. In the language that is spoken
(`languages.py`), English by default, and independent of the process locale.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, format_percent

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import locale, ngettext

_MINUTE = 60.0
_NEARLY_A_MINUTE = 59.0  # above this the seconds, rounded up, would read "60 seconds"


def duration(seconds: float) -> str:
    """A length of time: "20 seconds", "15 minutes", "1 hour 5 minutes".

    Below a minute it counts seconds, rounded up, so that some time never reads as none; from there
    on it is the nearest whole minute. Nothing (or less) is "0 minutes".
    """
    return _length(seconds, math.floor(seconds / _MINUTE + 0.5))


def spent(seconds: float) -> str:
    """What was used, rounded as `parts` does it for whole minutes: half a minute goes down."""
    if 0 < seconds < _MINUTE:
        return _whole(max(math.floor(seconds), 1))
    return _length(seconds, spent_minutes(seconds))


def spent_minutes(seconds: float) -> int:
    """The same as a number of minutes."""
    return math.ceil(seconds / _MINUTE - 0.5)


class Parts(NamedTuple):
    """What is used and left of a total, in words that add up. `short`: what is used, without its
    unit where the total says it: "13" of 15 minutes."""

    used: str
    left: str
    total: str
    short: str


def parts(left: float, total: float) -> Parts:
    """A total of which `left` seconds are left: rounded once, so that what is used and what is left
    add up to it.

    In whole minutes; to the second while less than a minute is used or left. A little time that is
    left is never told as none.
    """
    left = min(max(left, 0.0), max(total, 0.0))
    small = 0 < left < _MINUTE or 0 < total - left < _MINUTE
    unit = 1.0 if small else _MINUTE
    whole = math.floor(total / unit + 0.5)
    rest = math.ceil(left) if small else math.floor(left / unit + 0.5)
    rest = min(rest, whole) if whole else rest
    seconds = [int(each * unit) for each in (max(whole - rest, 0), rest, max(whole, rest))]
    used, others, all_of_it = map(_whole, seconds)
    once = all(each % 60 == 0 and each < 3600 for each in seconds)
    return Parts(used, others, all_of_it, str(seconds[0] // 60) if once else used)


def moment(instant: float, now: float, zone: ZoneInfo) -> str:
    """When something happens, as the reader would say it: "today at 14:00", "tomorrow at 00:00",
    "on Monday at 00:00", "on 3 December at 00:00", "on 1 January 2027 at 00:00"; "now", "in 20
    seconds".

    Rounded up to the minute, so that whoever comes back at the time we name is not too early. Where
    clocks go back, an hour that happens twice is distinguished by its zone ("today at 01:30 GMT").
    """
    if instant <= now:
        return _("now")
    if instant - now < _MINUTE:
        seconds = math.ceil(instant - now)
        return ngettext("in %(n)d second", "in %(n)d seconds", seconds) % {"n": seconds}
    at = _local(_full_minute(instant), zone)
    return _("%(day)s at %(time)s") % {"day": _day(at, _local(now, zone)), "time": clock(at)}


def past(instant: float, now: float, zone: ZoneInfo) -> str:
    """When something was: "today at 14:05", "Monday, 2 November 2026, 14:05"."""
    day_of_it, time = day(instant, zone), time_of_day(instant, zone)
    if day_of_it == day(now, zone):
        return _("today at %(time)s") % {"time": time}
    return f"{day_of_it}, {time}"


def deadline(instant: float, now: float, zone: ZoneInfo) -> str:
    """The same moment after "until": "today, 14:00", "tomorrow, 00:00", "Thursday, 14:05",
    "3 December, 00:00", "1 January 2027, 00:00"; always a time of day, also when it is near."""
    at = _local(_full_minute(instant), zone)
    day = _day(at, _local(now, zone), plain=True)
    return _("%(day)s, %(time)s") % {"day": day, "time": clock(at)}


def _full_minute(instant: float) -> float:
    """The first full minute at or after an instant."""
    return math.ceil(round(instant, 3) / _MINUTE) * _MINUTE


def clock(at: datetime) -> str:
    """ "14:05"; with the zone's short name where that time comes twice on that day."""
    twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    return f"{at:%H:%M} {at.tzname()}" if twice else f"{at:%H:%M}"


def time_of_day(instant: float, zone: ZoneInfo) -> str:
    """The wall-clock minute an instant is in: "14:05"."""
    return clock(_local(instant, zone))


def day(instant: float, zone: ZoneInfo) -> str:
    """A calendar day in full: "Monday, 2 November 2026"."""
    return str(format_date(_local(instant, zone).date(), "full", locale()))


def short_day(instant: float, zone: ZoneInfo) -> str:
    """A calendar day for a table: "2 Nov 2026"."""
    return str(format_date(_local(instant, zone).date(), "medium", locale()))


def iso(instant: float, zone: ZoneInfo) -> str:
    """ISO 8601 with the zone's offset, to the second: "2026-11-03T00:00:00+00:00"."""
    return _local(instant, zone).isoformat(timespec="seconds")


def count(number: int, noun: str, many: str = "") -> str:
    """ "1 second", "2 seconds"; of "person" the plural is given. For commands, which are English:
    pages use `ngettext`."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def number(value: int) -> str:
    """A whole number: "1,234"."""
    return str(format_decimal(value, locale=locale()))


def percent(share: float) -> str:
    """A part of 1 in whole per cents: "45%"."""
    return str(format_percent(share, locale=locale()))


def short_date(day: date) -> str:
    """A day of a chart: "16 Nov"."""
    return str(format_skeleton("MMMd", day, locale=locale()))


def label(name: str) -> str:
    """A name from the rule files as a heading: "daily-social" is "Daily social"."""
    spaced = " ".join(name.replace("-", " ").replace("_", " ").split())
    return spaced[:1].upper() + spaced[1:]


def _day(at: datetime, today: datetime, *, plain: bool = False) -> str:
    """Which day `at` is, seen from `today`; both in the reader's zone. `plain`: without "on"."""
    days = (at.date() - today.date()).days
    if days <= 0:  # below zero where clocks go back over midnight
        return _("today")
    if days == 1:
        return _("tomorrow")
    if days < 7:
        weekday = str(format_date(at.date(), "EEEE", locale()))
        return weekday if plain else _("on %(weekday)s") % {"weekday": weekday}
    same = at.year == today.year
    date = _day_and_month(at) if same else str(format_date(at.date(), "long", locale()))
    return date if plain else _("on %(date)s") % {"date": date}


def _day_and_month(at: datetime) -> str:
    """ "3 December", in the order and with the case of the language."""
    return str(format_skeleton("MMMMd", at, locale=locale()))


def _local(instant: float, zone: ZoneInfo) -> datetime:
    """The instant in `zone`. Counted from the epoch: no platform limit on early or late years.

    What lies outside the calendar is its first or last second: a grant without an end can be shown
    as well.
    """
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant)).astimezone(zone)
    except OverflowError:
        if instant > 0:
            return datetime.max.replace(microsecond=0, tzinfo=zone)
        return datetime.min.replace(tzinfo=zone)


def _length(seconds: float, whole_minutes: int) -> str:
    """Seconds as they are below a minute, else the minutes as somebody rounded them."""
    if seconds <= 0:
        return _minutes(0)
    if seconds <= _NEARLY_A_MINUTE:
        whole = math.ceil(seconds)
        return ngettext("%(n)d second", "%(n)d seconds", whole) % {"n": whole}
    hours, minutes = divmod(max(whole_minutes, 1), 60)
    parts = [ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}] if hours else []
    if minutes:
        parts.append(_minutes(minutes))
    return " ".join(parts)


def _whole(seconds: int) -> str:
    """Hours, minutes and seconds, those that are not none: "14 minutes 30 seconds"."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    found = [ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}] if hours else []
    if minutes or not seconds:
        found.append(_minutes(minutes))
    if rest:
        found.append(ngettext("%(n)d second", "%(n)d seconds", rest) % {"n": rest})
    return " ".join(found)


def _minutes(minutes: int) -> str:
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
