"""The rules in force."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from proxy_addon.core.policy.compiled import CompiledPolicy
from proxy_addon.core.rules.problems import RuleErrors
from proxy_addon.core.ruleset import RuleSet, Then
from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.active import LiveRules, RuleTestsFailed
from proxy_addon.rules.folder import Reading
from proxy_addon.rules.last_good import LastGood

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
    called: list[CompiledPolicy] = []
    live.subscribe(called.append)
    (folder / "policy.yaml").write_text(POLICY)
    assert live.reload() is False
    assert live.current is first
    assert live.load() is first
    assert called == []


def test_other_rules_are_swapped_in_and_passed_to_subscribers(folder: Path) -> None:
    """One swap, then every subscriber, with the new rules."""
    live = LiveRules(folder)
    live.load()
    seen: list[bool] = []
    live.subscribe(lambda prepared: seen.append(prepared.rules is live.current))
    (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
    assert live.reload() is True
    assert live.current.otherwise is Then.BLOCK
    assert seen == [True]


@pytest.mark.parametrize("edit", ["version: 3\n", "a: [", None])
def test_a_bad_edit_changes_nothing(folder: Path, edit: str | None) -> None:
    """Wrong, broken or deleted: the rules in force stay, every time it is tried, until it is put
    right."""
    live = LiveRules(folder)
    first = live.load()
    called: list[CompiledPolicy] = []
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


def test_a_file_that_is_no_rule_file_does_not_fill_the_log(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody saves a list of something else: a hundred of its mistakes are enough, all of them
    are counted."""
    live = LiveRules(folder)
    live.load()
    (folder / "policy.yaml").write_text(POLICY + "".join(f"key{n}: 1\n" for n in range(5000)))
    outcome = live.attempt()
    assert len(outcome.problems) == 5000
    logged = capsys.readouterr().out
    assert logged.count("rules problem") == 101
    assert "and 4900 more" in logged


def test_a_file_that_cannot_be_read_is_no_silence(folder: Path) -> None:
    """What could be read is as before, yet the folder is not: that is told."""
    live = LiveRules(folder)
    live.load()
    (folder / "more.yaml").mkdir()
    with pytest.raises(RuleErrors):
        live.reload()


def live_with(folder: Path, **more: object) -> LiveRules:
    """Live rules that keep their last good set beside the folder."""
    return LiveRules(folder, last_good=LastGood(folder / "var", folder), **more)  # type: ignore[arg-type]


