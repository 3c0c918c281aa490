"""Rule files as plain data with the place of every value: what `rules/folder.py` passes to the
compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from proxy_addon.core.rules.problems import Place, RuleProblem

type Path = tuple[str | int, ...]
type Position = tuple[int, int]  # line and column, from 1


@dataclass(frozen=True, slots=True)
class Document:
    """One file: plain data (dict, list, str, int, bool, None) and the places of its keys and
    values."""

    file: str
    data: Mapping[str, Any]
    values: Mapping[Path, Position]
    keys: Mapping[Path, Position]

    def place(self, path: Path, *, key: bool = False) -> Place:
        """The place of the value at `path` (or of its key); that of the nearest enclosing value if
        it is missing.

        A single value in place of a list is its own first item.
        """
        if (
            path not in self.values
            and (bare := tuple(step for step in path if step != 0)) in self.values
        ):
            path = bare
        if key and path in self.keys:
            return Place(self.file, *self.keys[path])
        while path and path not in self.values:
            path = path[:-1]
        return Place(self.file, *self.values.get(path, (1, 1)))


@dataclass(frozen=True, slots=True)
class NoticeDocument:
    """A Markdown file of a written policy. `front` is what stands between two lines of `---` at its
    beginning, None where there is nothing; `first_line` is the line of the file on which `body`
    begins."""

    file: str
    front: Document | None
    body: str
    first_line: int
    digest: str  # SHA-256 of the file, hex


@dataclass(frozen=True, slots=True)
class Documents:
    """All files of a rules folder that could be read.

    `complete` is False when some file could not be read: names that seem unknown may be declared
    there, so they are not reported.
    """

    folder: str
    top: tuple[Document, ...]
    platforms: tuple[Document, ...] = ()
    complete: bool = True
    digest: str = ""  # SHA-256 of all files read, hex
    # By the name in the folder. What is wrong with a file matters only where it is named.
    notices: Mapping[str, NoticeDocument | Sequence[RuleProblem]] = field(default_factory=dict)
