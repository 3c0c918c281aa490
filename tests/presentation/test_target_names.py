"""What platforms and their sections are called."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from proxy_addon.core.types import Target
from proxy_addon.presentation import target_names
from proxy_addon.presentation.languages import speaking
from tests.core.policies import SAMPLE

SHIPPED = Path(__file__).parents[2] / "rules" / "platforms"


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Linkedin Sign-in"), ("de", "Linkedin (Anmeldung)"), ("fr", "Linkedin (connexion)")],
)
def test_sections_of_ours_are_translated(language: str, title: str) -> None:
    """As a policy in the language names them."""
    with speaking(language):
        assert target_names.title(SAMPLE, Target("linkedin", "sign-in")) == title


def test_a_platform_without_a_section() -> None:
    """Only the platform."""
    assert target_names.title(SAMPLE, Target("linkedin")) == "Linkedin"


def test_names_that_nobody_knows() -> None:
    """An office's own sections are called as it wrote them, platforms that are gone by their
    key."""
    with speaking("de"):
        assert target_names.title(SAMPLE, Target("gone", "our-own")) == "Gone (Our own)"


def test_every_shipped_section_has_a_name() -> None:
    """A section in a file of ours that nobody translates would stand there in English."""
    files = [yaml.safe_load(file.read_text()) for file in SHIPPED.glob("*.yaml")]
    shipped = {name for file in files for name in _sections(file)}
    assert shipped
    assert {name for name in shipped if not target_names.is_ours(name)} == set()


def _sections(node: object) -> set[str]:
    """The names of the sections anywhere in a file."""
    if isinstance(node, list):
        return {name for each in node for name in _sections(each)}
    if not isinstance(node, dict):
        return set()
    found = node.get("sections", {})
    names = set(found) if isinstance(found, dict) else {each["name"] for each in found}
    return names | {name for each in node.values() for name in _sections(each)}
