"""Something changed in the rules folder: noticed once for a burst, in every way that files are
saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxy_addon.rules.watcher import RulesWatcher, snapshot

PATIENCE = 10.0
POLL = 0.3


class CallCounter:
    """Counts calls, and lets a test wait for the next."""

    def __init__(self) -> None:
        self.calls = 0
        self._more = threading.Condition()

    def __call__(self) -> None:
        with self._more:
            self.calls += 1
            self._more.notify_all()

    def wait(self, calls: int) -> None:
        """Until it was called so often; fails after a while."""
        with self._more:
            assert self._more.wait_for(lambda: self.calls >= calls, PATIENCE), f"{self.calls} calls"

    def quiet(self, seconds: float = 1.0) -> bool:
        """True when nothing more comes."""
        with self._more:
            now = self.calls
            return not self._more.wait_for(lambda: self.calls > now, seconds)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rules folder."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "policy.yaml").write_text("version: 1\n")
    return rules


@pytest.fixture
def watch_folder() -> Iterator[Callable[[Path], CallCounter]]:
    """Watches folders until the test ends."""
    begun: list[RulesWatcher] = []

    def begin(folder: Path) -> CallCounter:
        counter = CallCounter()
        begun.append(RulesWatcher(folder, counter, poll=POLL))
        begun[-1].start()
        return counter

    yield begin
    for each in begun:
        each.stop()


def test_a_saved_file_is_noticed(folder: Path, watch_folder: Callable[[Path], CallCounter]) -> None:
    """In place, once."""
    counter = watch_folder(folder)
    (folder / "policy.yaml").write_text("version: 1\n# more\n")
    counter.wait(1)
    assert counter.quiet()


def test_a_burst_is_one_change(folder: Path, watch_folder: Callable[[Path], CallCounter]) -> None:
    """Fifty saves of ten files, one call."""
    counter = watch_folder(folder)
    for turn in range(5):
        for number in range(10):
            (folder / f"part{number}.yaml").write_text(f"a: {turn}\n")
    counter.wait(1)
    assert counter.quiet()
    assert counter.calls == 1


def test_an_editor_that_renames(folder: Path, watch_folder: Callable[[Path], CallCounter]) -> None:
    """Written beside and moved over it, as editors and deployment tools do."""
    counter = watch_folder(folder)
    beside = folder / ".policy.yaml.swp"
    beside.write_text("version: 1\n# new\n")
    beside.replace(folder / "policy.yaml")
    counter.wait(1)


def test_a_config_map(tmp_path: Path, watch_folder: Callable[[Path], CallCounter]) -> None:
    """Kubernetes keeps each version in a hidden folder, and swaps one link that all files lead
    through."""
    rules = tmp_path / "rules"
    for version in ("..one", "..two"):
        (rules / version).mkdir(parents=True)
        (rules / version / "policy.yaml").write_text(f"version: 1 # {version}\n")
    (rules / "..data").symlink_to("..one")
    (rules / "policy.yaml").symlink_to("..data/policy.yaml")
    counter = watch_folder(rules)
    (rules / "..data_tmp").symlink_to("..two")
    (rules / "..data_tmp").replace(rules / "..data")
    counter.wait(1)
    assert counter.quiet()


def test_a_folder_that_is_a_link(
    tmp_path: Path, watch_folder: Callable[[Path], CallCounter]
) -> None:
    """The link is swapped to another folder; later changes there are noticed too."""
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "policy.yaml").write_text(f"version: 1 # {version}\n")
    rules = tmp_path / "rules"
    rules.symlink_to("one")
    counter = watch_folder(rules)
    (tmp_path / "fresh").symlink_to("two")
    (tmp_path / "fresh").replace(rules)
    counter.wait(1)
    (tmp_path / "two" / "policy.yaml").write_text("version: 1 # later, and longer\n")
    counter.wait(2)


def test_a_folder_that_comes_and_goes(
    folder: Path, watch_folder: Callable[[Path], CallCounter]
) -> None:
    """Deleted and made again: both are changes, and so is what is saved afterwards."""
    counter = watch_folder(folder)
    (folder / "policy.yaml").unlink()
    folder.rmdir()
    counter.wait(1)
    assert counter.quiet()
    before = counter.calls
    folder.mkdir()
    (folder / "policy.yaml").write_text("version: 1\n# again\n")
    counter.wait(before + 1)
    assert counter.quiet()
    before = counter.calls
    (folder / "people.yaml").write_text("default_role: staff\n")
    counter.wait(before + 1)


def test_no_notice_from_the_system(
    tmp_path: Path, watch_folder: Callable[[Path], CallCounter]
) -> None:
    """A folder that cannot be watched (there is none yet) is looked at every so often."""
    rules = tmp_path / "rules"
    counter = watch_folder(rules)
    rules.mkdir()
    (rules / "policy.yaml").write_text("version: 1\n")
    counter.wait(1)


def test_leftovers_are_no_change(folder: Path, watch_folder: Callable[[Path], CallCounter]) -> None:
    """Hidden files that editors make are passed over."""
    counter = watch_folder(folder)
    (folder / ".policy.yaml.swp").write_text("x")
    (folder / ".policy.yaml.swp").unlink()
    assert counter.quiet(1.5)
    assert counter.calls == 0


def test_a_failure_does_not_end_the_watch(folder: Path) -> None:
    """What is called may fail; the next change is noticed all the same."""
    counter = CallCounter()

    def fails() -> None:
        counter()
        raise ValueError("no")

    watch = RulesWatcher(folder, fails, poll=POLL)
    watch.start()
    try:
        (folder / "policy.yaml").write_text("version: 1\n# a\n")
        counter.wait(1)
        (folder / "policy.yaml").write_text("version: 1\n# and b\n")
        counter.wait(2)
    finally:
        watch.stop()


def test_a_look_sees_names_sizes_and_one_level_below(folder: Path) -> None:
    """Every kind of change to a file that is read shows."""
    looks = [snapshot(folder)]
    (folder / "platforms").mkdir()
    looks.append(snapshot(folder))
    (folder / "platforms" / "x.yaml").write_text("x: {}\n")
    looks.append(snapshot(folder))
    (folder / "platforms" / "x.yaml").chmod(0o600)
    looks.append(snapshot(folder))
    (folder / "platforms" / "x.yaml").unlink()
    looks.append(snapshot(folder))
    (folder / "platforms" / ".hidden").write_text("")
    assert len(set(looks)) == 5
    assert snapshot(folder / "nowhere") == snapshot(folder / "nowhere")
