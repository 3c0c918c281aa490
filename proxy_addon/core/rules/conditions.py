"""From models to values for what depends on the time: conditions, calendars, and who is on duty
when."""

from __future__ import annotations

from collections.abc import Mapping

from proxy_addon.core.rules.calendars import named, shifts, union
from proxy_addon.core.rules.models import DutyModel, PolicyModel, RoleModel, WhenModel
from proxy_addon.core.ruleset import Calendar, Duty, When

type Known = Mapping[str, Calendar]

SHIFTS = "the shifts"  # what explanations call a file of shifts; no calendar can have this name


def calendars(policy: PolicyModel) -> Known:
    """Every calendar of the policy with all its days and hours."""
    return {name: union((name,), items) for name, items in policy.calendars.items()}


def when_of(model: WhenModel, known: Known) -> When:
    """A condition with its calendars in it."""
    return When(
        days=None if model.days is None else frozenset().union(*model.days),
        between=tuple(model.between or ()),
        dates=tuple(model.dates or ()),
        negated=None if model.not_ is None else when_of(model.not_, known),
        calendar=None if model.calendar is None else named(model.calendar, known),
    )


def members(role: RoleModel) -> tuple[str, ...]:
    """Who always has the role."""
    found = []
    for member in role.members:
        if isinstance(member, str):
            found.append(member)
        elif member.user is not None and member.when is None:
            found.append(member.user)
    return tuple(found)


def duties(role: RoleModel, known: Known) -> tuple[Duty, ...]:
    """Who has the role at times."""
    found: list[Duty] = []
    for member in role.members:
        if isinstance(member, DutyModel):
            found.extend(_duties(member, known))
    return tuple(found)


def _duties(member: DutyModel, known: Known) -> tuple[Duty, ...]:
    when = None if member.when is None else when_of(member.when, known)
    if member.ics is not None:
        return shifts(member.ics, SHIFTS, when, short=member.names == "short")
    if member.user is None or when is None:
        return ()
    return (Duty((member.user,), when),)
