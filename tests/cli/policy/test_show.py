"""`proxy_addon/cli/policy/show.py`: the text as somebody reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_setup import line, run
from tests.cli.policy.policy_office import policy_office


def test_as_somebody_reads_it(folder: Path) -> None:
    """Values for the person's roles, no identifiers, no empty lines of values; without a person
    those of the default role."""
    code, out, error = run("policy", "show", "--for", "ana")
    assert (code, error) == (0, "")
    assert out == (
        "# Social media at work\n## Your time\n- You have **15 minutes a day** from Example Ltd.\n"
        "The last line.\n"
    )
    assert run("policy", "show", "social")[1] == out
    found = json.loads(run("policy", "show", "--for", "Ana", "--json")[1])
    assert (found["notice"], found["version"], found["language"]) == ("social", "3", "en")
    assert (found["user"], found["roles"], found["markdown"]) == ("ana", ["care"], out)


def test_whose_notice(folder: Path) -> None:
    """Without a name the notice is the one for the person: a guest gets the guests'."""
    shown = json.loads(run("policy", "show", "--for", "ip:10.0.0.9", "--json")[1])
    assert (shown["notice"], shown["roles"]) == ("guests", ["guest"])
    assert "say which; there is social, guests" in line("policy", "show")
    assert "no text of 'nope' is known" in line("policy", "show", "nope")


def test_languages(folder: Path) -> None:
    """Another language with its own values; one that there is not is told with those that there
    are."""
    assert run("policy", "show", "social", "--language", "de")[1].endswith("Fragen: ext. 120\n")
    assert "is there in en, de, not in 'fr'" in line("policy", "show", "social", "--language", "fr")


def test_older_texts(folder: Path) -> None:
    """By version or digest from the ledger; that the values are those of today is said beside
    it."""
    for words in (("--version", "2"), ("--digest", "222222")):
        code, out, error = run("policy", "show", "social", *words)
        assert code == 0
        assert out.endswith("- You have 15 minutes a day. ext. 120\n")
        assert "is not in force" in error
    assert "there are 3 (" in line("policy", "show", "social", "--version", "1")
    assert run("policy", "show", "--version", "2", "--digest", "222222")[0] == 2


def test_without_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in force needs none, also while it does not answer; nothing is for somebody whom no
    notice names."""
    only = "notice: {file: notices/guests.md, roles: [guest]}\n"
    policy_office(tmp_path, monkeypatch, more=only)
    gone = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    assert run("policy", "show", "--database", gone)[0] == 0
    assert "127.0.0.1:1" in line("policy", "show", "--database", gone, "--version", "2")
    assert "no written policy is for ana with the role care" in line(
        "policy", "show", "--for", "ana"
    )


def test_without_a_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to show: exit code 1."""
    policy_office(tmp_path, monkeypatch, more="")
    assert "none is in force" in line("policy", "show")
