"""Twin of proxy_addon/simulate/compare.py: who gains, who loses."""

from __future__ import annotations

from proxy_addon.core.types import Visit
from proxy_addon.simulate import Result
from proxy_addon.simulate.compare import changes


def result(**seconds: float) -> Result:
    """Everybody with one visit of so many seconds."""
    found = Result()
    for name, length in seconds.items():
        found.of(name).visits["1"] = Visit("1", name, "x", None, "daily", "r", 0.0, length, "n")
    return found


def test_who_loses_most_comes_first() -> None:
    """People for whom nothing changes are left out, the others stand in the order of what they
    lose."""
    found = changes(result(ana=100, bo=500, cy=70), result(ana=160, bo=200, cy=70))
    assert [(c.user, c.gained) for c in found] == [("bo", -300.0), ("ana", 60.0)]


def test_people_who_are_only_on_one_side() -> None:
    """Somebody whom only one set of rules limits is compared with nothing."""
    (change,) = changes(result(), result(ana=50))
    assert (change.gained, change.now.used) == (50.0, 0.0)


def test_a_block_is_a_change_without_seconds() -> None:
    """More blocks, or another time at which it ran out, is a change even where no second is won or
    lost."""
    other = result(ana=100)
    other.of("ana").blocked = 4
    other.of("ana").exhausted["daily"] = 90.0
    (change,) = changes(result(ana=100), other)
    assert change.gained == 0.0
    assert change.then.exhausted == {"daily": 90.0}
