"""Twin of db/models.py: what the tables promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.models import Base, VisitRow
from db.upgrade import upgrade
from tests.db.engines import ENGINES, connected, new_url


def test_the_columns_of_a_visit() -> None:
    """A visit row has these columns and no other: the least data that does the job."""
    assert [column.name for column in VisitRow.__table__.columns] == [
        "id",
        "person",
        "platform",
        "section",
        "allowance",
        "rule",
        "started_at",
        "ended_at",
        "node",
        "rev",
        "updated_at",
        "evidence",
    ]


def test_nothing_that_was_read_is_stored() -> None:
    """No table has a place for a URL, a title, an address or content."""
    names = {column.name for table in Base.metadata.tables.values() for column in table.columns}
    assert not names & {
        "url",
        "uri",
        "path",
        "host",
        "title",
        "referer",
        "address",
        "ip",
        "content",
        "query",
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_deleted_grant_leaves_its_request(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Foreign keys are enforced on both engines: a request keeps no link to a grant that has
    gone."""
    url = new_url(engine, request, tmp_path)
    upgrade(url)
    at = "'2026-11-02 09:00:00.000000+00:00'"
    columns = "id, person, allowance, seconds, reason, status, created_at, grant_id"
    ask = f"INSERT INTO time_requests ({columns}) VALUES "
    with connected(url) as connection:
        connection.execute(
            text(
                f"INSERT INTO grants VALUES ('g', 'ana', 'daily', 60, '', 'lead', {at}, {at}, {at}, false)"
            )
        )
        connection.execute(text(f"{ask} ('t', 'ana', 'daily', 60, '', 'granted', {at}, 'g')"))
        connection.execute(text("DELETE FROM grants"))
        assert connection.execute(text("SELECT grant_id FROM time_requests")).scalars().all() == [
            None
        ]
    with pytest.raises(IntegrityError), connected(url) as connection:
        connection.execute(text(f"{ask} ('u', 'ana', 'daily', 60, '', 'granted', {at}, 'nowhere')"))
