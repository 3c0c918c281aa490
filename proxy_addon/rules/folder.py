"""The rules folder: which files it has, what is in them, and the rule set that they make together.

All `*.yaml` files of the folder and of `platforms/` below it are read; names that begin with a dot
are editors' temporary files and are ignored. Problems name files as
`<the folder as it was given>/policy.yaml`.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from proxy_addon.core.rules.compiler import compile_rules
from proxy_addon.core.rules.documents import Document, Documents
from proxy_addon.core.rules.problems import Code, Place, RuleErrors, RuleProblem, Severity
from proxy_addon.core.ruleset import RuleSet
from proxy_addon.core.text import printable
from proxy_addon.rules import notice_files
from proxy_addon.rules.calendar_sources import FolderSources
from proxy_addon.rules.notice_files import Content
from proxy_addon.rules.yaml_reader import parse

MAX_BYTES = 1_048_576  # a file; the largest that makes sense is a list of some ten thousand people
MAX_TOTAL = 32 * MAX_BYTES
_ATTEMPTS = 5  # readings of a folder that keeps changing
_PAUSE = 0.02  # seconds, longer with each turn
_ONE_FILE = "split the file, or take out what is not a rule"


@dataclass(frozen=True, slots=True)
class Reading:
    """The bytes of a folder at one moment. `digest` is the SHA-256 of names and bytes, hex."""

    folder: str
    top: tuple[tuple[str, bytes], ...]
    platforms: tuple[tuple[str, bytes], ...]
    problems: tuple[RuleProblem, ...]  # of files that could not be read, and warnings
    digest: str
    calendars: tuple[tuple[str, Content], ...] = ()  # ICS files by their names in the folder
    notices: tuple[tuple[str, Content], ...] = ()  # Markdown files, likewise

    @property
    def failed(self) -> bool:
        """True when a file, or the folder, could not be read."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


def load(folder: Path) -> RuleSet:
    """The rule set of a folder. Raises RuleErrors with every error there is."""
    return rule_set(read(folder))


def check(folder: Path) -> list[RuleProblem]:
    """Every error and warning of a folder, sorted by place."""
    return problems(read(folder))


def problems(reading: Reading) -> list[RuleProblem]:
    """Every error and warning of what was read, sorted by place."""
    return list(_assess(reading, advise=True)[1])


def rule_set(reading: Reading) -> RuleSet:
    """The rule set of what was read. Raises RuleErrors with every error there is."""
    found, problems = _assess(reading)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors or found is None:
        raise RuleErrors(errors)
    return found


def read(folder: Path) -> Reading:
    """Read all files. Never raises: what cannot be read is a problem.

    Files that change meanwhile are read again, so that no reading holds half of an edit; a folder
    that does not come to rest is a problem. Waits up to a fifth of a second then, so not for the
    event loop.
    """
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt * _PAUSE)
        before = _fingerprint(folder)
        reading = _read(folder)
        if _fingerprint(folder) == before:
            return reading
    message = "the folder kept changing while it was read, so this may be half of an edit"
    unsure = _problem(
        str(folder), Code.UNREADABLE_FILE, message, "try again when the changes are done"
    )
    return replace(reading, problems=(*reading.problems, unsure))


def _read(folder: Path) -> Reading:
    problems: list[RuleProblem] = []
    name = str(folder)
    reader = _FolderReader(folder)
    top = tuple(_files(reader, folder, name, problems))
    platforms: tuple[tuple[str, bytes], ...] = ()
    if _exists(folder / "platforms"):
        platforms = tuple(_files(reader, folder / "platforms", f"{name}/platforms", problems))
    calendars = tuple(_others(reader, ".ics", "", "calendars/"))
    notices = tuple(_others(reader, ".md", "", "notices/"))
    if not top and not any(problem.severity is Severity.ERROR for problem in problems):
        message = f'the folder "{_printable(name)}" has no rule files'
        hint = "it needs at least policy.yaml and people.yaml"
        problems.append(RuleProblem.at(Place(_printable(name)), Code.MISSING_FILE, message, hint))
    beside = tuple((f"{name}/{file.rpartition('/')[2]}", content) for file, content in top)
    digest = _digest(name, beside, platforms, calendars, notices)  # the same wherever it is
    return Reading(_printable(name), top, platforms, tuple(problems), digest, calendars, notices)


def _assess(
    reading: Reading, *, advise: bool = False
) -> tuple[RuleSet | None, tuple[RuleProblem, ...]]:
    problems = list(reading.problems)
    top = _documents(reading.top, problems)
    platforms = _documents(reading.platforms, problems)
    broken = len(top) + len(platforms) < len(reading.top) + len(reading.platforms)
    if reading.failed and not reading.top:
        return None, tuple(sorted(problems))
    complete = not (broken or reading.failed)
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    notices = {
        name: notice_files.document(f"{reading.folder}/{name}", content)
        for name, content in reading.notices
    }
    documents = Documents(reading.folder, top, platforms, complete, reading.digest, notices)
    compiled = compile_rules(
        documents, FolderSources(dict(reading.calendars)), advise=advise and not failed
    )
    return compiled.rule_set, tuple(sorted({*problems, *compiled.problems}))


