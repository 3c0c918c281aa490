"""Times and durations in plain words, for people to read on a page or in a terminal.

Durations and instants as everywhere: float seconds. In the language that is spoken
(`languages.py`), English by default, and independent of the process locale.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton

from proxy_addon.presentation.languages import gettext as _
from proxy_addon.presentation.languages import locale, ngettext

_MINUTE = 60.0
_HOUR_MINUTES = 60
_NEARLY_A_MINUTE = 59.0  # above this the seconds, rounded up, would read "60 seconds"


def duration(seconds: float) -> str:
    """A length of time: "20 seconds", "15 minutes", "1 hour 5 minutes".

    Below a minute it counts seconds, rounded up, so that some time never reads as none; from there
    on it is the nearest whole minute. Nothing (or less) is "0 minutes".
    """
    return _length(seconds, math.floor(seconds / _MINUTE + 0.5))


def used(spent: float, total: float) -> str:
    """How much of `total` seconds is used; "almost 15 minutes" while a little of fifteen is left.

    Half a minute goes down here and up in `duration`, so that what is used and what is left add up.
    """
    words = _length(spent, _used_minutes(spent))
    return _almost(words) if spent < total and words == duration(total) else words


def used_number(spent: float, total: float) -> str:
    """The same in front of the total, whose unit is written once: "11" of "20 minutes". What has
    another unit keeps it: "20 seconds" of "15 minutes", "5 minutes" of "1 hour"."""
    whole, minutes = math.floor(total / _MINUTE + 0.5), _used_minutes(spent)
    is_short = total <= 0 or (total > _NEARLY_A_MINUTE and whole < _HOUR_MINUTES)
    if not is_short or 0 < spent <= _NEARLY_A_MINUTE or minutes >= _HOUR_MINUTES:
        return used(spent, total)
    number = str(max(minutes, 1) if spent > 0 else 0)
    return _almost(number) if spent < total and duration(total) == _minutes(int(number)) else number


def _used_minutes(spent: float) -> int:
    return math.ceil(spent / _MINUTE - 0.5)


def _almost(length: str) -> str:
    return _("almost %(length)s") % {"length": length}


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
    at = _local(math.ceil(round(instant, 3) / _MINUTE) * _MINUTE, zone)
    return _("%(day)s at %(time)s") % {"day": _day(at, _local(now, zone)), "time": clock(at)}


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


def iso(instant: float, zone: ZoneInfo) -> str:
    """ISO 8601 with the zone's offset, to the second: "2026-11-03T00:00:00+00:00"."""
    return _local(instant, zone).isoformat(timespec="seconds")


def count(number: int, noun: str, many: str = "") -> str:
    """ "1 second", "2 seconds"; of "person" the plural is given. For commands, which are English:
    pages use `ngettext`."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def label(name: str) -> str:
    """A name from the rule files as a heading: "daily-social" is "Daily social"."""
    spaced = " ".join(name.replace("-", " ").replace("_", " ").split())
    return spaced[:1].upper() + spaced[1:]


def _day(at: datetime, today: datetime) -> str:
    """Which day `at` is, seen from `today`; both in the reader's zone."""
    days = (at.date() - today.date()).days
    if days <= 0:  # below zero where clocks go back over midnight
        return _("today")
    if days == 1:
        return _("tomorrow")
    if days < 7:
        return _("on %(weekday)s") % {"weekday": format_date(at.date(), "EEEE", locale())}
    if at.year == today.year:
        return _("on %(date)s") % {"date": _day_and_month(at)}
    return _("on %(date)s") % {"date": format_date(at.date(), "long", locale())}


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


def _minutes(minutes: int) -> str:
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
