"""Checks against the names that are declared."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from proxy_addon.core.rules.checks import DefinedNames
from proxy_addon.core.rules.models import RoleName, TargetName

NAMES = DefinedNames(
    roles=frozenset({"staff"}),
    sections={"x": frozenset({"ads"}), "y": None},
    groups=frozenset({"social"}),
    allowances=frozenset(),
)


@pytest.mark.parametrize("word", ["x", "x/ads", "social", "y/whatever"])
def test_targets_that_are_declared(word: str) -> None:
    """Platforms, sections, groups; and sections of a platform whose sections cannot be told."""
    assert TypeAdapter(TargetName).validate_python(word, context=NAMES) == word


@pytest.mark.parametrize("word", ["z", "x/news", "social/ads", "/", "x/"])
def test_targets_that_are_not(word: str) -> None:
    """Anything else, a section of a group among it."""
    with pytest.raises(ValidationError):
        TypeAdapter(TargetName).validate_python(word, context=NAMES)


def test_without_names_nothing_is_doubted() -> None:
    """No context, or names that cannot be told: every name passes."""
    assert TypeAdapter(RoleName).validate_python("boss", context=DefinedNames()) == "boss"
    assert TypeAdapter(RoleName).validate_python("boss") == "boss"
