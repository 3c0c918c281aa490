"""docs/architecture.md names the layers of pyproject.toml and every module, and decisions.md who
opens the database."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from tests.architecture.tree import OURS, ROOT, parsed, python_files

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
TREE = PAGE.split("```")[1].split("\ntests/")[0].strip("\n").splitlines()
NAMES = 20  # spaces before a line of names; rows of folders begin further left
REVISIONS = Path("db/migrations")  # named as a folder; its files are named by their revisions


class Row(NamedTuple):
    """One folder of the page, and the names below it."""

    folder: Path
    names: list[str]


def rows() -> list[Row]:
    """The folders of the page, each with its modules (`name`) and folders without modules
    (`name/`)."""
    found: list[Row] = []
    above: list[tuple[int, Path]] = []
    for line in TREE:
        depth = len(line) - len(line.lstrip())
        if depth >= NAMES:
            found[-1].names.extend(re.sub(r"\([^)]*\)", " ", line).split())
            continue
        above = [(indent, folder) for indent, folder in above if indent < depth]
        if "|" in line or not (named := re.match(r"\s*(\w+)/(?:\s|$)", line)):
            continue
        folder = (above[-1][1] if above else Path()) / named[1]
        above.append((depth, folder))
        found.append(Row(folder, []))
    return found


def modules_of(folder: Path) -> set[str]:
    """The modules that lie in a folder itself."""
    stems = {path.stem for path in python_files(*OURS) if path.parent == folder}
    return stems - {"__init__", "__main__"}


def test_every_folder_and_module_is_in_its_row() -> None:
    """No module is missing on the page, none is named twice, and none that is not there is
    named."""
    found = rows()
    named = {row.folder: sorted(name for name in row.names if "/" not in name) for row in found}
    assert len(named) == len(found)
    folders = {path.parent for path in python_files(*OURS) if modules_of(path.parent)}
    folders = {folder for folder in folders if not folder.is_relative_to(REVISIONS)}
    there = {folder: sorted(modules_of(folder)) for folder in folders | set(named)}
    assert {k: v for k, v in named.items() if v} == {k: v for k, v in there.items() if v}


def test_folders_without_modules_exist() -> None:
    """Those of templates, styles and migrations."""
    below = [row.folder / name for row in rows() for name in row.names if name.endswith("/")]
    assert len(below) > 3
    assert [path.as_posix() for path in below if not (ROOT / path).is_dir()] == []


def test_the_layers_are_those_of_the_contract() -> None:
    """In the same order, with the same folders beside each other."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    wanted = next(each["layers"] for each in contracts["contracts"] if each["type"] == "layers")
    first_level = [line.strip() for line in TREE if re.match(r"  \S", line)]
    drawn = [line if "|" in line else line.split()[0] for line in first_level]
    assert [line.replace("/", "") for line in drawn] == wanted


def packages(path: Path) -> set[str]:
    """The top-level packages from which a module imports names."""
    froms = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ImportFrom)]
    return {(node.module or "").partition(".")[0] for node in froms}


def test_decisions_name_the_commands_that_open_the_database() -> None:
    """The decision on commands on the ledger lists the modules that import `db`, all of them and no
    others."""
    decisions = (ROOT / "docs" / "decisions.md").read_text("utf-8")
    section = decisions.split("### Commands on the ledger open it themselves\n")[1].split("\n#")[0]
    opening = {
        path.as_posix()
        for path in python_files("proxy_addon")
        if path.is_relative_to("proxy_addon/cli") and "db" in packages(path)
    }
    assert set(re.findall(r"proxy_addon/[\w/]+\.py", section)) == opening
