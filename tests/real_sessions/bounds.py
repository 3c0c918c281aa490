"""How far the meter may be from the attention in the recorded sessions: by person, by software, in
all. `python -m tests.real_sessions.bounds` writes `bounds.toml`: what is measured, and a margin.

It is written again when a session is recorded or the meter has become better; a bound that would
grow is a step back, so it is named.
"""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.real_sessions.recorded_session import recorded
from tests.real_sessions.replay import replay
from tests.real_sessions.scoring import PersonScore, below_half, error

TABLE = Path(__file__).with_name("bounds.toml")
MARGIN = 0.02  # of the attention; what is measured is rounded up to a whole percent with it
HEAD = """\
# How far the meter may be from the attention, as a share of it: see bounds.py, which writes this file.
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`whole`: the sum of |charged - true| over the sum of the true time; `worst`: of one person;
    `below_half`: how many sittings may be charged below half. Shares by software and by person."""

    whole: float
    worst: float
    below_half: int
    software: Mapping[str, float]
    people: Mapping[str, float]


def load(table: Path = TABLE) -> Bounds:
    """The bounds in force."""
    found = tomllib.loads(table.read_text("utf-8"))
    whole = found["all"]
    return Bounds(
        whole["error"],
        whole["worst person"],
        whole["sittings below half"],
        found["software"],
        found["people"],
    )


def person_of(each: PersonScore) -> str:
    """How the table names a person of a session."""
    return f"{each.session} {each.name}"


def by_software(scores: Sequence[PersonScore]) -> dict[str, list[PersonScore]]:
    """The scores by kind of software, by name."""
    names = sorted({each.software for each in scores})
    return {name: [each for each in scores if each.software == name] for name in names}


def measured(scores: Sequence[PersonScore]) -> Bounds:
    """What holds today, with a margin."""
    return Bounds(
        _with_margin(error(scores)),
        _with_margin(max(abs(each.off) for each in scores)),
        len(below_half(scores)),
        {name: _with_margin(error(found)) for name, found in by_software(scores).items()},
        {person_of(each): _with_margin(abs(each.off)) for each in scores},
    )


def exceeded(scores: Sequence[PersonScore], bounds: Bounds) -> list[str]:
    """Whoever is above a bound or has none, each with both figures; [] = all hold. A bound that
    nobody has is named, too: the table is then of other sessions."""
    people = {person_of(each): abs(each.off) for each in scores}
    software = {name: error(found) for name, found in by_software(scores).items()}
    found = [*_above(people, bounds.people), *_above(software, bounds.software)]
    found += [
        f"{name}: nobody has it any more"
        for name in sorted(
            (bounds.people.keys() - people.keys()) | (bounds.software.keys() - software.keys())
        )
    ]
    found += _above(
        {"all": error(scores), "worst person": max(people.values())},
        {"all": bounds.whole, "worst person": bounds.worst},
    )
    if (short := len(below_half(scores))) > bounds.below_half:
        found.append(f"sittings charged below half: {short}, at most {bounds.below_half}")
    return found


def _above(found: Mapping[str, float], bounds: Mapping[str, float]) -> list[str]:
    return [
        f"{name}: {share:.1%}, at most {bounds[name]:.0%}"
        if name in bounds
        else f"{name}: no bound"
        for name, share in found.items()
        if share > bounds.get(name, -1.0)
    ]


def _with_margin(share: float) -> float:
    return math.ceil(round((share + MARGIN) * 100, 6)) / 100


def lines(bounds: Bounds) -> Iterator[str]:
    """The table as text."""
    yield HEAD
    yield "[all]"
    yield f"error = {bounds.whole:.2f}"
    yield f'"worst person" = {bounds.worst:.2f}'
    yield f'"sittings below half" = {bounds.below_half}'
    for title, shares in (("software", bounds.software), ("people", bounds.people)):
        yield ""
        yield f"[{title}]"
        for name, share in shares.items():
            yield f'"{name}" = {share:.2f}'


def main() -> None:
    """Write the table; say which bounds grew."""
    new = measured(replay(recorded()))
    if TABLE.is_file():
        old = load()
        for name, share in (dict(new.people) | dict(new.software)).items():
            before = (dict(old.people) | dict(old.software)).get(name)
            if before is not None and share > before:
                print(f"{name}: {share:.0%}, was {before:.0%}", file=sys.stderr)
    TABLE.write_text("\n".join(lines(new)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
