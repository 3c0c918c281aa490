"""ICS files (RFC 5545): the events that calendars and duty rotas are made of.

Loaded only when rules name such a file (`calendar_sources.py`). Repetitions are worked out on the
clock on the wall, so a shift from 22:00 to 06:00 is one on every day, and up to the end of
`LAST_YEAR`. Only repetitions that calendar programs write are accepted: what is not accepted could
take very long to work out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar

from proxy_addon.core.intervals import normalise
from proxy_addon.core.rules import calendars
from proxy_addon.core.rules.parsers import BadValue, quote
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.types import Interval

MAX_OCCURRENCES = 20_000  # of one file
_MAX_RARE = 20  # repetitions of one file that may seldom or never occur
_LONGEST = timedelta(days=366)
_PARTS: Mapping[str, frozenset[str]] = {
    "DAILY": frozenset({"BYDAY"}),
    "WEEKLY": frozenset({"BYDAY"}),
    "MONTHLY": frozenset({"BYDAY", "BYMONTHDAY", "BYSETPOS"}),
    "YEARLY": frozenset({"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"}),
}
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)", re.IGNORECASE)
_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # the most days that each may have
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
_END = datetime(calendars.LAST_YEAR, 12, 31, 23, 59, 59)  # noqa: DTZ001 (a time on the wall)


def read(content: bytes, file: str, zone: ZoneInfo) -> calendars.Feed:
    """All events of a file. Times without a zone are those of `zone`. Raises BadValue."""
    try:
        return _File(file, zone).events(content)
    except BadValue:
        raise
    except Exception as error:  # the library tells what it cannot read in many ways
        raise _refused(
            file, "is not in the ICS format", "export it again from your calendar program"
        ) from error


class _File:
    def __init__(self, name: str, zone: ZoneInfo) -> None:
        self._name = name
        self._zone = zone
        self._count = 0
        self._rare = 0

    def events(self, content: bytes) -> calendars.Feed:
        """Every event that is not cancelled, in file order."""
        parsed = Calendar.from_ical(content, multiple=True)
        components: list[Any] = [event for calendar in parsed for event in calendar.walk("VEVENT")]
        if not components and not parsed:
            raise _refused(
                self._name, "is not in the ICS format", "export it again from your calendar program"
            )
        moved = {
            (str(event.get("UID", "")), _wall(event["RECURRENCE-ID"].dt, self._zone)[0])
            for event in components
            if "RECURRENCE-ID" in event
        }
        return tuple(
            found for event in components if (found := self._event(event, moved)) is not None
        )

    def _event(self, event: Any, moved: set[tuple[str, datetime]]) -> calendars.Event | None:
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or "DTSTART" not in event:
            return None
        whole_days = not isinstance(event["DTSTART"].dt, datetime)
        start, zone = _wall(event["DTSTART"].dt, self._zone)
        length = _length(event, start, zone, whole_days)
        if not timedelta(0) < length <= _LONGEST:
            return None
        uid = str(event.get("UID", ""))
        gone = _listed(event, "EXDATE", zone) | {at for other, at in moved if other == uid}
        own = start in gone and "RECURRENCE-ID" not in event
        starts = [
            at
            for at in self._starts(event, start, zone)
            if at not in gone or (at == start and not own)
        ]
        if whole_days:
            last = length - timedelta(days=1)
            days = calendars.joined((at.date(), (at + last).date()) for at in starts)
            return calendars.Event(_people(event), days, ())
        hours = normalise(
            Interval(_instant(at, zone), _instant(at + length, zone)) for at in starts
        )
        return calendars.Event(_people(event), (), hours)

    def _starts(self, event: Any, start: datetime, zone: tzinfo) -> list[datetime]:
        """Every beginning, on the wall of `zone`."""
        rules = event.get("RRULE", [])
        starts = {start} | _listed(event, "RDATE", zone)
        for rule in rules if isinstance(rules, list) else [rules]:
            starts.update(self._repeated(rule, start, zone))
        self._count += len(starts)
        if self._count > MAX_OCCURRENCES:
            message = (
                f"has more than {MAX_OCCURRENCES:,} events by the end of {calendars.LAST_YEAR}"
            )
            raise _refused(self._name, message, "give events that repeat an end")
        return sorted(starts)

    def _repeated(self, rule: Any, start: datetime, zone: tzinfo) -> Iterator[datetime]:
        parts = {key.upper(): value for key, value in rule.items()}
        if not _comes_true(parts):
            text = rule.to_ical().decode("utf-8", "replace")
            raise _refused(
                self._name,
                f"repeats an event as {quote(text)}, which is not supported",
                "write it out",
            )
        self._rare += _is_rare(parts)
        if self._rare > _MAX_RARE:
            raise _refused(
                self._name, "has too many events that repeat in unusual ways", "write them out"
            )
        until = min([_END, *(_wall(at, zone, zone)[0] for at in parts.get("UNTIL", []))])
        plain = type(rule)({**rule, "UNTIL": [until]})
        plain.pop("COUNT", None)
        count = min([MAX_OCCURRENCES + 1, *map(int, parts.get("COUNT", []))])
        return islice(iter(rrulestr(plain.to_ical().decode(), dtstart=start)), count)


def _comes_true(parts: Mapping[str, Any]) -> bool:
    """True for a repetition that is sure to come true now and then.

    The library would look for one that never does (30 February) up to the year 9999.
    """
    frequency = _frequency(parts)
    by = parts.keys() - _ALWAYS
    if frequency not in _PARTS or not by <= _PARTS[frequency] or not 1 <= _interval(parts) <= 1000:
        return False
    ordinals = _ordinals(parts)
    if ordinals is None or (frequency in ("DAILY", "WEEKLY") and any(ordinals)):
        return False
    if frequency == "DAILY":
        return not by or _interval(parts) == 1
    if "BYSETPOS" in by and (
        "BYDAY" not in by or "BYMONTHDAY" in by or not _within(parts, "BYSETPOS", 4)
    ):
        return False
    if "BYMONTHDAY" in by and (any(ordinals) or not _some_day(parts)):
        return False
    return all(abs(n) <= 5 for n in ordinals) and _within(parts, "BYMONTH", 12)


def _is_rare(parts: Mapping[str, Any]) -> bool:
    """True for one that may need a search over many years, or may never occur."""
    ordinals = _ordinals(parts) or ()
    late = not _within(parts, "BYMONTHDAY", 28) or any(abs(n) > 4 for n in ordinals)
    return _interval(parts) > 1 and late


def _frequency(parts: Mapping[str, Any]) -> str:
    return str(parts.get("FREQ", [""])[0]).upper()


def _interval(parts: Mapping[str, Any]) -> int:
    return int(parts.get("INTERVAL", [1])[0])


def _ordinals(parts: Mapping[str, Any]) -> list[int] | None:
    """Of `2TU` the 2, of `TU` 0; None where something is not a day of the week."""
    matches = [_WEEKDAY.fullmatch(str(day)) for day in parts.get("BYDAY", [])]
    found = [int(match[1] or 0) for match in matches if match is not None]
    return found if len(found) == len(matches) else None


def _within(parts: Mapping[str, Any], name: str, most: int) -> bool:
    return all(0 < abs(int(number)) <= most for number in parts.get(name, []))


def _some_day(parts: Mapping[str, Any]) -> bool:
    """True when some month has one of these days."""
    months = [int(month) for month in parts.get("BYMONTH", range(1, 13))]
    if not all(1 <= month <= 12 for month in months):
        return False
    most = max(_MONTHS[month - 1] for month in months)
    return any(0 < abs(int(day)) <= most for day in parts.get("BYMONTHDAY", []))


def _length(event: Any, start: datetime, zone: tzinfo, whole_days: bool) -> timedelta:
    """How long an event is, on the wall."""
    if "DTEND" in event:
        return _wall(event["DTEND"].dt, zone, zone)[0] - start
    if "DURATION" in event:
        length: timedelta = event["DURATION"].dt
        return length
    return timedelta(days=1) if whole_days else timedelta(0)


def _listed(event: Any, name: str, zone: tzinfo) -> set[datetime]:
    """The instants of EXDATE or RDATE on the wall of `zone`."""
    found = event.get(name, [])
    lists = found if isinstance(found, list) else [found]
    moments = (each.dt for dates in lists for each in dates.dts)
    return {_wall(at[0] if isinstance(at, tuple) else at, zone, zone)[0] for at in moments}


def _people(event: Any) -> tuple[str, ...]:
    """Who takes part: those invited who did not decline, else the names in the summary."""
    invited = event.get("ATTENDEE", [])
    people = [
        str(each).strip().removeprefix("mailto:").removeprefix("MAILTO:")
        for each in (invited if isinstance(invited, list) else [invited])
        if str(getattr(each, "params", {}).get("PARTSTAT", "")).upper() != "DECLINED"
    ]
    if not invited:
        people = [name.strip() for name in str(event.get("SUMMARY", "")).split(",")]
    return tuple(
        dict.fromkeys(name for name in people if name and name.isprintable() and len(name) <= 200)
    )


def _wall(moment: date, zone: tzinfo, into: tzinfo | None = None) -> tuple[datetime, tzinfo]:
    """What the clock shows, and the zone of that clock: its own, `into`, or `zone` where it has
    none."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time()), zone
    if moment.tzinfo is None:
        return moment, zone
    if into is not None:
        return moment.astimezone(into).replace(tzinfo=None), into
    if moment.tzinfo in (UTC,):
        return moment.astimezone(zone).replace(tzinfo=None), zone
    return moment.replace(tzinfo=None), moment.tzinfo


def _instant(wall: datetime, zone: tzinfo) -> float:
    return float(int(wall.replace(tzinfo=zone).timestamp()))


def _refused(file: str, what: str, hint: str) -> BadValue:
    return BadValue(Code.BAD_CALENDAR, f"the calendar file {quote(file)} {what}", hint)
