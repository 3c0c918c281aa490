"""Twin of tests/tools/mutation.py: which changes it makes, and that it leaves the rest of a module alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.tools import mutation


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("a < b", ["a < b -> a <= b"]),
        ("a and b", ["a and b -> a or b"]),
        ("not a", ["not a -> a"]),
        ("a + 1", ["a + 1 -> a - 1", "1 -> 2"]),
        ("True", ["True -> False"]),
        ("'text'", []),
    ],
)
def test_changes(source: str, changes: list[str]) -> None:
    """Comparisons, conditions, arithmetic and constants are changed; text is not."""
    tree = ast.parse(source, mode="eval")
    found = [change for node in ast.walk(tree) for _, change in mutation.changed(node)]
    assert found == changes


def test_each_mutant_differs_in_one_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Annotations stay, and each mutant is the module with one change."""
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    (tmp_path / "m.py").write_text("def f(a: int = 1) -> bool:\n    return a > 2\n")
    sources = {mutant.source for mutant in mutation.mutants(Path("m.py"))}
    assert sources == {
        "def f(a: int=2) -> bool:\n    return a > 2",
        "def f(a: int=1) -> bool:\n    return a >= 2",
        "def f(a: int=1) -> bool:\n    return a > 3",
    }
