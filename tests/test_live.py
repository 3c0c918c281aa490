"""The rules in force."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_addon.core.errors import RuleErrors
from proxy_addon.core.ruleset import RuleSet, Then
from proxy_addon.live import LiveRules

POLICY = "version: 1\ntimezone: Europe/London\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the least policy."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def test_nothing_is_in_force_before_the_first_load(folder: Path) -> None:
    """Asking too early is a mistake of ours, and says so."""
    with pytest.raises(RuntimeError):
        _ = LiveRules(folder).current


def test_wrong_rules_do_not_come_into_force(folder: Path) -> None:
    """At the start there is nothing to fall back on."""
    (folder / "policy.yaml").write_text("version: 2\n")
    with pytest.raises(RuleErrors):
        LiveRules(folder).load()


def test_the_same_bytes_change_nothing(folder: Path) -> None:
    """The very same rule set stays, and nobody is called."""
    live = LiveRules(folder)
    first = live.load()
    called: list[RuleSet] = []
    live.subscribe(called.append)
    (folder / "policy.yaml").write_text(POLICY)
    assert live.reload() is False
    assert live.current is first
    assert live.load() is first
    assert called == []


def test_other_rules_are_swapped_in_and_told(folder: Path) -> None:
    """One swap, then every subscriber, with the new rules."""
    live = LiveRules(folder)
    live.load()
    seen: list[bool] = []
    live.subscribe(lambda rules: seen.append(rules is live.current))
    (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
    assert live.reload() is True
    assert live.current.otherwise is Then.BLOCK
    assert seen == [True]


@pytest.mark.parametrize("edit", ["version: 3\n", "a: [", None])
def test_a_bad_edit_changes_nothing(folder: Path, edit: str | None) -> None:
    """Wrong, broken or deleted: the rules in force stay, every time it is tried, until it is put right."""
    live = LiveRules(folder)
    first = live.load()
    called: list[RuleSet] = []
    live.subscribe(called.append)
    if edit is None:
        (folder / "policy.yaml").unlink()
    else:
        (folder / "policy.yaml").write_text(edit)
    for _ in range(2):
        with pytest.raises(RuleErrors):
            live.reload()
        assert live.current is first
    (folder / "policy.yaml").write_text(POLICY)
    assert live.reload() is False
    assert called == []


def test_a_file_that_cannot_be_read_is_no_silence(folder: Path) -> None:
    """What could be read is as before, yet the folder is not: that is told."""
    live = LiveRules(folder)
    live.load()
    (folder / "more.yaml").mkdir()
    with pytest.raises(RuleErrors):
        live.reload()
