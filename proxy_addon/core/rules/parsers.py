"""The small languages inside rule files: lengths of time, limits, clock times, days, dates, addresses, hosts.

A parser takes plain data and gives the typed value, or raises `BadValue` with a code, a sentence and a
way out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from zoneinfo import ZoneInfo, available_timezones

from proxy_addon.core.hosts import normalise
from proxy_addon.core.period_table import CALENDAR
from proxy_addon.core.rules.documents import Path
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Limit, Period

type Network = IPv4Network | IPv6Network

DAY = 86_400
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NUMBERS = {name: n for n, day in enumerate(_DAYS) for name in (day, day[:3])}
_DAY_RANGES = tuple(f"{first}-{last}" for first in _DAY_NUMBERS for last in _DAY_NUMBERS)
_PART = r"(?:(\d{1,6}(?:\.\d{1,3})?)%s)?"
_DURATION = re.compile(r"\s*".join(_PART % unit for unit in "dhms"), re.ASCII)
_UNITS = (86_400.0, 3600.0, 60.0, 1.0)
_LIMIT = re.compile(r"(.+?)\s+per\s+(\S+)(?:\s+(.+))?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_DATES = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:(?:\s*\.\.\s*|\s+[-–]\s+)(\d{4}-\d{2}-\d{2}))?", re.ASCII
)
_MEANT_BY = dict.fromkeys(("on", "yes", "y", "1"), "true") | dict.fromkeys(
    ("off", "no", "n", "0"), "false"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_HOST = re.compile(r"(?:[\w*-]+\.)+[\w-]+")


class BadValue(ValueError):
    """A value that cannot be read. `at` leads from the value to the part that is wrong.

    `near` is a misspelt name with the names it could have been, for a "did you mean".
    """

    def __init__(
        self,
        code: Code,
        message: str,
        hint: str = "",
        *,
        at: Path = (),
        near: tuple[str, Collection[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.at, self.near = code, message, hint, at, near


def quote(value: object) -> str:
    """A value as messages show it: in double quotes, short, on one line, nothing a terminal would obey.

    What is no single value is named, not printed.
    """
    if value is None or isinstance(value, Mapping | list | tuple):
        return kind(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return f'"{text[:59]}…"' if len(text) > 60 else f'"{text}"'


def kind(value: object) -> str:
    """What a value is, in the words of a person who writes YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, Mapping):
        return "a block of keys"
    if isinstance(value, list | tuple):
        return "a list"
    return "a number" if isinstance(value, int | float) else "text"


def _short(value: object) -> str:
    """A text of at most 100 characters, else "": what is longer is none of these, and may be slow to tell."""
    return value.strip() if isinstance(value, str) and len(value) <= 100 else ""


def text(value: object) -> str:
    """A name or a sentence; numbers are names as well (an employee's number)."""
    if isinstance(value, bool):
        raise BadValue(
            Code.WRONG_TYPE,
            f"{quote(value)} means yes or no here, not a name",
            "put it in quotes if it is one",
        )
    if not isinstance(value, str | int):
        raise BadValue(Code.WRONG_TYPE, f"a text belongs here, not {kind(value)}")
    stripped = str(value).strip()
    if not stripped:
        raise BadValue(Code.EMPTY_TEXT, "the text is empty", "fill it in, or leave the key out")
    if _CONTROL.search(stripped):
        raise BadValue(Code.BAD_CHARACTER, f"{quote(stripped)} holds a control character")
    return stripped


def name(value: object) -> str:
    """A name of a person, role, rule or allowance: one line, at most 200 characters."""
    word = text(value)
    if len(word) > 200 or not word.isprintable():
        raise BadValue(
            Code.BAD_NAME, f"{quote(word)} is no name", "a name is one line of up to 200 characters"
        )
    return word


def slug(value: object) -> str:
    """A name of a platform, section or group: lower-case letters, digits, `-`, `_` and `.`."""
    word = text(value)
    if len(word) > 60 or not _SLUG.fullmatch(word):
        raise BadValue(
            Code.BAD_NAME,
            f"{quote(word)} is no name here",
            "use lower-case letters, digits and hyphens",
        )
    return word


