"""Checks of what rule files say about calendars and duties: `calendars:`, `calendar:`, members with
times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from pydantic import ValidationInfo

from proxy_addon.core.rules import calendars, parsers, time_parsers
from proxy_addon.core.rules.calendars import Feed
from proxy_addon.core.rules.checks import DefinedNames, defined, names_of, placed
from proxy_addon.core.rules.parsers import BadValue, quote
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Calendar

_ITEM = "write a date, {ics: file.ics} or {holidays: GB}"
_HOLIDAY_KEYS = ("holidays", "region", "years")
_YEARS = re.compile(r"(\d{4})(?:\s*(?:-|–|\.\.)\s*(\d{4}))?", re.ASCII)
_EARLIEST_YEAR = 1900
_MOST_YEARS = 100


def known_calendar(name: str, info: ValidationInfo) -> str:
    """The calendar, if it is defined."""
    known = names_of(info).calendars
    if known is not None and name not in known:
        message = f"calendar {quote(name)} is not defined"
        raise BadValue(
            Code.UNKNOWN_CALENDAR, message, defined("calendars", known), near=(name, known)
        )
    return name


def one_or_more(value: object) -> object:
    """The items of a calendar: a date, a block, or a list of them with something in it."""
    if isinstance(value, str | int | Mapping) and not isinstance(value, bool):
        return [value]
    if value is None or value == []:
        raise BadValue(Code.EMPTY_LIST, "the calendar is empty", _ITEM)
    return value


def item(value: object, info: ValidationInfo) -> Calendar:
    """`2026-12-24`, a range, `{ics: file.ics}`, or
    `{holidays: GB, region: ENG, years: 2026-2030}`."""
    if not isinstance(value, Mapping):
        return Calendar((), (time_parsers.dates(value),))
    if "ics" in value:
        _only(value, ("ics",), "a calendar file")
        return calendars.of_feed(placed("ics", lambda: feed(value["ics"], info)))
    if "holidays" not in value:
        _only(value, ("ics", *_HOLIDAY_KEYS), "a calendar")
        raise BadValue(Code.MISSING_KEY, "nothing says where these days come from", _ITEM)
    _only(value, _HOLIDAY_KEYS, "public holidays")
    return _holidays(value, names_of(info))


def _holidays(value: Mapping[str, object], names: DefinedNames) -> Calendar:
    country = placed("holidays", lambda: parsers.name(value["holidays"]))
    region = placed("region", lambda: parsers.name(value["region"])) if "region" in value else None
    years = (
        placed("years", lambda: _years(value["years"])) if "years" in value else _default_years()
    )
    if names.sources is None:
        return Calendar(())
    return Calendar((), names.sources.holidays(country, region, years))


def _default_years() -> tuple[int, int]:
    return calendars.FIRST_YEAR, calendars.LAST_YEAR


def _years(value: object) -> tuple[int, int]:
    match = _YEARS.fullmatch(str(value).strip()[:100]) if isinstance(value, str | int) else None
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if match is None or first < _EARLIEST_YEAR:
        what, hint = "is not a year or a range of years", "write 2026 or 2026-2030"
    elif last < first:
        what, hint = "ends before it begins", f"write {last}-{first}"
    elif last >= first + _MOST_YEARS:
        what, hint = f"is more than {_MOST_YEARS} years", "write fewer, such as 2026-2030"
    else:
        return first, last
    raise BadValue(Code.BAD_DATES, f"{quote(value)} {what}", hint)


def feed(value: object, info: ValidationInfo) -> Feed:
    """The events of an ICS file of the rules folder."""
    file = parsers.name(value)
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or len(path.parts) > 2 or path.suffix != ".ics":
        hint = "write its name in the rules folder, such as shifts.ics or calendars/shifts.ics"
        raise BadValue(
            Code.BAD_CALENDAR, f"{quote(file)} is not a calendar file of the rules folder", hint
        )
    names = names_of(info)
    if names.sources is None or names.zone is None:
        return ()
    return names.sources.feed(str(path), names.zone)


def who(value: object) -> str:
    """What kind of member this is: the tag of its shape."""
    return "[block]" if isinstance(value, Mapping) else "[name]"


def _only(value: Mapping[str, object], keys: tuple[str, ...], what: str) -> None:
    for key in value:
        if key not in keys:
            raise BadValue(
                Code.UNKNOWN_KEY,
                f"{quote(key)} is not a key of {what}",
                f"it has {', '.join(keys)}",
                at=(key,),
                near=(key, keys),
            )
