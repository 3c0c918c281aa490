"""Files of ours are read by other processes while we write them: each is written whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Modules that write files by themselves, and why nobody can find a part of one.
WRITES = {
    "proxy_addon/system/private_files.py": "beside the target, then moved: this is the way",
    "proxy_addon/cli/rules/run_tests.py": "a report in a file that somebody names on the command line",
    "proxy_addon/identity/passwords.py": "an empty lock file",
    "proxy_addon/observability/decision_log.py": "whole lines, appended under a lock",
    "proxy_addon/ledger/journal_files.py": "records with a check sum, appended under a lock",
    "proxy_addon/observability/metric_files.py": "an empty file that is made larger",
    "db/sqlite.py": "an empty database file",
    "proxy_addon/system/logging_setup.py": "/dev/null, in the place of closed descriptors",
}
WRITING = {"write_text", "write_bytes"}


def writers() -> Iterator[str]:
    """The modules in which a file is opened to be written."""
    for folder in ("proxy_addon", "db"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            if any(map(_writes, ast.walk(tree))):
                yield path.relative_to(ROOT).as_posix()


def _writes(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in WRITING:
        return True
    if name not in ("open", "fdopen"):
        return False
    flags = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    modes = {
        each.value
        for each in (*node.args, *(keyword.value for keyword in node.keywords))
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    return bool(flags & {"O_WRONLY", "O_RDWR", "O_CREAT"}) or any(
        set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes
    )


def test_files_are_written_whole() -> None:
    """Nothing is written into a file that a worker may be reading: `private_files.replace` does it
    beside the file, and moves it."""
    assert set(writers()) == set(WRITES)


def test_a_plain_write_is_found() -> None:
    """The search can fail."""
    found = [
        "path.write_text('x')",
        "open(path, 'w')",
        "path.open('ab')",
        "os.open(path, os.O_CREAT | os.O_WRONLY)",
        "open(path, mode='r+')",
    ]
    for source in found:
        assert any(map(_writes, ast.walk(ast.parse(source)))), source
    for source in ("path.open('rb')", "open(path)", "os.open(path, os.O_RDONLY)", "x.read_text()"):
        assert not any(map(_writes, ast.walk(ast.parse(source)))), source