def flag(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        meant = _MEANT_BY.get(str(value).lower(), "true or false")
        raise BadValue(
            Code.WRONG_TYPE, f"{quote(value)} is neither true nor false", f"write {meant}"
        )
    return value


def version(value: object) -> int:
    """The version of the rule language: 1."""
    if isinstance(value, bool) or value != 1:
        raise BadValue(
            Code.BAD_VERSION, f"{quote(value)} is no version that we know", "write version: 1"
        )
    return 1


def duration(value: object) -> float:
    """`90s`, `15m`, `1h30m`, `90d` in seconds; zero needs no unit."""
    seconds = _seconds(value)
    if seconds is None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        what = "has no unit" if number else "is no length of time"
        raise BadValue(
            Code.BAD_DURATION, f"{quote(value)} {what}", "write for example 90s, 15m or 1h30m"
        )
    return seconds


def retention(value: object) -> float:
    """A length of time that is not nothing, in seconds."""
    seconds = duration(value)
    if seconds <= 0:
        raise BadValue(
            Code.BAD_DURATION,
            "nothing would be kept, not even today's minutes",
            "write for example 90d",
        )
    return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return 0.0 if value == 0 else None
    word = _short(value)
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
    match = _LIMIT.fullmatch(_short(value))
    if match is None:
        raise BadValue(
            Code.BAD_LIMIT, f"{quote(value)} is no limit", "write for example 15m per day"
        )
    length, period, window = match.groups()
    seconds = _seconds(length)
    if seconds is None:
        raise BadValue(
            Code.BAD_LIMIT,
            f"{quote(length)} is no length of time",
            "write for example 90s, 15m or 1h30m",
        )
    if period not in tuple(Period):
        near = None if "m" in period and period[0].isdigit() else (period, tuple(Period))
        raise BadValue(
            Code.BAD_LIMIT,
            f"{quote(period)} is no period",
            f"use {', '.join(CALENDAR)} or rolling 4h",
            near=near,
        )
    if period == Period.ROLLING:
        return Limit(seconds, Period.ROLLING, _rolling(window))
    if window is not None:
        raise BadValue(
            Code.BAD_LIMIT,
            f"{quote(window)} is too much here",
            f"a limit ends after the period: per {period}",
        )
    return Limit(seconds, Period(period))


def _rolling(window: str | None) -> float:
    seconds = None if window is None else _seconds(window)
    if not seconds:
        what = "the length of the rolling window is missing"
        if window is not None:
            what = f"{quote(window)} is no length for a rolling window"
        raise BadValue(Code.BAD_LIMIT, what, "write for example 20m per rolling 4h")
    return seconds


def number(value: object) -> float:
    """A finite number, zero or more."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or found < 0:
        raise BadValue(Code.BAD_NUMBER, f"{quote(value)} is no number of zero or more")
    return found


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
            f"{quote(value)} is no length of time",
            "write for example 45s, 3m or a number",
        ) from None


def time_of_day(value: object) -> int:
    """`04:00` as seconds after midnight, 0 … 86,399."""
    found = _time(value)
    if found is None or found >= DAY:
        raise BadValue(Code.BAD_TIME, f"{quote(value)} is no time of day", 'write it as "04:00"')
    return found


def _time(value: object) -> int | None:
    """Seconds after midnight, up to and including 24:00."""
    match = _TIME.fullmatch(_short(value))
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
            Code.BAD_TIME, f"{quote(value)} is no stretch of the day", 'write it as "12:00-13:30"'
        )
    if pair[0] == pair[1]:
        raise BadValue(
            Code.BAD_TIME,
            f"{quote(value)} begins and ends at once",
            'the whole day is "00:00-24:00"',
        )
    return pair[0], pair[1]


def days(value: object) -> frozenset[int]:
    """`mon`, `monday` or a range such as `mon-fri` or `sat-mon` (around the weekend); 0 = Monday."""
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
                f"{quote(value)} is no day or range of days",
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
            f"{quote(value)} is no day of the week",
            "write monday",
            near=(word, _DAYS),
        )
    return _DAY_NUMBERS[word]


def dates(value: object) -> tuple[date, date]:
    """`2026-12-24`, or a range `2026-12-24..2027-01-01` whose last day belongs to it."""
    match = _DATES.fullmatch(_short(value))
    try:
        ends = [date.fromisoformat(part or match[1]) for part in match.groups()] if match else []
    except ValueError:
        ends = []
    if not ends:
        raise BadValue(
            Code.BAD_DATES,
            f"{quote(value)} is no date or range of dates",
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
    """A time zone by its IANA name. Zone data is a table that ships with us, so reading it is no input."""
    if not isinstance(value, str) or value not in _zones():
        raise BadValue(
            Code.BAD_ZONE,
            f"{quote(value)} is no time zone",
            "use an IANA name such as Europe/London",
            near=(str(value), _zones()),
        )
    return ZoneInfo(value)


def network(value: object) -> Network:
    """An address or a network, IPv4 or IPv6."""
    word = str(value).strip()
    try:
        return ip_network(word)
    except ValueError:
        pass
    try:
        right = ip_network(word, strict=False)
    except ValueError:
        raise BadValue(
            Code.BAD_ADDRESS,
            f"{quote(value)} is no address or network",
            "write 10.0.7.21 or 10.0.8.0/24",
        ) from None
    raise BadValue(
        Code.BAD_ADDRESS, f"{quote(value)} has bits set behind its prefix", f"write {right}"
    )


def host(value: object) -> str:
    """`x.com` (the name and all below it), `=x.com` (that name alone), a star inside a label."""
    word = text(value)
    if not _is_host(word):
        raise BadValue(Code.BAD_HOST, f"{quote(word)} is no host", _host_hint(word))
    return word


def _is_host(word: str) -> bool:
    bare = word.removeprefix("=").removeprefix("*.").rstrip(".")
    return bool(_HOST.fullmatch(bare)) and bool(normalise(bare))


def _host_hint(word: str) -> str:
    bare = re.sub(r"^[a-z]+://", "", word).partition("/")[0]
    if bare != word and _is_host(bare):
        return f"write {bare}"
    return "write example.com for the name and all below it, or =example.com for that name alone"


def path(value: object) -> str:
    """A path pattern such as `/learning/*`, or one behind a host (`mp.weixin.qq.com/s/*`)."""
    word = text(value)
    if not _is_evidence(word) or not ("/" in word or word.startswith("*")):
        raise BadValue(
            Code.BAD_PATH, f"{quote(word)} is no path", "a path begins with / or *: /learning/*"
        )
    return word


def evidence(value: object) -> str:
    """A host, a path, or a host with a path behind it (`=t.co/i/adsct*`)."""
    word = text(value)
    if not _is_evidence(word):
        raise BadValue(
            Code.BAD_PATH,
            f"{quote(word)} is no host or path",
            "write example.com, /embed/* or example.com/embed/*",
        )
    return word


def _is_evidence(word: str) -> bool:
    before, slash, _ = word.partition("/")
    if "://" in word or any(map(str.isspace, word)):
        return False
    if not slash and len(word) > 1 and word.startswith("*") and "." not in word:
        return True
    return _is_host(before) or (bool(slash) and before in ("", "*"))
