"""What the visit tracker remembers of one person on one platform, and the values that change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from proxy_addon.core.metering import long_polling, polling, timeline
from proxy_addon.core.metering.activity import Judgement, PageMemory
from proxy_addon.core.metering.pieces import Pieces
from proxy_addon.core.metering.timeline import Timeline
from proxy_addon.core.policy.engine import Engine
from proxy_addon.core.types import Person, Target, Visit
from proxy_addon.metering.time_left import TimeLeft


class Load(NamedTuple):
    """One judged activity: where, when, by which endpoint, and whether it leads a burst."""

    target: Target
    at: float
    until: float
    judgement: Judgement
    key: str
    leads: bool = True
    certain: bool = False  # a person did this, so it is not periodic
    weak: bool = False  # a small answer to a script, nothing to look at
    size: int = 0  # bytes of the answer, 0 = not known
    may_be_novel: bool = True  # an endpoint that is asked first is a sign of a person


class RulesPeriod(NamedTuple):
    """Rules that were in force until the instant `until`, and the roles that addresses gave to
    people then."""

    until: float
    engine: Engine
    forced: Mapping[str, tuple[str, ...]]

    def person(self, name: str, at: float) -> Person:
        """Somebody as the rules of that time knew them."""
        roles = self.forced.get(name)
        return self.engine.person(name, at) if roles is None else Person(name, roles)


class PlatformState:
    """What is remembered of one person on one platform."""

    __slots__ = ("long_polling", "pages", "pieces", "polling", "rows", "time_left", "timeline")

    def __init__(self) -> None:
        self.pages = PageMemory()
        self.pieces: Pieces = ()
        self.polling = polling.EMPTY
        self.long_polling = long_polling.NONE
        self.timeline: Timeline = timeline.EMPTY
        self.rows: dict[int, list[Visit]] = {}
        self.time_left: TimeLeft | None = None  # when a balance was computed last