def _documents(
    files: tuple[tuple[str, bytes], ...], problems: list[RuleProblem]
) -> tuple[Document, ...]:
    found: list[Document] = []
    for name, content in files:
        document, wrong = parse(content, name)
        problems.extend(wrong)
        if document is not None:
            found.append(document)
    return tuple(found)


def _files(
    reader: _FolderReader, folder: Path, name: str, problems: list[RuleProblem]
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each rule file of one folder, by name."""
    try:
        entries = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        hint = "give the folder that holds policy.yaml"
        problems.append(
            _problem(name, Code.MISSING_FILE, f'there is no folder "{_printable(name)}"', hint)
        )
        return
    except NotADirectoryError:
        problems.append(
            _problem(
                name, Code.NOT_A_FILE, "this is not a folder", "give the folder, not a file in it"
            )
        )
        return
    except OSError as error:
        problems.append(
            _problem(name, Code.UNREADABLE_FILE, f"the folder cannot be read: {error.strerror}")
        )
        return
    except ValueError:  # a NUL in the name
        problems.append(_problem(name, Code.MISSING_FILE, "this cannot be the name of a folder"))
        return
    for entry in entries:
        file = f"{name}/{entry}" if name != "." else entry
        if entry.startswith("."):
            continue
        if entry.endswith(".yml"):
            message = "this file is not read: rule files end in .yaml"
            problems.append(
                _problem(file, Code.IGNORED_FILE, message, "rename it", Severity.WARNING)
            )
        elif entry.endswith(".yaml"):
            content = reader.content(folder / entry)
            if isinstance(content, bytes):
                yield _printable(file), content
            else:
                problems.append(_problem(file, *content))


def _others(reader: _FolderReader, ending: str, *parts: str) -> Iterator[tuple[str, Content]]:
    """Files with another ending in some folders of the folder, by their names there."""
    for part in parts:
        folder = reader.root / part
        try:
            entries = sorted(path.name for path in folder.iterdir() if path.name.endswith(ending))
        except (OSError, ValueError):
            continue
        for entry in entries:
            if not entry.startswith("."):
                yield f"{part}{entry}", reader.content(folder / entry)


class _FolderReader:
    """Takes files from one folder, up to a sum of bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._left = MAX_TOTAL

    def content(self, path: Path) -> Content:
        """The bytes of a file, or why there are none. Opens nothing that is not a plain file in the
        folder."""
        try:
            if not path.resolve(strict=True).is_relative_to(self.root.resolve(strict=True)):
                message = "this link leads out of the rules folder"
                return Code.OUTSIDE_FOLDER, message, "copy the file into the folder"
            if not stat.S_ISREG(path.stat().st_mode):
                return (
                    Code.NOT_A_FILE,
                    "this is not a plain file",
                    "move it out of the rules folder",
                )
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "the link leads in a circle"
            return Code.UNREADABLE_FILE, f"the file cannot be read: {reason}", ""
        if len(content) > MAX_BYTES:
            return Code.TOO_LARGE, f"the file is larger than {MAX_BYTES // 1024:,} KiB", _ONE_FILE
        self._left -= len(content)
        if self._left < 0:
            message = (
                f"with this file the folder holds more than {MAX_TOTAL // 1024:,} KiB of rules"
            )
            return Code.TOO_LARGE, message, "take out what is not a rule"
        return content


def _fingerprint(folder: Path) -> tuple[tuple[str | int, ...], ...]:
    """A fingerprint that changes with any file of a folder: real path, inode, times and size of
    each.

    Numbers are given out again and times are coarse, so one of them alone may be the same after a
    change.
    """
    found: list[tuple[str | int, ...]] = []
    for part in (folder, folder / "platforms", folder / "calendars", folder / "notices"):
        try:
            for path in sorted(part.iterdir()):
                state = path.stat()
                times = (state.st_mtime_ns, state.st_ctime_ns)
                found.append(
                    (str(path), os.path.realpath(path), state.st_ino, *times, state.st_size)
                )
        except (OSError, ValueError):
            found.append((str(part),))
    return tuple(found)


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:
        return False


def _digest(folder: str, *lists: tuple[tuple[str, Content], ...]) -> str:
    digest = hashlib.sha256()
    for name, content in (pair for files in lists for pair in files):
        content = content if isinstance(content, bytes) else repr(content).encode()
        digest.update(f"{name.removeprefix(folder)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _problem(
    file: str, code: Code, message: str, hint: str = "", severity: Severity = Severity.ERROR
) -> RuleProblem:
    return RuleProblem.at(Place(_printable(file)), code, message, hint, severity)


def _printable(name: str) -> str:
    """A file's name as a message can show it, whatever bytes it is made of."""
    return printable(os.fsencode(name).decode("utf-8", "replace"))
