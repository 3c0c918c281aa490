"""Twin of proxy_addon/cli/db/upgrade.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import HEAD
from tests.cli.command_setup import run
from tests.db.engines import connected
from tests.db.test_next_schema import ADDED


def test_upgrade_then_check(folder: Path) -> None:
    """Upgrade makes the default database, says what it did, and check finds it ready."""
    assert run("db", "check")[0] == 1
    code, out, _ = run("db", "upgrade")
    assert code == 0
    assert "var/allowance.db is now at schema" in out
    assert "was already" in run("db", "upgrade")[1]
    code, out, _ = run("db", "check")
    assert code == 0
    assert "is ready" in out


def test_the_schema_is_that_of_the_database(folder: Path) -> None:
    """A newer schema that this version may use is shown as it is, and that it is newer; so is a
    usual one."""
    url = f"sqlite:///{folder}/var/allowance.db"
    assert f"is now at schema {HEAD}." in run("db", "upgrade")[1]
    assert f"schema {HEAD}, can be written to" in run("db", "check")[1]
    assert json.loads(run("db", "check", "--json")[1])["schema"] == HEAD
    with connected(url) as connection:
        for statement in ADDED:
            connection.execute(text(statement))
        connection.execute(
            text("INSERT INTO schema_compatibility VALUES (:oldest)"), {"oldest": HEAD}
        )
    newer = f"schema ledger_9999 (newer than {HEAD} of this version, but compatible)"
    assert f"was already at {newer}." in run("db", "upgrade")[1]
    assert f"is ready: {newer}, can be written to." in run("db", "check")[1]
    found = json.loads(run("db", "check", "--json")[1])
    assert (found["ok"], found["schema"]) == (True, "ledger_9999")


def test_the_environment_names_the_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ALLOWANCE_DATABASE` counts, and a flag counts more."""
    monkeypatch.setenv("ALLOWANCE_DATABASE", f"sqlite:///{folder}/one.db")
    run("db", "upgrade")
    run("db", "upgrade", "--database", f"sqlite:///{folder}/two.db")
    assert {file.name for file in folder.glob("*.db")} == {"one.db", "two.db"}
