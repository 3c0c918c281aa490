"""`proxy_addon/cli/policy/diff.py`: what changed between two versions."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command_setup import line, run


def test_two_versions(folder: Path) -> None:
    """Line by line in each language, values as they are written; a new language is told."""
    code, out, error = run("policy", "diff", "2", "3")
    assert (code, error) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("--- social 2 (222222222222) en")
    assert "-- You have {{ allowance.daily }}. {{ contact }}" in lines
    assert "+The last line." in lines
    assert any(each.startswith("de: this language is new in social 3 (") for each in lines)
    back = run("policy", "diff", "3", "222222", "social", "--language", "de")[1]
    assert back.startswith("de: this language is gone")


def test_for_programs(folder: Path) -> None:
    """Both texts, and the lines by language."""
    found = json.loads(run("policy", "diff", "2", "3", "--json")[1])
    assert (found["old"]["version"], found["new"]["version"]) == ("2", "3")
    assert set(found["languages"]) == {"en", "de"}


def test_the_same(folder: Path) -> None:
    """Nothing changed is no error, and said."""
    code, out, _ = run("policy", "diff", "3", "3", "--language", "en")
    assert code == 0
    assert out.startswith("en: the same in social 3")


def test_wrong_input(folder: Path) -> None:
    """A version, a notice or a language that there is not."""
    assert line("policy", "diff", "1", "3", "social").startswith("OLD: there is no version")
    assert line("policy", "diff", "2", "9", "social").startswith("NEW: ")
    assert "say which; there is social, guests" in line("policy", "diff", "2", "9")
    assert "no text of 'nope'" in line("policy", "diff", "2", "3", "nope")
    assert "there is en, de" in line("policy", "diff", "2", "3", "--language", "fr")
