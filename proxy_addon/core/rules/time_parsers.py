"""Times in rule files: lengths of time, limits, clock times, days, dates and zones."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from proxy_addon.core.period_table import CALENDAR, per
from proxy_addon.core.rules.parsers import BadValue, number, quote, short
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Limit, Period

DAY = 86_400
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NUMBERS = {name: n for n, day in enumerate(_DAYS) for name in (day, day[:3])}
_DAY_RANGES = tuple(f"{first}-{last}" for first in _DAY_NUMBERS for last in _DAY_NUMBERS)
_PART = r"(?:(\d{1,6}(?:\.\d{1,3})?)%s)?"
_DURATION = re.compile(r"\s*".join(_PART % unit for unit in "dhms"), re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_LENGTHS = "write, for example, 90s, 15m or 1h30m"
_UNITS = (86_400.0, 3600.0, 60.0, 1.0)
_LIMIT = re.compile(r"(.+?)\s+per\s+(\S+)(?:\s+(.+))?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_DATES = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:(?:\s*\.\.\s*|\s+[-–]\s+)(\d{4}-\d{2}-\d{2}))?", re.ASCII
)


def duration(value: object) -> float:
    """`90s`, `15m`, `1h30m`, `90d` in seconds; zero needs no unit."""
    seconds = _seconds(value)
    if seconds is None:
        raise BadValue(Code.BAD_DURATION, _not_a_length(value), _LENGTHS)
    return seconds


def _not_a_length(value: object) -> str:
    plain = short(value) if isinstance(value, str) else quote(value).strip('"')
    what = "has no unit" if _NUMBER.fullmatch(plain) else "is not a length of time"
    return f"{quote(value)} {what}"


def retention(value: object) -> float:
    """A length of time that is not nothing, in seconds."""
    seconds = duration(value)
    if seconds <= 0:
        raise BadValue(
            Code.BAD_DURATION,
            "nothing would be kept, not even today's usage",
            "write, for example, 90d",
        )
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return 0.0 if value == 0 else None
    word = short(value)
    if word == "0":
        return 0.0
    match = _DURATION.fullmatch(word)
    if match is None or not word:
        return None
    return sum(
        float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part
    )


def limit(value: object) -> Limit:
    """`15m per day`, `20m per rolling 4h`."""
    match = _LIMIT.fullmatch(short(value))
    if match is None:
        raise BadValue(
            Code.BAD_LIMIT,
            f"{quote(value)} is not a valid limit",
            "write, for example, 15m per day",
        )
    length, period, window = match.groups()
    seconds = _seconds(length)
    if seconds is None:
        raise BadValue(
            Code.BAD_LIMIT,
            _not_a_length(length),
            _LENGTHS,
        )
    if period not in tuple(Period):
        near = None if "m" in period and period[0].isdigit() else (period, tuple(Period))
        raise BadValue(
            Code.BAD_LIMIT,
            f"{quote(period)} is not a period",
            f"use {', '.join(CALENDAR)} or rolling 4h",
            near=near,
        )
    found = Period(period)
    if found is Period.ROLLING:
        return Limit(seconds, Period.ROLLING, _rolling(window))
    if window is not None:
        raise BadValue(
            Code.BAD_LIMIT,
            f"{quote(window)} does not belong here",
            f"a limit ends after the period: {per(found, window)}",
        )
    return Limit(seconds, found)


def _rolling(window: str | None) -> float:
    seconds = None if window is None else _seconds(window)
    if not seconds:
        what = "the length of the rolling window is missing"
        if window is not None:
            what = f"{quote(window)} is not a length for a rolling window"
        raise BadValue(Code.BAD_LIMIT, what, "write, for example, 20m per rolling 4h")
    return seconds


def seconds(value: object) -> float:
    """A length of time with its unit, or a plain number of seconds."""
    found = _seconds(value)
    if found is not None:
        return found
    try:
        return number(value)
    except BadValue:
        raise BadValue(
            Code.BAD_DURATION,
            f"{quote(value)} is not a length of time",
            "write, for example, 45s, 3m or a number",
        ) from None


def time_of_day(value: object) -> int:
    """`04:00` as seconds after midnight, 0 … 86,399."""
    found = _time(value)
    if found is None or found >= DAY:
        raise BadValue(Code.BAD_TIME, f"{quote(value)} is not a time of day", 'write it as "04:00"')
    return found


def _time(value: object) -> int | None:
    """Seconds after midnight, up to and including 24:00."""
    match = _TIME.fullmatch(short(value))
    if match is None or int(match[2]) > 59:
        return None
    found = int(match[1]) * 3600 + int(match[2]) * 60
    return found if found <= DAY else None


def between(value: object) -> tuple[int, int]:
    """`12:00-13:30` as seconds after midnight; the end may be 24:00 or lie on the next day."""
    start, dash, end = str(value).replace("–", "-").partition("-")
    pair = (_time(start), _time(end)) if isinstance(value, str) and dash else (None, None)
    if pair[0] is None or pair[1] is None or pair[0] == DAY:
        raise BadValue(
            Code.BAD_TIME, f"{quote(value)} is not a range of times", 'write it as "12:00-13:30"'
        )
    if pair[0] == pair[1]:
        raise BadValue(
            Code.BAD_TIME,
            f"{quote(value)} begins and ends at the same time",
            'the whole day is "00:00-24:00"',
        )
    return pair[0], pair[1]


def days(value: object) -> frozenset[int]:
    """`mon`, `monday` or a range such as `mon-fri` or `sat-mon` (around the weekend); 0 =
    Monday."""
    ends = [part.strip().lower() for part in str(value).replace("–", "-").split("-")]
    for word in ends:
        if not isinstance(value, str) or word not in _DAY_NUMBERS or len(ends) > 2:
            near = (
                (word, tuple(_DAY_NUMBERS)) if isinstance(value, str) and len(ends) == 1 else None
            )
            if isinstance(value, str) and len(ends) == 2:
                near = ("-".join(ends), _DAY_RANGES)
            raise BadValue(
                Code.BAD_DAYS,
                f"{quote(value)} is not a day or a range of days",
                "write mon, mon-fri or [mon, wed, fri]",
                near=near,
            )
    first, last = _DAY_NUMBERS[ends[0]], _DAY_NUMBERS[ends[-1]]
    return frozenset((first + n) % 7 for n in range((last - first) % 7 + 1))


def weekday(value: object) -> int:
    """A day's name as a number, 0 = Monday."""
    word = str(value).strip().lower()
    if word not in _DAY_NUMBERS:
        raise BadValue(
            Code.BAD_DAYS,
            f"{quote(value)} is not a day of the week",
            "write monday",
            near=(word, _DAYS),
        )
    return _DAY_NUMBERS[word]


def dates(value: object) -> tuple[date, date]:
    """`2026-12-24`, or a range `2026-12-24..2027-01-01` whose last day belongs to it."""
    match = _DATES.fullmatch(short(value))
    try:
        ends = [date.fromisoformat(part or match[1]) for part in match.groups()] if match else []
    except ValueError:
        ends = []
    if not ends:
        raise BadValue(
            Code.BAD_DATES,
            f"{quote(value)} is not a date or a range of dates",
            "write 2026-12-24 or 2026-12-24..2027-01-01",
        )
    first, last = ends
    if last < first:
        raise BadValue(
            Code.BAD_DATES, f"{quote(value)} ends before it begins", f"write {last}..{first}"
        )
    return first, last


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})  # differ between machines


def zone(value: object) -> ZoneInfo:
    """A time zone by its IANA name. Zone data is a table that ships with us, so reading it is not
    input."""
    if not isinstance(value, str) or value not in _zones():
        raise BadValue(
            Code.BAD_ZONE,
            f"{quote(value)} is not a time zone",
            "use an IANA name such as Europe/London",
            near=(str(value), _zones()),
        )
    return ZoneInfo(value)
