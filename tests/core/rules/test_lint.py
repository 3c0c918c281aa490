"""Warnings that should not be given. Those that should are the `warn-*` cases of
tests/rules/bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.rules import folder as rules_folder

ROOT = Path(__file__).parents[3]
HEAD = "version: 1\ntimezone: Europe/London\n"
DAILY = "allowances:\n  daily:\n    limit: {limit}\n    overrides: [{overrides}]\n"
RULES = "rules:\n  - {platforms: [x], then: {spend: daily}}\n"
PEOPLE = (
    "roles:\n  care: {members: [carl]}\n  night: {members: [{user: emil, when: {days: sun}}]}\n"
)
FINE = {
    "a whole day": DAILY.replace("{limit}", "24h per day").replace("{overrides}", ""),
    "a full window": DAILY.replace("{limit}", "4h per rolling 4h").replace("{overrides}", ""),
    "the exception first": DAILY.replace("{limit}", "15m per day").replace(
        "{overrides}", "{users: [carl], limit: 1h per day}, {roles: [care], limit: 30m per day}"
    ),
    "somebody on duty at times": DAILY.replace("{limit}", "15m per day").replace(
        "{overrides}", "{roles: [night], limit: 1h per day}, {users: [emil], limit: 30m per day}"
    ),
    "a pattern after a name": DAILY.replace("{limit}", "15m per day").replace(
        "{overrides}", '{users: [carl], limit: 1h per day}, {users: ["c*"], limit: 30m per day}'
    ),
}


def warned(folder: Path, policy: str, people: str = PEOPLE) -> list[str]:
    """Codes of everything that is said about these rules."""
    (folder / "platforms").mkdir(exist_ok=True)
    (folder / "platforms" / "x.yaml").write_text("x: {hosts: [x.com]}\n")
    (folder / "policy.yaml").write_text(HEAD + policy)
    (folder / "people.yaml").write_text(people)
    return [str(problem) for problem in rules_folder.check(folder)]


@pytest.mark.parametrize("case", FINE)
def test_what_is_meant_is_no_warning(tmp_path: Path, case: str) -> None:
    """Limits as long as their window, and overrides in the right order."""
    assert warned(tmp_path, FINE[case] + RULES) == []


def test_the_override_that_wins_is_named(tmp_path: Path) -> None:
    """Of several above, by role or by name, it is the first: the one whose limits hold."""
    three = "\n      - ".join(
        (
            "",
            "{roles: [care], limit: 1h per day}",
            "{users: [carl], limit: 2h per day}",
            "{users: [carl], limit: 3h per day}",
        )
    )
    policy = f"allowances:\n  daily:\n    limit: 15m per day\n    overrides:{three}\n"
    said = [line for line in warned(tmp_path, policy + RULES) if "two-overrides" in line]
    assert ["already has the override on line 7, which wins" in line for line in said] == [
        True,
        True,
    ]


def test_roles_that_somebody_has_in_another_way(tmp_path: Path) -> None:
    """By default, by a device, by a rota, as a guest; and admins may be named later."""
    people = (
        PEOPLE
        + "  staff: {}\n  guest: {}\n  desk: {}\n  admin: {}\ndevices: {10.0.0.1: {role: desk}}\n"
    )
    assert warned(tmp_path, "rules:\n  - {platforms: [x], then: block}\n", people) == []


@pytest.mark.parametrize(
    "policy",
    ["otherwise: block\n", "rules: [{then: block}]\n", "platform_groups: {mine: [forum]}\n"],
)
def test_a_platform_that_is_named_or_falls_under_everything(tmp_path: Path, policy: str) -> None:
    """In a group, by a rule about all platforms, or by `otherwise`."""
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "ours.yaml").write_text("forum: {hosts: [forum.example]}\n")
    assert warned(tmp_path, policy) == []


def test_the_shipped_rules_give_no_warning() -> None:
    """An office that changes nothing reads nothing."""
    assert rules_folder.check(ROOT / "rules") == []
