"""Two versions share one ledger while machines are updated one by one: this version on the schema
of a next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import HEAD, schema_version
from db.ledger import SqlLedger
from db.probe import health
from db.upgrade import upgrade
from proxy_addon.ledger.interface import LedgerUnusable
from tests.db.engines import ENGINES, connected, new_url
from tests.ledger.test_ledger_contract import START, grant, visit
from tests.ledger.test_notices_contract import confirmed, met

# What a migration may do: tables, and columns that may be null or have a default.
ADDED = (
    "DELETE FROM schema_compatibility",
    "CREATE TABLE devices (id TEXT PRIMARY KEY, owner TEXT)",
    "ALTER TABLE visits ADD COLUMN device TEXT",
    "ALTER TABLE grants ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0",
    "UPDATE alembic_version SET version_num = 'ledger_9999'",
)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A ledger that the next version has migrated; it says nothing of other versions yet."""
    found = new_url(request.param, request, tmp_path)
    upgrade(found)
    with connected(found) as connection:
        for statement in ADDED:
            connection.execute(text(statement))
    yield found


def say(url: str, oldest: str) -> None:
    """The row by which the next version says who may use its schema."""
    with connected(url) as connection:
        connection.execute(
            text("INSERT INTO schema_compatibility VALUES (:oldest)"), {"oldest": oldest}
        )


def test_this_version_works_on_the_next_schema(url: str) -> None:
    """Visits, grants, confirmations, sums, news and retention work, and an upgrade leaves the newer
    schema as it is."""
    say(url, HEAD)
    assert upgrade(url) is False
    with closing(SqlLedger(url, "a")) as ledger, closing(SqlLedger(url, "b")) as other:
        ledger.check()
        ledger.write_visits([visit(1), visit(2)])
        ledger.write_visits([visit(2, rev=2, end=START + 150.0)])
        ledger.add_grant(grant(), actor="cli:ada")
        assert {row.id: row.rev for row in other.visits(0.0)} == {"v1": 1, "v2": 2}
        assert [row.person for row in other.grants(0.0)] == ["ana"]
        assert other.totals(START, START + 3600.0)
        assert {row.id for row in other.news(0.0).visits} == {"v1", "v2"}
        assert ledger.acknowledge(confirmed())
        ledger.meet(met())
        assert other.news(0.0).acknowledgements == (confirmed(),)
        assert other.prune(START + 100.0) == 3
    assert health(url).schema == "ledger_9999"
    with connected(url) as connection:
        assert schema_version(connection)[0] == "ledger_9999"


def test_what_the_next_version_wrote_is_left_alone(url: str) -> None:
    """A row that this version writes again keeps what stands in the columns that only the next
    version knows."""
    say(url, HEAD)
    with closing(SqlLedger(url, "a")) as ledger:
        ledger.write_visits([visit(1)])
        with connected(url) as connection:
            connection.execute(text("UPDATE visits SET device = 'laptop'"))
        ledger.write_visits([visit(1, rev=2, end=START + 90.0)])
    with connected(url) as connection:
        assert connection.execute(text("SELECT rev, device FROM visits")).all() == [(2, "laptop")]


@pytest.mark.parametrize("oldest", ["ledger_9998", None])
def test_a_schema_that_is_not_for_this_version(url: str, oldest: str | None) -> None:
    """Where the next version needs programs that know more, or does not say, nothing is opened."""
    if oldest is not None:
        say(url, oldest)
    with pytest.raises(LedgerUnusable, match="a newer Allowance") as caught:
        upgrade(url)
    assert caught.value.kind == "newer"
