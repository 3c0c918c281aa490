"""From models to conditions, members and duties."""

from __future__ import annotations

from datetime import date

from proxy_addon.core.rules import conditions
from proxy_addon.core.rules.calendars import Event
from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.models import PolicyModel, RoleModel, WhenModel
from proxy_addon.core.ruleset import Calendar, Duty, When
from tests.core.policies import LONDON, visits

BANK = Calendar(("bank",), ((date(2026, 12, 25), date(2026, 12, 25)),))


class Sources:
    """A world with one file of shifts and one holiday."""

    def holidays(self, country: str, region: str | None, years: tuple[int, int]) -> times_days:
        """Christmas, in one year."""
        return BANK.days

    def feed(self, file: str, zone: object) -> tuple[Event, ...]:
        """Carl works on a Monday."""
        return (Event(("carl@office.example",), (), visits("09:00-17:00")),)


type times_days = tuple[tuple[date, date], ...]
NAMES = DefinedNames(sources=Sources(), zone=LONDON)


def test_a_calendar_is_the_union_of_its_items() -> None:
    """A date, a holiday and a file."""
    items = ["2026-12-24", {"holidays": "GB"}, {"ics": "s.ics"}]
    data = {"version": 1, "timezone": "UTC", "calendars": {"closed": items}}
    found = conditions.calendars(PolicyModel.model_validate(data, context=NAMES))
    assert found == {
        "closed": Calendar(
            ("closed",), ((date(2026, 12, 24), date(2026, 12, 25)),), visits("09:00-17:00")
        )
    }


def test_a_condition_carries_its_calendars() -> None:
    """Also the one in its `not`."""
    model = WhenModel.model_validate({"days": "mon", "not": {"calendar": "bank"}})
    found = conditions.when_of(model, {"bank": BANK})
    assert found == When(days=frozenset({0}), negated=When(calendar=BANK))


def test_members_with_and_without_times() -> None:
    """A user in a block without times is a member like any other."""
    data = [
        "maria",
        {"user": "carl", "when": {"days": "sun"}},
        {"user": "cora"},
        {"ics": "s.ics", "names": "short"},
    ]
    role = RoleModel.model_validate({"members": data}, context=NAMES)
    assert conditions.members(role) == ("maria", "cora")
    on_sundays, shift = conditions.duties(role, {})
    assert on_sundays == Duty(("carl",), When(days=frozenset({6})))
    assert shift == Duty(
        ("carl",), When(calendar=Calendar(("the shifts",), (), visits("09:00-17:00")))
    )
