"""Fixtures of the tests of db/: every ledger that there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.ledger.interface import Ledger
from tests.db.engines import ENGINES, new_url
from tests.ledger.memory_ledger import MemoryLedger


@pytest.fixture(params=["memory", *ENGINES])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with nothing in it."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    url = new_url(request.param, request, tmp_path)
    upgrade(url)
    ledger = SqlLedger(url, "a")
    yield ledger
    ledger.close()
