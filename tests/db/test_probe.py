"""`db/probe.py`: how a database does, without changing it. One contract for both engines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from db.address import parse
from db.engine import HEAD
from db.ledger import SqlLedger
from db.probe import health, schema_of
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerError
from tests.db.engines import ENGINES, connected, new_url


@pytest.mark.parametrize("engine", ENGINES)
def test_of_a_ledger(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Schema, speed and clock; the rows are what they were."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    ledger = SqlLedger(url, "test")
    ledger.write_visits([Visit("1", "ana", "x", None, None, None, 1.0, 2.0, "n")])
    before = time.time()  # noqa: TID251
    found = health(url)
    assert found.schema == schema_of(url) == HEAD
    assert before - 1 < found.clock < time.time() + 1  # noqa: TID251
    assert 0 < found.opened <= found.asked
    assert found.written is not None
    assert [visit.rev for visit in ledger.visits(0.0)] == [1]
    ledger.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_without_tables(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """An empty database has no schema, and nothing is written to it."""
    url = new_url(engine, request, tmp_path)
    if engine == "sqlite":
        parse(url).file.parent.mkdir()
        parse(url).file.touch()
    found = health(url)
    assert (found.schema, found.written) == (None, None)


@pytest.mark.parametrize("engine", ENGINES)
def test_newer_schema(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """One that this version does not know: the usual error."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    with connected(url) as connection:
        connection.exec_driver_sql("DELETE FROM schema_compatibility")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ledger_9999'")
    with pytest.raises(LedgerError, match="ledger_9999") as problem:
        health(url)
    assert problem.value.kind == "newer"