def test_an_attempt_tells_instead_of_raising(folder: Path) -> None:
    """Broken, fixed, changed: the outcome says each, with every problem and the digest in force."""
    live = LiveRules(folder)
    first = live.load()
    (folder / "policy.yaml").write_text("version: 2\ntimezone: Europe/Atlantis\n")
    broken = live.attempt()
    assert (broken.ok, broken.changed, broken.digest) == (False, False, first.digest)
    assert len(broken.problems) == len(broken.places) == 2
    assert "Atlantis" in "".join(broken.problems)
    assert "Atlantis" not in "".join(broken.places)
    assert live.outcome is broken
    (folder / "policy.yaml").write_text(POLICY)
    assert (live.attempt().ok, live.attempt().changed) == (True, False)
    (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
    changed = live.attempt()
    assert (changed.ok, changed.changed, changed.digest) == (True, True, live.current.digest)


def test_a_failure_of_ours_changes_nothing(folder: Path) -> None:
    """Whatever goes wrong inside, the old rules stay and the outcome says that it was us."""

    def breaks(folder: Path, rules: RuleSet) -> list[str]:
        raise ZeroDivisionError

    live = LiveRules(folder, tests=breaks)
    first = live.load()
    (folder / "policy.yaml").write_text(POLICY + "reload: {require_tests: true}\n")
    outcome = live.attempt()
    assert not outcome.ok
    assert "ZeroDivisionError" in outcome.problems[0]
    assert live.current is first


def test_broken_rules_at_a_start_with_kept_ones(folder: Path) -> None:
    """The last good set is in force, and the outcome has every problem of the folder."""
    before = live_with(folder)
    before.load()
    before.keep()
    (folder / "policy.yaml").write_text("version: 2\n")
    after = live_with(folder)
    assert after.load(strict=False).digest == before.current.digest
    assert after.kept is not None
    assert not after.outcome.ok
    (folder / "policy.yaml").write_text(POLICY)
    assert after.attempt().ok


def test_a_missing_folder_at_a_start_with_kept_ones(tmp_path: Path, folder: Path) -> None:
    """The same where the folder is gone, and without kept rules it is an error as ever."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text(POLICY)
    last_good = LastGood(tmp_path / "var", rules)
    before = LiveRules(rules, last_good=last_good)
    before.load()
    before.keep()
    (rules / "policy.yaml").unlink()
    rules.rmdir()
    assert LiveRules(rules, last_good=last_good).load(strict=False).digest == before.current.digest
    with pytest.raises(RuleErrors):
        LiveRules(rules).load(strict=False)


def test_the_shipped_rules_help_at_a_start(tmp_path: Path) -> None:
    """With a written policy as well, and `require_tests`: a broken edit does not keep a start from
    serving. What was in force before needs no second test."""
    rules, tested = tmp_path / "rules", list[str]()
    shutil.copytree(Path(__file__).parents[2] / "rules", rules)
    with (rules / "policy.yaml").open("a") as policy:
        policy.write("\nreload: {require_tests: true}\n")

    def run(_: Path, found: RuleSet) -> tuple[str, ...]:
        tested.append(found.digest)
        return ()

    last_good = LastGood(tmp_path / "var", rules)
    before = LiveRules(rules, tests=run, last_good=last_good)
    before.load()
    before.keep()
    LiveRules(rules, tests=run, last_good=last_good).load()
    assert tested == [before.current.digest]
    with (rules / "policy.yaml").open("a") as policy:
        policy.write("rulez: [\n")
    after = LiveRules(rules, tests=run, last_good=last_good)
    assert after.load(strict=False).digest == before.current.digest
    assert after.current.notices == before.current.notices != ()


def test_kept_rules_that_help_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept can be wrong as well, for a newer version for example: a line says so beside the
    error of the folder."""
    before = live_with(folder)
    before.load()
    before.keep()
    (folder / "policy.yaml").write_text("version: 3\n")

    def newer(reading: Reading) -> RuleSet:
        raise RuleErrors(rules_folder.problems(rules_folder.read(folder)))

    monkeypatch.setattr(rules_folder, "rule_set", newer)
    with capture_logs() as lines, pytest.raises(RuleErrors):
        live_with(folder).load(strict=False)
    assert [each["event"] for each in lines] == ["the last good rules cannot be used"]


def test_strict_wants_the_folder(folder: Path) -> None:
    """With `strict` kept rules do not help."""
    before = live_with(folder)
    before.load()
    before.keep()
    (folder / "policy.yaml").write_text("version: 2\n")
    with pytest.raises(RuleErrors):
        live_with(folder).load(strict=True)


def test_only_one_process_keeps(folder: Path) -> None:
    """Of several workers one writes the copy; the others read it."""
    live = live_with(folder, keeps=False)
    live.load()
    live.keep()
    assert LastGood(folder / "var", folder).find() is None


def test_a_disk_that_keeps_nothing_is_no_reason_to_stop(folder: Path) -> None:
    """The rules come into force all the same."""
    (folder / "var").write_text("a file is in the way")
    live = live_with(folder)
    live.load()
    live.subscribe(lambda prepared: None)
    (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
    assert live.attempt().changed


def test_required_tests_decide(folder: Path) -> None:
    """New rules come into force only when their tests pass; the lines of those that fail are the
    problems."""
    failing = ["rules/tests/a.yaml:3:5: the test fails: lunch"]
    asked: list[RuleSet] = []

    def tests(of: Path, rules: RuleSet) -> list[str]:
        asked.append(rules)
        return failing if rules.otherwise is Then.BLOCK else []

    required = POLICY + "reload: {require_tests: true}\n"
    live = LiveRules(folder, tests=tests)
    live.load()
    assert asked == []  # nobody requires them yet
    (folder / "policy.yaml").write_text(required)
    assert live.attempt().changed
    (folder / "policy.yaml").write_text(required + "otherwise: block\n")
    outcome = live.attempt()
    assert outcome.problems == tuple(failing)
    assert live.current.otherwise is Then.ALLOW
    failing.clear()
    assert live.attempt().changed
    assert len(asked) == 3


def test_required_tests_decide_at_a_start(folder: Path) -> None:
    """A restart is no way around them; but rules that were in force before need not be tested
    again."""
    (folder / "policy.yaml").write_text(POLICY + "reload: {require_tests: true}\n")
    with pytest.raises(RuleTestsFailed):
        live_with(folder, tests=lambda folder, rules: ["no"]).load()
    with pytest.raises(RuleTestsFailed):
        live_with(folder).load()
    before = live_with(folder, tests=lambda folder, rules: [])
    before.load()
    before.keep()
    live_with(folder, tests=lambda folder, rules: ["no"]).load()
