"""`proxy_addon/doctor/rules.py`: the rules folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.doctor.check import Check, State
from proxy_addon.doctor.rules import policy, read
from tests.cli.command_setup import office

TEST = """
tests:
  - name: no time left
    start: 2026-11-02 09:00
    day: [{{at: "09:00", user: ana, opens: "https://x.com/", expect: {{verdict: {verdict}}}}}]
"""


def look(folder: Path) -> dict[str, Check]:
    """The checks by name."""
    return {check.name: check for check in policy(folder, *read(folder))}


@pytest.fixture(name="rules")
def rules_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small office."""
    return office(tmp_path, monkeypatch) / "rules"


def test_the_shipped_rules() -> None:
    """What an office starts with has nothing to complain about, and its tests pass."""
    found = look(Path(__file__).resolve().parents[2] / "rules")
    assert {name: check.state for name, check in found.items()} == {
        "rules": State.OK,
        "rule tests": State.OK,
    }
    assert "platforms limited" in found["rules"].fact


def test_broken_rules(rules: Path) -> None:
    """An error with the first mistake and where to see all."""
    (rules / "policy.yaml").write_text("version: 1\nrulez: []\n")
    found = look(rules)
    assert list(found) == ["rules"]
    assert (found["rules"].state, "policy.yaml" in found["rules"].fact) == (State.ERROR, True)
    assert "allowance rules check" in found["rules"].remedy


def test_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is an error like any other."""
    assert look(tmp_path / "none")["rules"].state is State.ERROR


@pytest.mark.parametrize(("verdict", "state"), [("spend", State.OK), ("block", State.WARNING)])
def test_tests(rules: Path, verdict: str, state: State) -> None:
    """They pass, or the first that fails is named."""
    assert look(rules)["rule tests"].fact == "there are none"
    (rules / "tests").mkdir()
    (rules / "tests" / "a.yaml").write_text(TEST.format(verdict=verdict))
    check = look(rules)["rule tests"]
    assert check.state is state, check
    assert state is State.OK or "no time left" in check.fact


def test_required_tests(rules: Path) -> None:
    """Where rules come into force only with tests, having none is an error."""
    with (rules / "policy.yaml").open("a") as file:
        file.write("reload: {require_tests: true}\n")
    assert look(rules)["rule tests"].state is State.ERROR


def test_tried_out(rules: Path) -> None:
    """A policy that stops nobody says so, because that is easily forgotten."""
    with (rules / "policy.yaml").open("a") as file:
        file.write("mode: observe\n")
    assert "2 of 2 rules" in look(rules)["rules tried out"].fact
