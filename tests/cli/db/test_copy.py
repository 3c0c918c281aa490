"""Twin of proxy_addon/cli/db/copy.py: the command; what it copies is in tests/db/test_copy.py."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command_setup import URL, folder, line, run

__all__ = ["folder"]  # a fixture


def test_copy_tells_what_it_did(folder: Path) -> None:
    """One line a table, the result in words or as JSON; again there is nothing to do."""
    code, out, _ = run("db", "copy", URL, "sqlite:///backup/one.db")
    assert code == 0
    assert "visits: 2 rows, 2 written now, digest " in out
    copied = json.loads(run("db", "copy", URL, "sqlite:///backup/one.db", "--json")[1])
    assert out.splitlines()[-1] == (
        "SQLite file backup/one.db equals SQLite file var/allowance.db and has its id, "
        f"{copied['identity']}."
    )
    tables = {table["table"]: (table["rows"], table["written"]) for table in copied["tables"]}
    assert tables["visits"] == (2, 0)


def test_wrong_ends_are_one_line(folder: Path) -> None:
    """A URL that names nothing, a source that is not there, a target in use: one line, and nothing
    is made."""
    assert "the same database" in line("db", "copy", URL, URL)
    assert "cannot be opened" in line("db", "copy", "sqlite:///no.db", "sqlite:///new.db")
    assert line("db", "copy", "foo", URL).startswith("FROM_URL: 'foo': the database URL cannot be")
    wrong = line("db", "copy", URL, "postgresql://a:secret@h:x/y")
    assert wrong.startswith(
        "TO_URL: 'postgresql://***@h:x/y': the database URL cannot be read; use"
    )
    assert not (folder / "new.db").exists()
    assert run("db", "upgrade", "--database", "sqlite:///other.db")[0] == 0
    assert "no earlier part of this copy" in line("db", "copy", "sqlite:///other.db", URL)
