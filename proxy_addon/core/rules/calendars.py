"""Calendars in rule files: days and hours from dates, public holidays or an ICS file.

`Sources`, implemented in `rules/calendar_sources.py`, reads files and computes holidays: nothing
here reads a file. All of it happens when rules are loaded, never while a request waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import normalise
from proxy_addon.core.ruleset import Calendar, Duty, When
from proxy_addon.core.types import Interval

type Days = tuple[tuple[date, date], ...]  # inclusive ranges

FIRST_YEAR, LAST_YEAR = 2020, 2040  # for which holidays and endless repetitions are worked out
_ONE = timedelta(days=1)


class Event(NamedTuple):
    """One event of an ICS file with all its repetitions. `people`: who takes part, as the file
    names them."""

    people: tuple[str, ...]
    days: Days
    hours: tuple[Interval, ...]


type Feed = tuple[Event, ...]


class Sources(Protocol):
    """Provides calendars. Raises `BadValue` for one that is not available."""

    def holidays(self, country: str, region: str | None, years: tuple[int, int]) -> Days:
        """The public holidays of a country, or of a region of it, in these years (both
        included)."""

    def feed(self, file: str, zone: ZoneInfo) -> Feed:
        """The events of an ICS file of the rules folder; times without a zone are those of
        `zone`."""


def joined(days: Iterable[tuple[date, date]]) -> Days:
    """The same days as ranges that are sorted and do not touch."""
    found: list[tuple[date, date]] = []
    for first, last in sorted(days):
        if found and (found[-1][1] == date.max or first <= found[-1][1] + _ONE):
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return tuple(found)


def union(names: Iterable[str], calendars: Iterable[Calendar]) -> Calendar:
    """All that these calendars hold, as one."""
    parts = tuple(calendars)
    days = joined(range_ for part in parts for range_ in part.days)
    return Calendar(tuple(names), days, normalise(hour for part in parts for hour in part.hours))


def of_feed(feed: Feed) -> Calendar:
    """Every event, whoever takes part."""
    days = joined(range_ for event in feed for range_ in event.days)
    return Calendar((), days, normalise(hour for event in feed for hour in event.hours))


def shifts(feed: Feed, name: str, when: When | None, *, short: bool) -> tuple[Duty, ...]:
    """The duty of each person in a feed; `short`: people sign in without the part after the `@`.

    `when` narrows all of them. `name` is what the feed is called in explanations.
    """
    found: dict[str, list[Event]] = {}
    for event in feed:
        for person in event.people:
            found.setdefault(person.partition("@")[0] if short else person, []).append(event)
    duties = []
    for person, events in found.items():
        calendar = of_feed(tuple(events))
        shift = When(calendar=Calendar((name,), calendar.days, calendar.hours))
        duties.append(Duty((person,), shift if when is None else both(shift, when)))
    return tuple(duties)


def both(shift: When, when: When) -> When:
    """A `When` that holds when both do, each read by itself."""
    return When(calendar=shift.calendar, negated=When(negated=when))


def named(names: Iterable[str], calendars: Mapping[str, Calendar]) -> Calendar:
    """The calendars of these names as one; a name that is not there (its own mistake is reported)
    is empty."""
    wanted = tuple(names)
    return union(wanted, (calendars[name] for name in wanted if name in calendars))
