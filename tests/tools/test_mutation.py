"""Twin of tests/tools/mutation.py: which changes it makes, and that it leaves the rest of a module
alone."""

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


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("if TYPE_CHECKING:\n    LIMIT = 1\nelse:\n    LIMIT = 2", ["2 -> 3"]),
        ("if typing.TYPE_CHECKING:\n    LIMIT = 1", []),
        (
            "log.info('done', rows=count - 1)\nleft = count - 1",
            ["count - 1 -> count + 1", "1 -> 2"],
        ),
        ("log.exception('failed', again=True)", []),
        ("catalogue.info(1)", ["1 -> 2"]),
        ("@dataclass(frozen=True, slots=True)\nclass Value:\n    size: int = 3", ["3 -> 4"]),
        ("@lru_cache(maxsize=8)\ndef f(x): return not x", ["not x -> x"]),
        ("_KEPT = 20_000\nMARKS_KEPT = 3", ["3 -> 4"]),
        ("_KEPT: Final = 20_000", []),
        ("@retry(3)\ndef f(): ...", ["3 -> 4"]),
        ("class Port(Protocol):\n    def prune(self, batch=5): ...", []),
        ("class Box(Protocol[T]):\n    def prune(self, batch=5): ...", []),
        ("class Real(Port):\n    def prune(self, batch=5): ...", ["5 -> 6"]),
        ("def f(a: Literal[1] = 2) -> Literal[3]: ...", ["2 -> 3"]),
    ],
)
def test_what_no_test_has_to_notice(
    source: str, changes: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What does not run, log lines, and options that change no answer are left alone; all beside
    them is changed."""
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    (tmp_path / "m.py").write_text(source)
    assert [mutant.change for mutant in mutation.mutants(Path("m.py"))] == changes
