"""Hostile and unlucky folders: a located error, soon, in little memory; or the rules that are
really there."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest

from proxy_addon.core.rules.problems import Code, RuleErrors, Severity
from proxy_addon.rules import folder as rules_folder
from proxy_addon.rules.active import LiveRules
from proxy_addon.rules.folder import check
from tests.unprivileged import unprivileged

POLICY = "version: 1\ntimezone: Europe/London\n"
NOBODY = 65_534


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`rules` in the current folder, with the least policy."""
    monkeypatch.chdir(tmp_path)
    Path("rules/platforms").mkdir(parents=True)
    Path("rules/policy.yaml").write_text(POLICY)
    return Path("rules")


def codes(folder: Path) -> list[str]:
    """Place and code of each problem."""
    return [f"{p.file}:{p.line}: {p.code}" for p in rules_folder.check(folder)]


HOSTILE = {
    "ten megabytes": (b"rules: [" + b"x, " * 3_500_000, "too-large"),
    "deep lists": (b"rules: " + b"[" * 200_000, "too-deep"),
    "deep blocks": (b"".join(b" " * n + b"a:\n" for n in range(1000)), "too-deep"),
    "many values": (b"rules: [" + b"1," * 400_000 + b"]", "too-large"),
    "many keys": (b"{" + b",".join(b"k%d: 1" % n for n in range(60_000)) + b"}", "unknown-key"),
    "a bomb of anchors": (
        b"a: &a [x, x]\n"
        + b"".join(b"%c: &%c [*%c, *%c]\n" % (98 + n, 98 + n, 97 + n, 97 + n) for n in range(20)),
        "yaml-anchor",
    ),
    "a bomb of merges": (b"a: {<<: {b: c}}\n", "yaml-merge"),
    "one long line": (b'message: "' + b"x" * 900_000 + b'"\n', "unknown-key"),
    "one long number": (b"version: " + b"9" * 900_000, "bad-version"),
    "one long key": (b"? " + b"k" * 900_000 + b"\n: 1\n", "unknown-key"),
    "nothing but tabs": (b"\t" * 500_000, "tab"),
    "nothing but quotes": (b'"' * 500_000, "wrong-type"),
    "a zero in the middle": (POLICY.encode() + b"otherwise: al\0low\n", "bad-character"),
    "utf-16": ("version: 1\n".encode("utf-16"), "not-utf8"),
    "random bytes": (bytes(range(256)) * 1000, "not-utf8"),
    "half a character": (POLICY.encode() + b"# \xe2\x82", "not-utf8"),
    "an escape that is a surrogate": (POLICY.encode() + b'otherwise: "\\ud800"\n', ""),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_reported_in_time_and_memory(folder: Path, case: str) -> None:
    """Each is an error with a place, found within seconds and a bounded number of bytes."""
    content, code = HOSTILE[case]
    (folder / "policy.yaml").write_bytes(content)
    tracemalloc.start()
    begun = perf_counter()
    problems = rules_folder.check(folder)
    took = perf_counter() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert any(problem.severity is Severity.ERROR for problem in problems)
    assert not code or code in {problem.code for problem in problems}, problems[:3]
    assert all(problem.file == "rules/policy.yaml" for problem in problems)
    assert took < 30  # under tracing, on a busy machine
    assert peak < 250 * 2**20


@pytest.mark.parametrize("case", HOSTILE)
def test_the_old_rules_stay_in_force(folder: Path, case: str) -> None:
    """Whatever somebody saves; and when it is put right, a reload says so."""
    live = LiveRules(folder)
    before = live.load()
    (folder / "policy.yaml").write_bytes(HOSTILE[case][0])
    with pytest.raises(RuleErrors):
        live.reload()
    assert live.current is before
    (folder / "policy.yaml").write_text(POLICY + "otherwise: block\n")
    assert live.reload() is True


PLACES: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nowhere.yaml"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link out of the folder": lambda path: path.symlink_to("/etc/hostname"),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "nothing": lambda path: None,
}


@pytest.mark.parametrize("what", PLACES)
def test_the_old_rules_stay_in_force_without_a_file(folder: Path, what: str) -> None:
    """Something else stands where the policy was; nothing waits for it or reads it."""
    live = LiveRules(folder)
    before = live.load()
    (folder / "policy.yaml").unlink()
    PLACES[what](folder / "policy.yaml")
    with pytest.raises(RuleErrors):
        live.reload()
    assert live.current is before


def test_the_old_rules_stay_in_force_without_the_folder(folder: Path) -> None:
    """A mount that is not there."""
    live = LiveRules(folder)
    before = live.load()
    folder.rename("elsewhere")
    with pytest.raises(RuleErrors, match="there is no folder"):
        live.reload()
    assert live.current is before


def test_a_byte_order_mark_is_let_pass(folder: Path) -> None:
    """Editors of Windows write one."""
    (folder / "policy.yaml").write_bytes(b"\xef\xbb\xbf" + POLICY.replace("\n", "\r\n").encode())
    assert codes(folder) == []


def test_a_folder_of_many_large_files_is_refused(folder: Path) -> None:
    """What is over is not kept in memory."""
    for n in range(35):
        (folder / "platforms" / f"p{n:02}.yaml").write_bytes(b"# " + b"x" * 1_000_000)
    found = codes(folder)
    assert found == [
        "rules/platforms/p33.yaml:1: too-large",
        "rules/platforms/p34.yaml:1: too-large",
    ]


