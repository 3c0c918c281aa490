"""Sittings: what a person would call one use. Spans as in `day.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.traces.day import Span, Spans, common, union

JOINED: Final = 60.0  # seconds; two stretches of attention that are closer are one sitting
SHORTEST: Final = 180.0  # seconds; what is shorter is a glance
HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sitting:
    """A stretch of attention. `true` leaves the pauses inside out; `charged` is what was charged
    between its start and its end; seconds."""

    span: Span
    true: float
    charged: float

    @property
    def below_half(self) -> bool:
        """Whether more than half of it was not charged."""
        return self.charged < HALF * self.true


def sittings(
    truth: Spans, charged: Spans, joined: float = JOINED, shortest: float = SHORTEST
) -> list[Sitting]:
    """The sittings of at least `shortest` seconds, oldest first; stretches closer than `joined`
    seconds are one."""
    truth = union(truth)
    groups: list[Spans] = []
    for span in truth:
        if groups and span[0] - groups[-1][-1][1] < joined:
            groups[-1].append(span)
        else:
            groups.append([span])
    found = []
    for group in groups:
        whole = (group[0][0], group[-1][1])
        if whole[1] - whole[0] >= shortest:
            true = sum(end - start for start, end in group)
            found.append(Sitting(whole, true, common([whole], union(charged))))
    return found
