"""What the architecture tests look at: the tracked files, and the syntax tree of each Python
file."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("proxy_addon", "db")


@cache
def names() -> tuple[Path, ...]:
    """Files and links that are in git, or would be after `git add .`; from the root. Without git:
    the whole tree."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
        found = [Path(name) for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        skip = {".venv", "var", "artifacts", "build", "__pycache__"}
        every = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        found = [path for path in every if not skip & set(path.parts)]
    return tuple(sorted(found))


@cache
def tracked() -> tuple[Path, ...]:
    """The files of `names`."""
    return tuple(path for path in names() if (ROOT / path).is_file())


def python_files(*folders: str) -> list[Path]:
    """Python files below the given top-level folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in folders]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def text_files() -> Iterator[tuple[Path, str]]:
    """Every tracked file that is text."""
    for path in tracked():
        try:
            yield path, (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue


def module_name(path: Path) -> str:
    """`proxy_addon/core/types.py` as `proxy_addon.core.types`."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
