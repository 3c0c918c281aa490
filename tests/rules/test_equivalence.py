"""People and platforms in classes."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from proxy_addon.core.types import Person, Target
from proxy_addon.rules.equivalence import Side, _like, classes, everybody, kinds
from tests.rule_tests.office import POLICY, machine

NOW = 1_793_610_000.0
RULES = machine().rules


def test_everybody_whom_the_files_name_and_one_of_each_role() -> None:
    """Users, devices, and somebody of each role whom no list names."""
    labels = [who.label for who in everybody(Side(RULES), Side(RULES), NOW)]
    assert labels == [
        "anybody in role staff",
        "anybody in role care",
        "anybody in role guest",
        "carl",
        "reception",
    ]


def test_who_is_refused_on_one_side_only() -> None:
    """They are asked about when that differs."""
    other = machine(POLICY + "unidentified: refuse\n").rules
    (who,) = [
        who
        for who in everybody(Side(RULES), Side(other), NOW)
        if who.label == "anybody unidentified"
    ]
    assert who.before is not None
    assert who.after is None


def test_people_whom_nothing_tells_apart_are_one_class() -> None:
    """carl is like anybody in care, reception like anybody in staff."""
    old, new = Side(RULES), Side(RULES)
    found = classes(old, new, everybody(old, new, NOW), NOW)
    assert sorted([who.label for who in same][-1] for same in found.values()) == [
        "anybody in role guest",
        "carl",
        "reception",
    ]


def test_platforms_that_the_same_rules_name_are_one_kind() -> None:
    """Sections count where a rule names them."""
    assert kinds(RULES, RULES) == {
        Target("x"): ("x",),
        Target("linkedin"): ("linkedin",),
        Target("medium"): ("medium",),
        Target("linkedin", "learning"): ("linkedin/learning",),
    }


@pytest.mark.parametrize("pattern", ["*@brand.example", "a?c", "[xy]z*", "[", "[!a]b", "plain"])
def test_somebody_like_a_pattern(pattern: str) -> None:
    """The made-up name is one that the pattern fits."""
    if pattern != "[!a]b":  # a refusal of one sign is answered with the sign `!`, which is another
        assert fnmatch(_like(pattern), pattern)
    assert fnmatch(_like("[!a]b"), "[!a]b")


def test_the_rules_that_people_meet() -> None:
    """Equal for people who are answered alike; the limits are those of the first override that
    fits."""
    side = Side(RULES)
    staff, care = (Person("p", (role,)) for role in ("staff", "care"))
    assert side.met(staff, Target("x"), NOW) != side.met(care, Target("x"), NOW)
    assert side.met(staff, Target("medium"), NOW) == side.met(care, Target("medium"), NOW)
    limits = [
        found[0].seconds for found in side.met(care, Target("x"), NOW) if isinstance(found, tuple)
    ]
    assert limits == [2700.0]
    assert side.met(None, Target("x"), NOW) == (True,)
    assert side.lists_of(None, NOW) == 0
