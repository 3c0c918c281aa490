"""A public class has one name, and a name one class: who reads `Outcome` need not look up which one
is meant."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import OURS, parsed, python_files


def public_types(path: Path) -> Iterator[str]:
    """The public classes and type aliases that a module defines."""
    for node in parsed(path).body:
        if isinstance(node, ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.TypeAlias):
            name = node.name.id
        else:
            continue
        if not name.startswith("_"):
            yield name


def test_class_names_are_unique() -> None:
    """No public class or type alias has the name of one in another module."""
    defined: defaultdict[str, list[str]] = defaultdict(list)
    for path in python_files(*OURS):
        for name in public_types(path):
            defined[name].append(path.as_posix())
    shared = [f"{name}: {', '.join(paths)}" for name, paths in defined.items() if len(paths) > 1]
    assert shared == []
