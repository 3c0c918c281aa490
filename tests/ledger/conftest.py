"""Fixtures of the tests of the ledger: a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db import sqlite as sqlite_module
from db.ledger import SqlLedger
from db.upgrade import upgrade


@pytest.fixture
def sqlite_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite ledger whose writers do not wait long for a lock."""
    monkeypatch.setattr(sqlite_module, "BUSY_SECONDS", 0.05)
    url = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(url)
    return url


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[SqlLedger]:
    """A real ledger."""
    ledger = SqlLedger(sqlite_url, "a")
    yield ledger
    ledger.close()
