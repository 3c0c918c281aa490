"""What a simulation found, for each person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from proxy_addon.core.intervals import Intervals, measure, unions
from proxy_addon.core.types import Activity, Interval, Visit
from proxy_addon.presentation.durations import iso


@dataclass(slots=True)
class EstimatedTunnels:
    """Tunnels of which nothing but their bytes tells how long they were in use: how many, for how
    many seconds they count, and how many they were open as far as that is known."""

    number: int = 0
    used: float = 0.0
    open: float = 0.0

    def add(self, used: float, seconds: float) -> None:
        """One more."""
        self.number += 1
        self.used += used
        self.open += seconds


@dataclass(slots=True)
class PersonResult:
    """One person: visits by id (newest revision), what cost nothing, what was blocked, what ran out
    when, and which tunnels are estimated."""

    visits: dict[str, Visit] = field(default_factory=dict)
    ignored: dict[Activity, int] = field(default_factory=dict)
    blocked: int = 0
    exhausted: dict[str, float] = field(default_factory=dict)
    estimated: EstimatedTunnels = field(default_factory=EstimatedTunnels)

    def by_platform(self) -> dict[str, Intervals]:
        """The union of visits for each platform."""
        return self._unions(lambda visit: visit.platform)

    def by_allowance(self) -> dict[str, Intervals]:
        """The union of visits for each allowance; free time has none."""
        return self._unions(lambda visit: visit.allowance)

    def _unions(self, key: Callable[[Visit], str | None]) -> dict[str, Intervals]:
        found = unions(
            (name, Interval(visit.start, visit.end))
            for visit in self.visits.values()
            if (name := key(visit)) is not None and visit.end > visit.start
        )
        return dict(sorted(found.items()))


@dataclass(slots=True)
class Result:
    """Everybody, by name."""

    users: dict[str, PersonResult] = field(default_factory=dict)

    def of(self, user: str) -> PersonResult:
        """The result of one person, made on first sight."""
        found = self.users.get(user)
        if found is None:
            found = self.users[user] = PersonResult()
        return found

    def to_json(self, zone: ZoneInfo) -> dict[str, Any]:
        """The form of docs/metering.md: seconds, ISO instants in `zone`."""
        return {"users": {name: _person(self.users[name], zone) for name in sorted(self.users)}}


def _person(person: PersonResult, zone: ZoneInfo) -> dict[str, Any]:
    allowances: dict[str, dict[str, Any]] = {
        name: {"spent": round(measure(union), 3), "exhausted_at": None}
        for name, union in person.by_allowance().items()
    }
    for name, at in sorted(person.exhausted.items()):
        allowances.setdefault(name, {"spent": 0.0, "exhausted_at": None})["exhausted_at"] = iso(
            at, zone
        )
    visits = sorted(
        (v for v in person.visits.values() if v.end > v.start), key=lambda v: (v.start, v.id)
    )
    form: dict[str, Any] = {
        "platforms": {
            name: round(measure(union), 3) for name, union in person.by_platform().items()
        },
        "allowances": allowances,
        "visits": [_visit(visit, zone) for visit in visits],
        "ignored": {
            activity.value: person.ignored.get(activity, 0)
            for activity in (Activity.EMBED, Activity.BACKGROUND, Activity.PREFETCH)
        },
        "blocked": person.blocked,
    }
    if (tunnels := person.estimated).number:
        form["estimated"] = {
            "tunnels": tunnels.number,
            "used": round(tunnels.used, 3),
            "open": round(tunnels.open, 3),
        }
    return form


def _visit(visit: Visit, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "platform": visit.platform,
        "allowance": visit.allowance,
        "rule": visit.rule,
        "start": iso(visit.start, zone),
        "end": iso(visit.end, zone),
    }
