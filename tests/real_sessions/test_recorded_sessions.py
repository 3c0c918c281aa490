"""The recorded sessions, replayed with today's meter, and the bounds in `bounds.toml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.real_sessions import bounds, kept
from tests.real_sessions.recorded_session import load, recorded, rules
from tests.real_sessions.replay import replay
from tests.real_sessions.scoring import PersonScore, below_half, error

NAMES = [path.name.removesuffix(".json") for path in recorded()]
BOUNDS = bounds.load()


@cache
def scores() -> list[PersonScore]:
    """Everybody; the sessions are replayed once."""
    return replay(recorded())


@pytest.mark.parametrize("person", BOUNDS.people)
def test_each_person_is_charged_within_the_bound(person: str) -> None:
    """A good average hides nobody."""
    found = {bounds.person_of(each): each for each in scores()}
    assert abs(found[person].off) <= BOUNDS.people[person], found[person]


@pytest.mark.parametrize("software", BOUNDS.software)
def test_each_kind_of_software_is_charged_within_the_bound(software: str) -> None:
    """Whatever somebody uses, the minutes are as right as for the others."""
    found = bounds.by_software(scores())[software]
    assert error(found) <= BOUNDS.software[software], found


def test_the_sessions_as_a_whole() -> None:
    """The whole, the worst person and the sittings that were charged below half; and each person
    and software has a bound."""
    assert bounds.exceeded(scores(), BOUNDS) == []
    assert len(below_half(scores())) <= BOUNDS.below_half


@pytest.mark.parametrize("name", NAMES)
def test_a_session_is_small_and_has_nothing_of_a_machine(name: str) -> None:
    """At most 400 kB, and no path of a home, a temporary folder or this checkout."""
    session = next(load(path) for path in recorded() if path.stem == name)
    folders = [Path.home(), Path("/tmp"), Path("/var/tmp"), Path(__file__).resolve().parents[2]]
    kept.check(session.trace, [], [folder for folder in folders if len(folder.parts) > 1])


@pytest.mark.parametrize("name", NAMES)
def test_everybody_of_a_session_is_known_to_the_rules(name: str) -> None:
    """Else the proxy would have taken them for somebody else while the session was recorded."""
    session = next(load(path) for path in recorded() if path.stem == name)
    assert session.people.keys() <= {user for _, user, _ in rules().people.devices}
