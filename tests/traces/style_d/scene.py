"""A day in the making: its person, its wire, the truth so far."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.traces.day import Span, Times
from tests.traces.style_d.people import Person, person
from tests.traces.style_d.wire import Wire

MONDAY = 1_793_606_400.0
HOURS = 8.0
HOUR = 3600.0


@dataclass(slots=True)
class Scene:
    """One person's day; `start` and `end` bound all events and all truth."""

    rng: random.Random
    user: str
    start: float
    end: float
    person: Person
    wire: Wire
    truth: Times = field(default_factory=dict)

    def attend(self, platform: str, span: Span) -> None:
        """The person looks at the platform during this."""
        start, end = max(span[0], self.start), min(span[1], self.end)
        if end > start:
            self.truth.setdefault(self.user, {}).setdefault(platform, []).append((start, end))

    @property
    def day(self) -> Span:
        """Minutes at both ends are left free."""
        return self.start + 120.0, self.end - 240.0


def scene(rng: random.Random) -> Scene:
    """A working day of eight hours on one of many days."""
    start = MONDAY + 86_400.0 * rng.randrange(400) + 8 * HOUR + rng.uniform(0, 2 * HOUR)
    user = rng.choice(("nele", "omar", "pia", "quirin", "rosa", "sven", "tara", "ugo"))
    speed = 10 ** rng.uniform(6.0, 7.3)  # 8 to 160 Mbit/s
    return Scene(rng, user, start, start + HOURS * HOUR, person(rng), Wire(rng, user, speed=speed))
