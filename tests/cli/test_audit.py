"""Twin of proxy_addon/cli/audit.py."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from tests.cli.command_setup import folder, line, run

__all__ = ["folder"]  # a fixture


def test_audit(folder: Path) -> None:
    """Entries for people and for programs, from an instant on; a time that is none is one line."""
    run("reset", "bo", "daily", "--reason", "the page hung")
    (entry,) = json.loads(run("audit", "--json")[1])["audit"]
    assert (entry["actor"], entry["action"], entry["subject"]) == (
        f"cli:{getpass.getuser()}",
        "reset",
        "bo",
    )
    assert "reset" in run("audit", "--since", "1d")[1]
    assert json.loads(run("audit", "--since", "2999-01-01", "--json")[1]) == {"audit": []}
    assert "Nothing was changed" in run("audit", "--since", "2999-01-01T10:00")[1]
    assert "--since: 'soon' is not a time" in line("audit", "--since", "soon")


def test_audit_by_the_clock_of_the_ledger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long ago something was is told by the server of the ledger, where it has a clock."""
    run("reset", "bo", "daily", "--reason", "the page hung")
    (entry,) = json.loads(run("audit", "--json")[1])["audit"]
    later = datetime.fromisoformat(entry["at"]).timestamp() + 3 * 86_400.0
    monkeypatch.setattr(SqlLedger, "clock", lambda ledger: later)
    assert json.loads(run("audit", "--since", "1d", "--json")[1]) == {"audit": []}
    assert len(json.loads(run("audit", "--since", "4d", "--json")[1])["audit"]) == 1
