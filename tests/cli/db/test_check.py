"""Twin of proxy_addon/cli/db/check.py."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import text

from tests.cli.command_setup import run
from tests.db.engines import connected


def test_check_as_json(folder: Path) -> None:
    """The JSON form has the answer and the problem, with the same exit codes."""
    code, out, _ = run("db", "check", "--json")
    assert code == 1
    assert json.loads(out)["ok"] is False
    assert "cannot be opened" in json.loads(out)["problem"]
    run("db", "upgrade")
    code, out, _ = run("db", "check", "--json")
    assert code == 0
    assert json.loads(out)["problem"] is None


def test_a_schema_that_cannot_be_used(folder: Path) -> None:
    """A newer schema that does not say that we may use it is named, with the problem; no database,
    no schema."""
    assert json.loads(run("db", "check", "--json")[1])["schema"] is None
    run("db", "upgrade")
    with connected(f"sqlite:///{folder}/var/allowance.db") as connection:
        connection.execute(text("DELETE FROM schema_compatibility"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'ledger_9999'"))
    code, out, _ = run("db", "check", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["schema"]) == (1, False, "ledger_9999")
    assert "a newer Allowance" in found["problem"]


def test_a_password_is_not_shown(folder: Path) -> None:
    """A server that is away is named without the password."""
    code, out, error = run("db", "check", "--database", "postgresql://u:s3cret@127.0.0.1:1/d")
    assert code == 1
    assert "127.0.0.1:1" in error
    assert "s3cret" not in out + error
