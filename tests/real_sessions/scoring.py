"""How far what was charged is from the attention: by person, sitting, family and in all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.real_sessions.recorded_session import RecordedSession
from tests.traces.day import Spans, length
from tests.traces.sittings import Sitting, sittings

SHORTEST = 60.0  # a sitting here; sessions are short, so their sittings are too


@dataclass(frozen=True, slots=True)
class PersonScore:
    """One person of one session: `live` None = not kept; `stretches` has every stretch of
    attention, `sittings` those that bounds are for."""

    session: str
    name: str
    software: str
    family: str
    true: float
    live: float | None
    charged: float
    stretches: tuple[Sitting, ...]
    sittings: tuple[Sitting, ...]

    @property
    def off(self) -> float:
        """Charged less true, as a share of true."""
        return (self.charged - self.true) / self.true

    @property
    def apart(self) -> float | None:
        """Seconds between what was charged live and what `simulate` charges."""
        return None if self.live is None else abs(self.live - self.charged)


def score(session: RecordedSession, charged: dict[str, Spans]) -> list[PersonScore]:
    """Every person who was there, in the order of the notes."""
    return [
        PersonScore(
            session.name,
            name,
            person.software,
            person.family,
            length(person.attention),
            person.live,
            length(charged.get(name, [])),
            tuple(sittings(person.attention, charged.get(name, []), joined=0.0, shortest=0.0)),
            tuple(sittings(person.attention, charged.get(name, []), shortest=SHORTEST)),
        )
        for name, person in session.people.items()
    ]


def error(scores: Iterable[PersonScore]) -> float:
    """The sum of |charged - true| over the sum of the true time."""
    found = list(scores)
    return sum(abs(each.charged - each.true) for each in found) / sum(each.true for each in found)


def families(scores: Sequence[PersonScore]) -> dict[str, list[PersonScore]]:
    """The scores by family, by name."""
    names = sorted({each.family for each in scores})
    return {name: [each for each in scores if each.family == name] for name in names}


def below_half(scores: Iterable[PersonScore]) -> list[tuple[PersonScore, Sitting]]:
    """The sittings of which more than half was not charged."""
    return [(each, one) for each in scores for one in each.sittings if one.below_half]
