"""What rule files may say about calendars."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from proxy_addon.core.rules import calendar_checks
from proxy_addon.core.rules.calendars import FIRST_YEAR, LAST_YEAR
from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.parsers import BadValue
from proxy_addon.core.rules.problems import Code
from proxy_addon.core.ruleset import Calendar
from tests.core.policies import LONDON


class Sources:
    """Keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def holidays(self, *asked: Any) -> Any:
        """No day is one."""
        self.asked.append(asked)
        return ()

    def feed(self, *asked: Any) -> Any:
        """Nothing happens."""
        self.asked.append(asked)
        return ()


def item(value: object, sources: Sources | None = None) -> Calendar:
    """An item of a calendar, read with these sources."""
    names = DefinedNames(sources=sources or Sources(), zone=LONDON, calendars=frozenset({"bank"}))
    return calendar_checks.item(value, SimpleNamespace(context=names))  # type: ignore[arg-type]


def test_a_date_or_a_range() -> None:
    """The same words as in `dates`."""
    assert item("2026-12-24..2026-12-26").days == ((date(2026, 12, 24), date(2026, 12, 26)),)


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ({"holidays": "GB"}, ("GB", None, (FIRST_YEAR, LAST_YEAR))),
        ({"holidays": "GB", "region": "ENG", "years": 2026}, ("GB", "ENG", (2026, 2026))),
        ({"holidays": "DE", "years": "2026-2030"}, ("DE", None, (2026, 2030))),
        ({"ics": "calendars/fair.ics"}, ("calendars/fair.ics", LONDON)),
    ],
    ids=str,
)
def test_the_sources_are_asked(value: object, asked: object) -> None:
    """For holidays with country, region and years; for a file with the zone of the office."""
    sources = Sources()
    item(value, sources)
    assert sources.asked == [asked]


@pytest.mark.parametrize(
    ("value", "code", "at"),
    [
        ("soon", Code.BAD_DATES, ()),
        ({}, Code.MISSING_KEY, ()),
        ({"holidays": "GB", "years": "2030-2026"}, Code.BAD_DATES, ("years",)),
        ({"holidays": "GB", "years": "1800"}, Code.BAD_DATES, ("years",)),
        ({"holidays": "GB", "years": "1900-2026"}, Code.BAD_DATES, ("years",)),
        ({"holidays": ["GB"]}, Code.WRONG_TYPE, ("holidays",)),
        ({"holidays": "GB", "state": "ENG"}, Code.UNKNOWN_KEY, ("state",)),
        ({"ics": "/etc/fair.ics"}, Code.BAD_CALENDAR, ("ics",)),
        ({"ics": "../fair.ics"}, Code.BAD_CALENDAR, ("ics",)),
        ({"ics": "a/b/fair.ics"}, Code.BAD_CALENDAR, ("ics",)),
        ({"ics": "fair.txt"}, Code.BAD_CALENDAR, ("ics",)),
    ],
    ids=str,
)
def test_mistakes_stand_where_they_are(value: object, code: Code, at: tuple[str, ...]) -> None:
    """The key, if one is wrong."""
    with pytest.raises(BadValue) as caught:
        item(value)
    assert (caught.value.code, caught.value.at) == (code, at)


def test_without_sources_calendars_are_empty() -> None:
    """A folder with a broken file is not asked about the rest."""
    nothing = SimpleNamespace(context=DefinedNames())
    assert calendar_checks.item({"holidays": "XX"}, nothing) == Calendar(())  # type: ignore[arg-type]
    assert calendar_checks.item({"ics": "gone.ics"}, nothing) == Calendar(())  # type: ignore[arg-type]
    assert calendar_checks.known_calendar("any", nothing) == "any"  # type: ignore[arg-type]