@pytest.fixture
def as_nobody(folder: Path) -> Iterator[Path]:
    """The folder, and whoever runs the tests is somebody whom modes bind: root may read
    everything."""
    if os.geteuid() != 0:
        yield folder
        return
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        shutil.copytree(folder, Path(name) / "rules")
        for path in (Path(name), *Path(name).rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        os.chdir(name)
        os.seteuid(NOBODY)
        try:
            yield Path("rules")
        finally:
            os.seteuid(0)
            os.chdir(here)


@pytest.mark.parametrize("part", ["policy.yaml", "platforms", "fair.ics"])
def test_what_may_not_be_read(as_nobody: Path, part: str) -> None:
    """A file, a folder, a calendar: each is told, and it is not said that there is none."""
    folder = as_nobody
    (folder / "fair.ics").write_text("")
    (folder / "policy.yaml").write_text(POLICY + "calendars: {fair: {ics: fair.ics}}\n")
    (folder / part).chmod(0)
    try:
        found = rules_folder.check(folder)
    finally:
        (folder / part).chmod(0o700)
    assert [
        p.message
        for p in found
        if p.code is Code.UNREADABLE_FILE and "Permission denied" in p.message
    ]
    assert Code.MISSING_FILE not in {p.code for p in found}


def test_a_file_that_becomes_unreadable_leaves_the_old_rules_in_force(as_nobody: Path) -> None:
    """As every bad edit does."""
    live = LiveRules(as_nobody)
    before = live.load()
    (as_nobody / "policy.yaml").chmod(0)
    try:
        with pytest.raises(RuleErrors, match="cannot be read: Permission denied"):
            live.reload()
    finally:
        (as_nobody / "policy.yaml").chmod(0o700)
    assert live.current is before


@pytest.mark.parametrize("name", ["fair.ics", "calendars/fair.ics"])
def test_a_calendar_outside_of_the_folder(folder: Path, tmp_path: Path, name: str) -> None:
    """A link is no way out for calendars either; the place is where the rules name it."""
    (tmp_path / "secret.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(tmp_path / "secret.ics")
    (folder / "policy.yaml").write_text(POLICY + f"calendars: {{fair: {{ics: {name}}}}}\n")
    assert codes(folder) == ["rules/policy.yaml:3: outside-folder"]


def test_a_file_that_vanishes_between_listing_and_reading(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is read again, as it is now."""
    doomed = folder / "more.yaml"
    doomed.write_text("otherwise: block\n")
    listed = Path.iterdir

    def listing(path: Path) -> Iterator[Path]:
        found = list(listed(path))
        turn = next(turns)
        if turn == 3 and path == folder:
            doomed.unlink()
        return iter(found)

    turns = itertools.count()
    monkeypatch.setattr(Path, "iterdir", listing)
    assert codes(folder) == []


def test_a_file_that_keeps_changing_is_never_taken_by_halves(folder: Path) -> None:
    """A reading is one that stood there, or it says that the folder did not come to rest."""
    done = threading.Event()

    def write() -> None:
        for n in itertools.count():
            if done.is_set():
                return
            fresh = folder / ".fresh"
            fresh.write_text(POLICY + f"# {n}\n")
            fresh.replace(folder / "policy.yaml")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(20):
            assert codes(folder) in ([], ["rules:1: unreadable-file"])
    finally:
        done.set()
        writer.join()


def versions(folder: Path, number: int) -> None:
    """As Kubernetes mounts a ConfigMap: a folder with a date, a link to it, and links through that
    link."""
    there = folder / f"..2026_{number:04}"
    there.mkdir()
    choice = "allow" if number % 2 else "block"
    (there / "policy.yaml").write_text(POLICY + f"otherwise: {choice}\nretention: {number + 1}d\n")
    (there / "people.yaml").write_text(f"default_role: r{number}\n")
    fresh = folder / "..data_tmp"
    fresh.symlink_to(there.name)
    fresh.rename(folder / "..data")


def test_a_folder_that_does_not_come_to_rest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that change during each reading are a problem, and the old ones stay in force."""
    live = LiveRules(folder)
    before = live.load()
    numbers = itertools.count()
    monkeypatch.setattr(rules_folder, "_fingerprint", lambda _: ((next(numbers),),))
    (folder / "policy.yaml").write_text((folder / "policy.yaml").read_text() + "# changed\n")
    with pytest.raises(RuleErrors, match="kept changing while it was read"):
        live.reload()
    assert live.current is before


def test_an_atomic_swap_of_a_mounted_folder(folder: Path) -> None:
    """It loads, the swap is a change, and no reading ever mixes two versions, however often it is
    swapped."""
    (folder / "policy.yaml").unlink()
    versions(folder, 0)
    for name in ("policy.yaml", "people.yaml"):
        (folder / name).symlink_to(f"..data/{name}")
    live = LiveRules(folder)
    assert live.load().people.default_role == "r0"
    assert live.reload() is False
    versions(folder, 1)
    assert live.reload() is True
    assert live.current.people.default_role == "r1"

    def swap() -> None:
        for number in range(2, 60):
            versions(folder, number)

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = set()
    while swapper.is_alive():
        try:
            rules = rules_folder.load(folder)
        except RuleErrors as error:
            assert "kept changing" in str(error)  # it says so, and nothing is taken from it
            continue
        seen.add(rules.people.default_role)
        assert rules.people.default_role == f"r{int(rules.retention / 86_400) - 1}"
    swapper.join()
    assert live.reload() is True
    assert live.current.people.default_role == "r59"


def test_a_file_without_permission() -> None:
    """The cause is named."""
    with unprivileged() as folder:
        (folder / "policy.yaml").write_text("version: 1\ntimezone: Europe/London\n")
        (folder / "policy.yaml").chmod(0)
        [problem] = check(folder)
    assert (problem.code, problem.message) == (
        Code.UNREADABLE_FILE,
        "the file cannot be read: Permission denied",
    )
