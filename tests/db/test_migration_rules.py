"""Migrations after ledger_0004 only add, so that the version before can go on with the ledger
meanwhile."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

VERSIONS = Path(__file__).resolve().parents[2] / "db" / "migrations" / "versions"
LAST_THAT_CHANGED = "ledger_0004"  # until here migrations also rebuilt indexes and tightened rules
MAY = {"create_table", "add_column", "create_index", "get_bind", "bulk_insert"}
SAYS = "schema_compatibility"


def broken(source: str) -> list[str]:
    """What in the `upgrade` of a migration takes something away from older versions, one line
    each."""
    tree = ast.parse(source)
    upgrade = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    )
    found = []
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "op":
            if name not in MAY:
                found.append(f"op.{name}")
            if name == "add_column" and not _may_be_missing(call):
                found.append("a column that has to be filled in")
    if SAYS not in source:
        found.append(f"no row in {SAYS}")
    return found


def _may_be_missing(call: ast.Call) -> bool:
    column = call.args[1]
    given = {word.arg: word.value for word in getattr(column, "keywords", [])}
    required = isinstance(given.get("nullable"), ast.Constant) and not given["nullable"].value  # type: ignore[attr-defined]
    return "server_default" in given or not required


GOOD = """
def upgrade():
    # keeps schema_compatibility
    op.create_table("devices")
    op.add_column("visits", sa.Column("device", sa.Text(), nullable=True))
    op.add_column("visits", sa.Column("urgent", sa.Integer(), nullable=False, server_default="0"))
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (GOOD, []),
        (GOOD.replace("nullable=True", "nullable=False"), ["a column that has to be filled in"]),
        (GOOD + '    op.drop_column("visits", "rule")\n', ["op.drop_column"]),
        (GOOD + '    op.alter_column("visits", "rule", nullable=False)\n', ["op.alter_column"]),
        (GOOD.replace("schema_compatibility", "it"), ["no row in schema_compatibility"]),
    ],
    ids=["good", "required", "dropped", "altered", "silent"],
)
def test_the_rule_itself(source: str, expected: list[str]) -> None:
    """Tables, and columns that may be null or have a default; everything else is named."""
    assert broken(source) == expected


def test_later_migrations_only_add() -> None:
    """Each migration after the last one that changed something keeps the rule."""
    later = [path for path in VERSIONS.glob("ledger_*.py") if path.name[:11] > LAST_THAT_CHANGED]
    assert [(path.name, fault) for path in later for fault in broken(path.read_text("utf-8"))] == []
