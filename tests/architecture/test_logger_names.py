"""The field `logger` of log lines, which administrators filter by."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "allowance.decisions",
    "allowance.journal",
    "allowance.ledger",
    "allowance.proxy",
    "allowance.rules",
    "allowance.run",
    "proxy_addon.passwords",
    "proxy_addon.proxy.sign_in",
    "proxy_addon.web.app",
}
MADE_BY = {"getLogger", "get_logger"}
CONFIGURES = "proxy_addon/system/logging_setup.py"  # sets the levels of loggers that exist


def loggers() -> Iterator[tuple[str, ast.expr | None]]:
    """File and argument of each call that makes a logger."""
    for folder in ("proxy_addon", "db"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            file = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    file != CONFIGURES
                    and isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in MADE_BY
                ):
                    yield file, node.args[0] if node.args else None


def test_names_are_fixed() -> None:
    """Each logger has a name that is written out, so that a module can move and no line changes its
    sender."""
    names = {}
    for file, argument in loggers():
        assert isinstance(argument, ast.Constant), file
        names[argument.value] = file
    assert names.keys() == NAMES


def test_names_are_documented() -> None:
    """The page about logs lists them all."""
    page = (ROOT / "docs" / "logs.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in NAMES)
