"""Each library that is imported is declared in pyproject.toml, and each that the product declares
is used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import OURS, ROOT, parsed, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCAL = {path.name for path in ROOT.iterdir() if path.is_dir()}

# Libraries of a library that is declared: their versions have to be those with which that one
# works.
THROUGH = {
    "certifi": "mitmproxy",
    "cryptography": "mitmproxy",
    "h11": "mitmproxy",
    "h2": "mitmproxy",
    "hpack": "h2",
    "hyperframe": "h2",
    "markupsafe": "jinja2",
    "pydantic-core": "pydantic",
    "pyopenssl": "mitmproxy",
    "starlette": "fastapi",
    "typing-extensions": "pydantic",
    "wsproto": "mitmproxy",
}
# What the product declares and does not import, each with its reason.
NOT_IMPORTED = {
    "tzdata": "zoneinfo reads it where the system has no time zones",
}
# What tests import only where it is installed.
OPTIONAL = {"atheris"}


def declared(requirements: Iterable[str]) -> set[str]:
    """The distributions that requirements name."""
    return {canonicalize_name(Requirement(each).name) for each in requirements}


PRODUCT = declared(PROJECT["project"]["dependencies"])
GROUPS = declared(each for group in PROJECT["dependency-groups"].values() for each in group)


@cache
def distributions() -> dict[str, set[str]]:
    """Distributions by the names under which they are imported."""
    found = packages_distributions()
    return {package: {canonicalize_name(name) for name in found[package]} for package in found}


def libraries(*folders: str) -> dict[str, Path]:
    """The packages of others that Python files import, each with one file that does."""
    found: dict[str, Path] = {}
    for path in python_files(*folders):
        for node in ast.walk(parsed(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found.update(dict.fromkeys((name.partition(".")[0] for name in names), path))
    ours = sys.stdlib_module_names | LOCAL | OPTIONAL
    return {name: path for name, path in found.items() if name not in ours}


@pytest.mark.parametrize(
    ("folders", "permitted"),
    [(OURS, PRODUCT), (("deploy", "dashboards", "tests"), PRODUCT | GROUPS)],
    ids=["product", "tests and tools"],
)
def test_what_is_imported_is_declared(folders: tuple[str, ...], permitted: set[str]) -> None:
    """The product may import its own dependencies only; tests and tools those of the groups as
    well."""
    undeclared = [
        f"{path}: {name}"
        for name, path in libraries(*folders).items()
        if not distributions().get(name, set()) & (permitted | set(THROUGH))
    ]
    assert undeclared == []


def test_what_is_declared_is_imported() -> None:
    """A dependency that nobody imports is taken out, or has its reason above."""
    used = set().union(*(distributions().get(name, set()) for name in libraries(*OURS)))
    assert PRODUCT - used == set(NOT_IMPORTED)


@pytest.mark.parametrize("name", THROUGH)
def test_libraries_of_libraries_come_with_them(name: str) -> None:
    """What we import without declaring it is a requirement of what we declare."""
    assert THROUGH[name] in PRODUCT | set(THROUGH)
    lines = [re.split(r";", each)[0] for each in requires(THROUGH[name]) or ()]
    assert name in declared(lines)
