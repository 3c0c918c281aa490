"""Reads the small part of the Dockerfile language that ours is written in; anything else is an
error."""

from __future__ import annotations

import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import NamedTuple

WORDS = {
    "FROM",
    "ENV",
    "WORKDIR",
    "COPY",
    "RUN",
    "USER",
    "VOLUME",
    "EXPOSE",
    "HEALTHCHECK",
    "CMD",
}


class Instruction(NamedTuple):
    """One instruction: `COPY --from=build a b` is COPY with the options {"from": "build"} and the
    rest "a b"."""

    word: str
    options: dict[str, str]
    rest: str

    @property
    def command(self) -> list[str]:
        """The rest in its JSON form, which is executed without a shell. Raises ValueError for
        another form."""
        found: list[str] = json.loads(self.rest.removeprefix("CMD").strip())
        return found

    @property
    def pairs(self) -> dict[str, str]:
        """The rest as `NAME=VALUE NAME=VALUE`."""
        return dict(pair.split("=", 1) for pair in shlex.split(self.rest))


class Stage(NamedTuple):
    """What stands between two FROM: the image it begins with, its name, what is done."""

    base: str
    name: str
    instructions: list[Instruction]


def parse(text: str) -> list[Stage]:
    """The stages in order. Raises ValueError for an instruction that we do not use."""
    stages: list[Stage] = []
    for line in _lines(text):
        word, _, rest = line.partition(" ")
        if word not in WORDS:
            raise ValueError(f"{word}: not a word of ours; teach deploy/dockerfile.py what it does")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base.strip(), name.strip(), []))
            continue
        options = {}
        while match := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            options[match[1]], rest = match[2], rest[match.end() :]
        stages[-1].instructions.append(Instruction(word, options, rest))
    return stages


def _lines(text: str) -> list[str]:
    """Instructions on one line each, without comments."""
    kept = [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(kept))
    return [" ".join(line.split(maxsplit=1)) for line in joined.splitlines()]


class Context:
    """The folder that is sent to the engine, as .dockerignore leaves it.

    Ours begins with `*`; then each `!PATH` lets one in, and each `**/NAME` keeps out what is called
    so anywhere.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ValueError for a .dockerignore of another form."""
        lines = (folder / ".dockerignore").read_text("utf-8").split()
        self.folder = folder
        self.let_in = [line[1:] for line in lines if line.startswith("!")]
        self._names = [line.removeprefix("**/") for line in lines if line.startswith("**/")]
        if lines[0] != "*" or len(lines) != 1 + len(self.let_in) + len(self._names):
            raise ValueError(".dockerignore: begin with *, then !PATH and **/NAME")

    def path(self, name: str) -> Path:
        """A file or folder of the context. Raises FileNotFoundError for what is not sent."""
        asked = PurePosixPath(name)
        if not any(
            asked == PurePosixPath(each) or asked.is_relative_to(each) for each in self.let_in
        ):
            raise FileNotFoundError(f"{name} is not in the build context: see .dockerignore")
        found = self.folder / asked
        if not found.exists():
            raise FileNotFoundError(found)
        return found

    def left_out(self, _: str, names: list[str]) -> list[str]:
        """For `shutil.copytree`: which of the names in a folder are not sent."""
        return [name for name in names if any(fnmatch(name, pattern) for pattern in self._names)]
