"""Twin of proxy_addon/cli/reset.py."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command_setup import folder, line, run

__all__ = ["folder"]  # a fixture


def test_reset(folder: Path) -> None:
    """A reset gives the whole allowance back and says so; reasons and allowances are checked."""
    assert json.loads(run("usage", "bo", "--json")[1])["allowances"]["daily"]["left"] == 870
    code, out, _ = run("reset", "bo", "daily", "--reason", "the page hung")
    assert (code, out) == (0, "daily starts again for bo; 15 minutes left now.\n")
    usage = json.loads(run("usage", "bo", "--json")[1])
    assert (usage["allowances"]["daily"]["left"], usage["allowances"]["daily"]["spent"]) == (900, 0)
    assert len(usage["visits"]) == 1
    assert "did you mean daily?" in line("reset", "bo", "dialy", "--reason", "x")
    assert "--reason: must say why" in line("reset", "bo", "daily", "--reason", " ")
