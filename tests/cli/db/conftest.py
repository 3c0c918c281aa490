"""Shared by the tests of `allowance db`."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, where no settings file and no variable decide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALLOWANCE_DATABASE", raising=False)
    return tmp_path
