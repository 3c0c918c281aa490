"""Twin of proxy_addon/cli/db/common.py: what is wrong, as the commands tell it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.cli.command_setup import run


def test_somebody_elses_database(folder: Path) -> None:
    """One line on standard error, exit code 1, nothing on standard output."""
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE invoices (id INTEGER)")
    other.close()
    for command in ("upgrade", "check"):
        code, out, error = run("db", command, "--database", f"sqlite:///{folder}/other.db")
        assert (code, out) == (1, "")
        assert "invoices" in error
        assert len(error.splitlines()) == 1
