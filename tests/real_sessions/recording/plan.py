"""When a person is there and when not: drawn from the seed, so that the same seed plans the same
day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

WHOLE_MINUTES = 16.0  # what the lengths below are for; other sessions are scaled


class Away(Enum):
    """What becomes of the tab when somebody leaves."""

    HIDDEN = "another tab in front"
    VISIBLE = "left open and visible"
    ASLEEP = "the laptop sleeps"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds of use, then seconds away. `glance`: somebody only looks."""

    use: float
    away: float
    how: Away
    glance: bool = False


def plan(random: Random, minutes: float, ways: tuple[Away, ...]) -> list[Stretch]:
    """Two or three stretches of use that differ in length, with each way of leaving at least once
    among the first ones; the last absence lasts to the end."""
    whole = minutes * 60
    scale = minutes / WHOLE_MINUTES
    order = list(ways)
    random.shuffle(order)
    stretches: list[Stretch] = []
    used = 0.0
    for number, (least, most) in enumerate(((130, 240), (70, 150), (60, 120))):
        # Some come back only to look; a look is short, however long the session.
        glance = number == 2 and random.random() < 0.5
        use = random.uniform(20, 40) if glance else scale * random.uniform(least, most)
        away = scale * random.uniform(180, 280)
        stretches.append(Stretch(use, away, order[number % len(order)], glance))
        used += use + away
        if used > whole - scale * 200:
            break
    last = stretches[-1]
    rest = max(scale * 60, whole - used + last.away)
    stretches[-1] = Stretch(last.use, rest, last.how, last.glance)
    return stretches
