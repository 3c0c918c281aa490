"""Twin of db/pseudonymise.py: names from before pseudonyms were switched on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Text, select

from db.ledger import SqlLedger
from db.models import Base
from db.upgrade import upgrade
from proxy_addon.identity.pseudonyms import Pseudonyms
from proxy_addon.ledger.erasure import Erasure
from proxy_addon.ledger.interface import AuditEntry
from tests.db.engines import ENGINES, connected, new_url
from tests.db.test_migrate import fill

NAMES = Pseudonyms(b"k" * 32)


def texts(url: str) -> set[str]:
    """Every text in every column of every table."""
    with connected(url) as connection:
        return {
            str(value)
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if isinstance(column.type, Text)
            for value in connection.execute(select(column)).scalars()
        }


@pytest.mark.parametrize("engine", ENGINES)
def test_all_names_become_pseudonyms(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """After it no table has a name, other proxies hear of the changed rows, and a second time
    changes nothing."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    fill(url)
    ledger = SqlLedger(url, "a")
    ledger.erase(Erasure.of("bo", 5.0), "bo", label="erased:1", actor="cli:ada", reason="asked")
    ledger.rules_in_force("digest", 6.0, "a")
    cursor = ledger.news(float("inf")).cursor
    assert texts(url) & {"ana", "lead", "ada", "cli:ada"}
    assert ledger.mask_names(NAMES.of, NAMES.actor) > 0
    assert not texts(url) & {"ana", "lead", "ada", "cli:ada"}
    assert texts(url) >= {"erased:1", "rules", "node:a", f"cli:{NAMES.of('ada')}"}
    assert [row.person for row in ledger.news(cursor).visits] == [NAMES.of("ana")]
    assert ledger.mask_names(NAMES.of, NAMES.actor) == 0
    ledger.audit(AuditEntry(7.0, "cli:ada", "reset", "zoe"))
    assert ledger.mask_names(NAMES.of, NAMES.actor) == 2
    ledger.close()
