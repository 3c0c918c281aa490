"""What every file of the project keeps to: size, a twin, a sentence for each test, nothing of one
machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import OURS, ROOT, names, parsed, python_files, text_files, tracked

MOST_LINES = 400
MOST_BODY_LINES = 60
NAMED_FILE = re.compile(r"(?<![\w/.-])(?:[a-z_]+/)*[a-z_]+\.py\b")
MODULES = python_files(*OURS)
TESTS = [path for path in python_files("tests") if path.name.startswith("test_")]

# Modules without a twin of their own, each with the test that stands for it.
EXEMPT = {
    "proxy_addon/__main__.py": (
        "tests/e2e/test_run.py",
        "three lines; every end-to-end test starts it",
    ),
    "proxy_addon/observability/interface.py": (
        "tests/observability/test_metrics.py",
        "a protocol: the one implementation is its meaning",
    ),
    "proxy_addon/relay/client_connection.py": (
        "tests/relay/test_tunnel.py",
        "the state that the steps of a tunnel share",
    ),
    "proxy_addon/relay/interface.py": (
        "tests/proxy/test_light_path.py",
        "protocols: the policy of an office is their meaning",
    ),
    "proxy_addon/proxy/script.py": ("tests/e2e/test_mitmdump.py", "mitmdump has to load it"),
    "proxy_addon/runtime/supervisor.py": (
        "tests/e2e/test_workers.py",
        "processes are tested by starting them",
    ),
    "proxy_addon/runtime/worker_process.py": (
        "tests/e2e/test_workers.py",
        "processes are tested by starting them",
    ),
    "proxy_addon/web/interface.py": (
        "tests/web/test_proxy_state.py",
        "a protocol: the live one is its meaning",
    ),
    "proxy_addon/web/rendering.py": (
        "tests/web/test_app.py",
        "renders what the application answers",
    ),
    "proxy_addon/core/types.py": ("tests/core/policy/test_engine.py", "values without behaviour"),
    "proxy_addon/core/ruleset.py": (
        "tests/core/rules/test_compiler.py",
        "values without behaviour",
    ),
}
MIGRATIONS = (
    "db/migrations/",
    "tests/db/test_migrate.py",
)  # run as a whole, in order, on both engines


def has_code(path: Path) -> bool:
    """True where there is more than a docstring; names that an `__init__` passes on are not
    code."""
    passed_on = (ast.Import, ast.ImportFrom, ast.Assign) if path.name == "__init__.py" else ()
    return any(not isinstance(node, (ast.Expr, *passed_on)) for node in parsed(path).body)


def twin(path: Path) -> Path:
    """The test file of a module; that of a package stands beside its folder."""
    parts = path.parts[1:] if path.parts[0] == "proxy_addon" else path.parts
    if path.name == "__init__.py":
        parts = (*parts[:-2], f"{parts[-2]}.py") if len(parts) > 1 else (f"{path.parts[0]}.py",)
    return Path("tests", *parts[:-1], f"test_{parts[-1]}")


@pytest.mark.parametrize("path", [path for path in MODULES if has_code(path)], ids=str)
def test_every_module_has_its_twin(path: Path) -> None:
    """Who looks for the tests of a module finds them under its name."""
    stands_for, _ = EXEMPT.get(path.as_posix(), ("", ""))
    if path.as_posix().startswith(MIGRATIONS[0]):
        stands_for = MIGRATIONS[1]
    expected = Path(stands_for) if stands_for else twin(path)
    assert (ROOT / expected).is_file(), f"{path} has no {expected}"


def test_exemptions_are_needed() -> None:
    """An exemption is for a module that exists and has no twin; others are taken off the list."""
    for name in EXEMPT:
        assert Path(name) in MODULES, f"{name} is gone"
        assert not (ROOT / twin(Path(name))).is_file(), f"{name} has a twin now"


@pytest.mark.parametrize("path", python_files(*OURS, "tests"), ids=str)
def test_files_are_small(path: Path) -> None:
    """No Python file has more than 400 lines."""
    lines = len((ROOT / path).read_text("utf-8").splitlines())
    assert lines <= MOST_LINES, f"{path} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_functions_are_short(path: Path) -> None:
    """No body of a function has more than 60 lines; parameters, as those of a command, are not
    counted."""
    long = [
        f"{path}:{node.lineno}: {node.name}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.body[0].lineno >= MOST_BODY_LINES
    ]
    assert not long, "\n".join(long)


def functions_in(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The test functions and methods of a file."""
    for node in ast.walk(parsed(path)):
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if named and node.name.startswith("test_"):  # type: ignore[union-attr]
            yield node  # type: ignore[misc]


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_every_test_says_what_it_proves(path: Path) -> None:
    """Each test has a docstring."""
    silent = [
        f"{path}:{test.lineno}: {test.name}"
        for test in functions_in(path)
        if not ast.get_docstring(test)
    ]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_every_module_says_what_it_is(path: Path) -> None:
    """Each module with code in it has a docstring."""
    assert not has_code(path) or ast.get_docstring(parsed(path)), f"{path} has no docstring"


# Put together here, so that this file does not match itself.
HOMES = [r"/ro" + r"ot/", r"/ho" + r"me/[a-z]", r"/Us" + r"ers/"]
HERE = [re.escape(f"{ROOT}/")] if len(ROOT.parts) > 2 else []  # a checkout in /app says nothing
MACHINE = re.compile(r"(?<![\w.])(?:" + "|".join(HOMES + HERE) + ")")
REGISTRY = re.compile(
    r"\b(?:" + "|".join((r"py" + r"pi\.", r"files\.python" + "hosted", r"index-" + "url")) + r")"
)
UNFINISHED = re.compile(
    r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error")) + r")\b"
)


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (MACHINE, "a path of one machine"),
        (REGISTRY, "a package registry"),
        (UNFINISHED, "unfinished work"),
    ],
    ids=["machine", "registry", "unfinished"],
)
def test_nothing_that_should_not_be_here(pattern: re.Pattern[str], what: str) -> None:
    """Tracked files name no path of one machine, no package registry, and leave nothing half
    done."""
    found = []
    for path, text in text_files():
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path}:{number}: {what}: {line.strip()[:100]}")
    assert not found, "\n".join(found[:20])


STUMBLES = re.compile(
    r"\bof now\b|\bcame of\b|tell apart|told apart|begins anew|in its middle|way out|"
    r"that the \w+ has not\b|\"\"\"Nothing\.\"\"\"|\"\"\"The end\.\"\"\""
)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_sentences_are_plain(path: Path) -> None:
    """No docstring or message has a turn of phrase over which readers stumbled before."""
    lines = (ROOT / path).read_text("utf-8").splitlines()
    assert [line for line in lines if STUMBLES.search(line)] == []


def test_no_link_leads_out_of_the_repository() -> None:
    """A tracked link points to a file that everybody has who has the repository."""
    links = [path for path in names() if (ROOT / path).is_symlink()]
    outside = [path for path in links if not (ROOT / path).resolve().is_relative_to(ROOT)]
    assert outside == []


def test_files_that_are_named_exist() -> None:
    """A file that a docstring, a comment or a page names is there: a name that has moved misleads
    its reader."""
    known = {str(path) for path in tracked()}
    pages = [path for path in tracked() if path.suffix == ".md" and path.name != "CHANGELOG.md"]
    missing = [
        f"{path}: {name}"
        for path in [*python_files(*OURS), *pages]
        for name in NAMED_FILE.findall((ROOT / path).read_text("utf-8"))
        if name not in known and not any(each.endswith(f"/{name}") for each in known)
    ]
    assert missing == []
