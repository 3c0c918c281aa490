"""Twin of db/migrate.py: every migration up and down, with data, on both engines."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from db.address import parse
from db.engine import REVISIONS, open_engine, schema_version
from db.ledger import SqlLedger
from db.migrate import config, to_revision
from db.models import Base
from db.upgrade import upgrade
from proxy_addon.core.types import EvidenceSummary, Extension, Grant, Visit
from tests.db.engines import ENGINES, connected, new_url
from tests.ledger.test_notices_contract import START, confirmed, met
from tests.ledger.test_notices_contract import text as text_of

VISIT = Visit("v", "ana", "x", None, "daily", "r", 10.25, 20.5, "a")
TRAIL = EvidenceSummary(
    ("page-opened", 10.25), (Extension("page-action", 11.5, 12.0, 3),), ("time-up", 20.5), 1.5
)
GRANT = Grant("g", "ana", "daily", 60.0, "why", "lead", 5.0, 1e10)


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it."""
    return new_url(request.param, request, tmp_path)


def down(url: str, revision: str) -> None:
    """Migrate back."""
    address = parse(url)
    engine = open_engine(address, "test")
    to_revision(engine, address, revision)
    engine.dispose()


def test_the_models_equal_the_migrations(url: str) -> None:
    """After all migrations Alembic finds nothing that the models have and the database has not, or
    the reverse."""
    upgrade(url)
    with connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_known_revisions() -> None:
    """The list that a start looks at names exactly the migrations there are, in their order."""
    scripts = ScriptDirectory.from_config(config())
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_down_to_nothing_and_up_again_with_data(url: str) -> None:
    """With rows in every table all migrations can be undone, and the result can be used again."""
    upgrade(url)
    fill(url)
    down(url, "base")
    with connected(url) as connection:
        assert schema_version(connection) == (None, frozenset())
    assert upgrade(url) is True
    fill(url)


def test_each_step_back_and_forth_keeps_the_data(url: str) -> None:
    """From the first schema on, a step back and forth keeps visits and grants."""
    upgrade(url)
    fill(url)
    for revision in reversed(REVISIONS[:-1]):
        down(url, revision)
    upgrade(url)
    ledger = SqlLedger(url, "a")
    assert list(ledger.visits(0.0)) == [VISIT]
    assert list(ledger.grants(0.0)) == [GRANT]
    ledger.close()


def test_evidence_has_no_place_in_earlier_schemas(url: str) -> None:
    """One step back and forth: the visits stay, their evidence is gone, and new evidence can be
    written."""
    upgrade(url)
    ledger = SqlLedger(url, "a")
    ledger.write_visits([replace(VISIT, evidence=TRAIL), replace(VISIT, id="w")])
    assert [row.evidence for row in ledger.visits(0.0)] == [TRAIL, None]
    ledger.close()
    down(url, "ledger_0002")
    upgrade(url)
    ledger = SqlLedger(url, "a")
    assert list(ledger.visits(0.0)) == [VISIT, replace(VISIT, id="w")]
    ledger.write_visits([replace(VISIT, evidence=TRAIL, rev=2)])
    assert [row.evidence for row in ledger.visits(0.0)] == [TRAIL, None]
    ledger.close()


def test_confirmations_in_earlier_schemas(url: str) -> None:
    """One step back and forth: who confirmed which text, and when, stays; notice, version and page
    are gone, meetings and texts as well, and all can be written again."""
    upgrade(url)
    ledger = SqlLedger(url, "a")
    ledger.acknowledge(confirmed())
    ledger.meet(met())
    ledger.keep_notice(text_of())
    ledger.close()
    down(url, "ledger_0004")
    with connected(url) as connection:
        assert schema_version(connection)[1] >= {"acknowledgements"}
        assert not schema_version(connection)[1] & {"notice_meetings", "schema_compatibility"}
        assert connection.execute(text("SELECT person, digest FROM acknowledgements")).all() == [
            ("ana", "d3")
        ]
    upgrade(url)
    ledger = SqlLedger(url, "a")
    old = replace(confirmed(), notice="", version="", page="")
    assert list(ledger.acknowledgements()) == [old]
    assert (list(ledger.meetings()), list(ledger.notice_versions())) == ([], [])
    assert ledger.news(0.0).acknowledgements == ()  # nobody knows when it was written
    assert ledger.acknowledge(confirmed(START + 1))
    assert list(ledger.acknowledgements()) == [confirmed(START + 1)]
    ledger.close()


def test_a_ledger_of_earlier_gets_an_id(url: str) -> None:
    """The migration gives a ledger with data an id; it stays, whatever is upgraded again."""
    upgrade(url)
    fill(url)
    down(url, "ledger_0005")
    upgrade(url)
    ledger = SqlLedger(url, "a")
    key = ledger.identity()
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert upgrade(url) is False
    assert ledger.identity() == key
    ledger.close()


def fill(url: str) -> None:
    """A row in every table."""
    ledger = SqlLedger(url, "a")
    ledger.write_visits([VISIT])
    ledger.add_grant(GRANT, actor="lead")
    ledger.close()
    at = "'2026-11-02 09:00:00.000000+00:00'"
    with connected(url) as connection:
        for table, columns, values in (
            ("people", "name, added_at, added_by", f"'ana', {at}, 'ada'"),
            ("acknowledgements", "person, digest, acknowledged_at", f"'ana', 'abc', {at}"),
            (
                "notice_meetings",
                "person, notice, major, first_at, later_at, updated_at",
                f"'ana', 'social-media', 3, {at}, {at}, {at}",
            ),
            (
                "notice_versions",
                "digest, notice, version, major, seen_at, texts",
                f"'abc', 'social-media', '3', 3, {at}, '{{}}'",
            ),
            ("rule_versions", "digest, loaded_at, node", f"'abc', {at}, 'a'"),
            (
                "time_requests",
                "id, person, allowance, seconds, reason, status, created_at, grant_id",
                f"'t', 'ana', 'daily', 60, 'why', 'granted', {at}, 'g'",
            ),
        ):
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"))
