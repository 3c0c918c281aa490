"""`proxy_addon/cli/policy/texts.py`: which texts there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_setup import line, run
from tests.cli.policy.policy_office import in_force, policy_office


def test_list(folder: Path) -> None:
    """What is in force with all that its entry says, and the older texts by digest."""
    code, out, error = run("policy", "list")
    assert (code, error) == (0, "")
    words = " ".join(out.split())
    assert "In force" in words
    assert in_force(folder)[0].digest[:12] in words
    assert "222222222222" in words
    found = json.loads(run("policy", "list", "--json")[1])
    social = found["in_force"][0]
    assert {key: social[key] for key in ("notice", "version", "languages", "ask", "roles")} == {
        "notice": "social",
        "version": "3",
        "languages": ["en", "de"],
        "ask": "before-first-use",
        "roles": ["care", "staff"],
    }
    assert (social["grace"], social["again_after"]) == (3 * 86_400.0, None)
    assert [(each["version"], each["in_force"]) for each in found["texts"]] == [
        ("3", True),
        ("2", False),
        ("1", True),
    ]
    assert found["texts"][2]["since"] is None


def test_without_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in force is known without one; one that does not answer is told in one line."""
    policy_office(tmp_path, monkeypatch)
    code, out, _ = run("policy", "list")
    assert code == 0
    assert "social" in out
    assert "Older" not in out
    gone = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    assert "127.0.0.1:1" in line("policy", "list", "--database", gone)


def test_without_a_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, and no error; broken rules are one."""
    policy_office(tmp_path, monkeypatch, more="")
    assert run("policy", "list") == (0, "No written policy is in force.\n", "")
    assert json.loads(run("policy", "list", "--json")[1]) == {"in_force": [], "texts": []}
    (tmp_path / "rules" / "policy.yaml").write_text("version: 9\n")
    assert run("policy", "list")[0] == 1
