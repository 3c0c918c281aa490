"""Imports between modules: which are allowed, and how they are written."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

from proxy_addon.cli.lazy_group import CommandTarget
from proxy_addon.cli.main import COMMANDS
from tests.architecture.tree import OURS, ROOT, module_name, parsed, python_files

FILES = python_files(*OURS)
MODULES = {module_name(path): path for path in FILES}


def imported(path: Path) -> Iterator[str]:
    """Modules of ours that a file imports when it is loaded; `if TYPE_CHECKING` counts like any
    other import."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name for name in below if name in MODULES]
            yield from found
            if len(found) < len(below) and node.module in MODULES:
                yield node.module


def test_contracts() -> None:
    """Every contract of `[tool.importlinter]` in pyproject.toml is kept."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[run.stdout.find("Contracts") :] + run.stderr


def test_no_cycles() -> None:
    """No chain of imports leads back to where it began."""
    graph = {
        name: {other for other in imported(path) if other != name} for name, path in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def targets(table: Mapping[str, CommandTarget]) -> Iterator[CommandTarget]:
    """Every line of a table of commands, and of the tables of the groups in it."""
    for target in table.values():
        yield target
        yield from targets(getattr(import_module(target.module), "COMMANDS", {}))


def test_commands_that_are_imported_by_name_exist() -> None:
    """The tables of commands have strings, which no other tool follows: each is a module of ours
    with that name in it."""
    for target in targets(COMMANDS):
        assert target.module in MODULES
        assert callable(getattr(import_module(target.module), target.name)), target


# Loaders of what is large and seldom needed: all they do is to import late, and each says why.
LATE = ("db/late.py", "db/late_driver.py", "proxy_addon/rules/calendar_libraries.py")
# A command is found by its name; `targets` above looks at every name.
BY_NAME = "proxy_addon/cli/lazy_group.py"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_stand_at_the_top(path: Path) -> None:
    """Imports are absolute and never inside a function, where they hide a cycle or a cost."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
        if path.as_posix() in LATE:
            continue
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            by_name = path.as_posix() != BY_NAME
            assert not (by_name and called in ("import_module", "__import__")), (
                f"{path}:{node.lineno}: an import that no tool sees"
            )
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not inner, f"{path}:{inner[0].lineno}: an import inside a function"


ONLY_IN = {
    # package: where it may be imported, and why there
    "mitmproxy": (
        "proxy_addon/proxy/",  # the adapter
        "proxy_addon/runtime/script_addon.py",  # the entry point that `mitmdump -s` loads
        "proxy_addon/trace/flows.py",  # reads recorded flow dumps
    ),
    "yaml": ("proxy_addon/rules/yaml_reader.py",),
    "sqlalchemy": ("db/",),
    "alembic": ("db/",),
    "psycopg": ("db/",),
    "typer": ("proxy_addon/cli/",),
    "fastapi": ("proxy_addon/web/",),
    "starlette": ("proxy_addon/web/",),
    "uvicorn": ("proxy_addon/web/", "proxy_addon/proxy/page_protocol.py"),
    "argon2": ("proxy_addon/identity/passwords.py",),
    "prometheus_client": (
        "proxy_addon/observability/metric_families.py",
        "proxy_addon/observability/metrics.py",
        "proxy_addon/observability/exposition.py",
        "proxy_addon/observability/metric_files.py",
        "proxy_addon/observability/policy_readers.py",
    ),
}


@pytest.mark.parametrize("package", ONLY_IN)
def test_libraries_have_one_home(package: str) -> None:
    """A library that could be replaced is known in one place only."""
    for path in FILES:
        for node in ast.walk(parsed(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if package in {name.partition(".")[0] for name in names}:
                assert path.as_posix().startswith(ONLY_IN[package]), f"{path} imports {package}"
