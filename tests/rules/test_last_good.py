"""The copy of the rules that were in force last."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules import last_good
from proxy_addon.rules.last_good import LastGood

POLICY = "version: 1\ntimezone: Europe/London\n"
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261225
SUMMARY:A day off
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A rules folder with a platform."""
    folder = tmp_path / "rules"
    (folder / "platforms").mkdir(parents=True)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "platforms" / "forum.yaml").write_text("forum: {hosts: [forum.example]}\n")
    return folder


@pytest.fixture
def kept(tmp_path: Path, rules: Path) -> LastGood:
    """The keeper of that folder."""
    return LastGood(tmp_path / "var", rules)


def test_nothing_was_kept(kept: LastGood) -> None:
    """Before the first time there is none."""
    assert kept.find() is None


def test_what_was_kept_is_found(kept: LastGood, rules: Path) -> None:
    """The same bytes with the same digest, whatever became of the folder since."""
    reading = rules_folder.read(rules)
    assert kept.keep(reading) is True
    (rules / "policy.yaml").unlink()
    found = kept.find()
    assert found is not None
    assert found.reading.digest == reading.digest
    assert rules_folder.rule_set(found.reading).platforms.keys() == {"forum"}


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """The rules that are shipped, with a written policy, and a calendar."""
    folder = tmp_path / "shipped"
    shutil.copytree(Path(__file__).parents[2] / "rules", folder)
    (folder / "holidays.ics").write_text(CALENDAR)
    with (folder / "policy.yaml").open("a") as policy:
        policy.write("\ncalendars: {fair: {ics: holidays.ics}}\n")
    return folder


def test_the_copy_is_complete(tmp_path: Path, shipped: Path) -> None:
    """Whatever a folder consists of, a start can use its copy, and knows it for the same."""
    reading = rules_folder.read(shipped)
    assert reading.platforms and reading.calendars and reading.notices
    kept = LastGood(tmp_path / "var", shipped)
    assert kept.keep(reading) is True
    shutil.rmtree(shipped)
    found = kept.find()
    assert found is not None
    assert found.reading.digest == reading.digest
    assert rules_folder.rule_set(found.reading) == rules_folder.rule_set(reading)


def test_each_file_counts(tmp_path: Path, shipped: Path) -> None:
    """An edit of any file makes a new copy."""
    kept = LastGood(tmp_path / "var", shipped)
    kept.keep(rules_folder.read(shipped))
    files = [each for each in shipped.rglob("*") if each.suffix in (".yaml", ".md", ".ics")]
    read = {*rules_folder.read(shipped).calendars, *rules_folder.read(shipped).notices}
    for name, _ in read:
        assert shipped / name in files
        with (shipped / name).open("a") as file:
            file.write("\n")
        assert kept.keep(rules_folder.read(shipped)) is True


def test_a_copy_that_is_not_complete_is_none(
    kept: LastGood, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be used is told when it is made, and the copy before stays."""
    kept.keep(rules_folder.read(rules))
    before = kept.find()
    (rules / "platforms" / "more.yaml").write_text("more: {hosts: [more.example]}\n")
    whole = last_good._files
    monkeypatch.setattr(last_good, "_files", lambda reading: [*whole(reading)][:-1])
    with pytest.raises(OSError, match="not what was copied"):
        kept.keep(rules_folder.read(rules))
    monkeypatch.undo()
    assert kept.find() == before


def test_the_same_files_are_not_written_again(kept: LastGood, rules: Path) -> None:
    """A restart with unchanged rules writes nothing."""
    assert kept.keep(rules_folder.read(rules)) is True
    assert kept.keep(rules_folder.read(rules)) is False


def test_one_copy_is_kept(kept: LastGood, rules: Path) -> None:
    """The newest takes the place of the one before, and no leftovers stay."""
    for minute in range(3):
        (rules / "policy.yaml").write_text(f"{POLICY}# edit {minute}\n")
        kept.keep(rules_folder.read(rules))
    names = sorted(path.name for path in kept.place.iterdir())
    assert len(names) == 2
    assert "current" in names
    found = kept.find()
    assert found is not None
    assert found.reading.digest == rules_folder.read(rules).digest


@pytest.mark.parametrize("damage", ["cut", "gone", "more", "pointer"])
def test_a_damaged_copy_is_none(kept: LastGood, rules: Path, damage: str) -> None:
    """What is not to the byte what was kept is not brought into force."""
    kept.keep(rules_folder.read(rules))
    copy = next(path for path in kept.place.iterdir() if path.is_dir())
    if damage == "cut":
        os.truncate(copy / "policy.yaml", 5)
    elif damage == "gone":
        (copy / "policy.yaml").unlink()
    elif damage == "more":
        (copy / "more.yaml").write_text("default_role: admin\n")
    else:
        (kept.place / "current").write_text('{"seal": ')
    assert kept.find() is None
    assert kept.keep(rules_folder.read(rules)) is True
    assert kept.find() is not None


def test_each_folder_has_its_own(tmp_path: Path, kept: LastGood, rules: Path) -> None:
    """A mistyped path does not bring up another folder's rules."""
    kept.keep(rules_folder.read(rules))
    assert LastGood(tmp_path / "var", tmp_path / "ruels").find() is None
    assert LastGood(tmp_path / "var", tmp_path / "x" / ".." / "rules").find() is not None


def test_only_the_owner_reads_it(kept: LastGood, rules: Path) -> None:
    """Rule files name people."""
    kept.keep(rules_folder.read(rules))
    copy = next(path for path in kept.place.iterdir() if path.is_dir())
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (copy, *copy.rglob("*"))}
    assert modes == {0}


def test_a_disk_that_takes_nothing(tmp_path: Path, rules: Path) -> None:
    """The caller is told with OSError, and what was kept before stays."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        LastGood(tmp_path / "file", rules).keep(rules_folder.read(rules))


def test_a_folder_called_dot(tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run inside the rules folder, the copy is the same."""
    monkeypatch.chdir(rules)
    kept = LastGood(tmp_path / "var", Path())
    kept.keep(rules_folder.read(Path()))
    found = kept.find()
    assert found is not None
    assert [name.rpartition("/")[2] for name, _ in found.reading.top] == ["policy.yaml"]
    assert found.reading.digest == rules_folder.read(rules).digest
