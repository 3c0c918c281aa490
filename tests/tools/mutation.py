"""Changes the product's code in small ways and counts how many of the changes the tests notice:
`make mutation`.

A mutant is a copy of one module with one operator, constant or condition changed. It is *killed*
when a test of its folder fails or does not end, and it *survives* when all pass. The sample is
drawn from a seed, so a run can be repeated; survivors are printed with their place so that somebody
can look at them.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SUITES = {  # folder of the product: the tests that have to notice, the nearest first
    "proxy_addon/core/policy": (
        "tests/core/policy",
        "tests/core",
        "tests/rules/test_explanation.py",
    ),
    "proxy_addon/core/metering": ("tests/core/metering", "tests/metering"),
    "proxy_addon/ledger": ("tests/ledger",),
}
NOTICED_WITHIN = 120.0  # seconds; a mutant that runs longer hangs, which counts as noticed

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
_OPTIONS_ONLY = frozenset({"dataclass", "lru_cache"})
_CACHE_SIZES = frozenset({"_KEPT"})  # the project's name for how many entries a cache holds
_LOGGERS = frozenset({"log", "_log", "logger"})


class Mutant(NamedTuple):
    """One change: `source` is the whole module with it."""

    path: Path  # from the root
    line: int
    change: str
    source: str


def changed(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What a node could be instead, each with a description; nothing for nodes that are left
    alone."""
    new = copy.deepcopy(node)
    if isinstance(new, ast.Compare) and type(new.ops[0]) in _COMPARISONS:
        new.ops[0] = _COMPARISONS[type(new.ops[0])]()
    elif isinstance(new, ast.BinOp) and type(new.op) in _ARITHMETIC:
        new.op = _ARITHMETIC[type(new.op)]()
    elif isinstance(new, ast.BoolOp):
        new.op = ast.Or() if isinstance(new.op, ast.And) else ast.And()
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, ast.Not):
        yield new.operand, f"{ast.unparse(node)} -> {ast.unparse(new.operand)}"
        return
    elif isinstance(new, ast.Constant) and isinstance(new.value, bool):
        new.value = not new.value
    elif isinstance(new, ast.Constant) and isinstance(new.value, int | float):
        new.value += 1
    else:
        return
    yield new, f"{ast.unparse(node)} -> {ast.unparse(new)}"


def untouched(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node in which a change says nothing about the tests.

    Annotations and what stands under TYPE_CHECKING do not run; methods of a protocol have no body,
    so that their defaults are never used; the options of `dataclass` and of a cache, and the
    constant that holds its size, change no answer; and what is logged is for people, not for the
    program.
    """
    for name in ("annotation", "returns"):
        if (part := getattr(node, name, None)) is not None:
            yield part
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from (each for each in node.decorator_list if _last_name(each) in _OPTIONS_ONLY)
    if isinstance(node, ast.Assign | ast.AnnAssign) and _is_cache_size(node):
        yield node
    if isinstance(node, ast.ClassDef) and "Protocol" in map(_last_name, node.bases):
        yield from node.body
    if isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
        yield from node.body
    if isinstance(node, ast.Call) and _logs(node.func):
        yield node


def _last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`, of `c[...]` and of `c(...)`; nothing for what has no name."""
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    if isinstance(node, ast.Subscript):
        return _last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_cache_size(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return any(isinstance(each, ast.Name) and each.id in _CACHE_SIZES for each in targets)


def _logs(function: ast.AST) -> bool:
    return isinstance(function, ast.Attribute) and _last_name(function.value) in _LOGGERS


class _Replace(ast.NodeTransformer):
    def __init__(self, wanted: ast.AST, new: ast.AST) -> None:
        self._wanted, self._new = wanted, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._wanted else super().visit(node)


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a module, but for what is left alone (`untouched`)."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    skipped = {
        id(inner) for node in ast.walk(tree) for part in untouched(node) for inner in ast.walk(part)
    }
    for node in list(ast.walk(tree)):
        if id(node) in skipped:
            continue
        for new, change in changed(node):
            memo = copy.deepcopy(tree)
            twin = next(b for a, b in zip(ast.walk(tree), ast.walk(memo), strict=True) if a is node)
            source = ast.unparse(ast.fix_missing_locations(_Replace(twin, new).visit(memo)))
            yield Mutant(path, getattr(node, "lineno", 0), change, source)


def killed(mutant: Mutant, suite: tuple[str, ...], copy_of_tree: Path) -> bool:
    """True when the tests notice the change. The copy is as it was afterwards."""
    place = copy_of_tree / mutant.path
    before = place.read_text("utf-8")
    place.write_text(mutant.source, "utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *suite]
    try:
        run = subprocess.run(
            command, cwd=copy_of_tree, capture_output=True, timeout=NOTICED_WITHIN, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    finally:
        place.write_text(before, "utf-8")
    return run.returncode != 0


def _copied(folder: str) -> Path:
    tree = Path(folder, "tree")
    left_out = (".git", ".venv", "var", "artifacts", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*left_out))
    return tree


def run(source: str, mutants_: Sequence[Mutant], jobs: int) -> int:
    """Try mutants of one folder, as many at once as `jobs`; prints those that survive, returns how
    many do not."""
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(jobs) as pool:
        trees = queue.SimpleQueue[Path]()
        for _ in range(jobs):
            trees.put(_copied(stack.enter_context(tempfile.TemporaryDirectory())))

        def noticed(mutant: Mutant) -> bool:
            tree = trees.get()
            try:
                dead = killed(mutant, SUITES[source], tree)
            finally:
                trees.put(tree)
            if not dead:
                print(f"  survived {mutant.path}:{mutant.line}: {mutant.change}", flush=True)
            return dead

        return sum(pool.map(noticed, mutants_))


def sampled(source: str, size: int, seed: int) -> tuple[list[Mutant], int]:
    """A sample of the mutants of a folder, and how many there are."""
    modules = sorted(path.relative_to(ROOT) for path in (ROOT / source).glob("*.py"))
    every = [mutant for path in modules for mutant in mutants(path)]
    return random.Random(seed).sample(every, min(size, len(every))), len(every)


def main() -> int:
    """Run a sample of each folder; 1 when fewer than `--floor` percent are killed."""
    parser = argparse.ArgumentParser(description="mutation run")
    parser.add_argument("--sample", type=int, default=30, help="mutants for each folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--floor", type=float, default=90.0, help="percent that must be killed")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at the same time")
    parser.add_argument(
        "--only", choices=tuple(SUITES), action="append", help="a folder; may be given more often"
    )
    options = parser.parse_args()
    total = dead = 0
    for source in options.only or SUITES:
        sample, count = sampled(source, options.sample, options.seed)
        print(f"{source}: {len(sample)} of {count} mutants", flush=True)
        noticed = run(source, sample, options.jobs)
        print(f"{source}: {noticed} of {len(sample)} killed", flush=True)
        total, dead = total + len(sample), dead + noticed
    share = 100.0 * dead / max(total, 1)
    print(f"{dead} of {total} killed ({share:.1f} %)")
    return 0 if share >= options.floor else 1


if __name__ == "__main__":
    sys.exit(main())
