"""Twin of db/identity.py; see tests/ledger/test_ledger_contract.py and test_copy.py as well."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.ledger.interface import LedgerUnusable
from tests.db.engines import ENGINES, connected, new_url


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("DELETE FROM ledger_identity", 0),
        ("INSERT INTO ledger_identity SELECT 'x', created_at FROM ledger_identity", 2),
    ],
)
def test_an_id_that_was_meddled_with(
    engine: str, statement: str, rows: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Without its row, or with a second one, nobody guesses: one line says what is wrong."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    with connected(url) as connection:
        connection.execute(text(statement))
    with (
        closing(SqlLedger(url, "a")) as ledger,
        pytest.raises(LedgerUnusable, match=rf"ledger_identity .*found: {rows}\)") as caught,
    ):
        ledger.identity()
    assert caught.value.kind == "identity"


@pytest.mark.parametrize("engine", ENGINES)
def test_two_ledgers_have_two_ids(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Each ledger that is made gets an id of its own, not one of the program or the host."""
    urls = [new_url(engine, request, tmp_path), f"sqlite:///{tmp_path}/other.db"]
    found = set()
    for url in urls:
        upgrade(url)
        with closing(SqlLedger(url, "a")) as ledger:
            found.add(ledger.identity())
    assert len(found) == 2
