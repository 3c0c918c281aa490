"""Twin of db/changeover.py; real changes of servers are in test_switchover.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.address import parse
from db.changeover import Changeovers
from db.engine import open_engine
from tests.postgres import PostgresServer


@pytest.mark.postgres
def test_lost_and_found(postgres_url: str, postgres_server: PostgresServer) -> None:
    """A connection that was cut counts, the first call that works after it counts once, and a
    mistake in a statement does not count."""
    engine = open_engine(parse(postgres_url), "a")
    changes = Changeovers(engine)
    with engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT nonsense"))
    changes.worked()
    assert changes.number == 0
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        postgres_server.run(f"SELECT pg_terminate_backend({pid}, 10000)")
        with pytest.raises(DBAPIError):
            connection.execute(text("SELECT 1"))
    assert changes.number == 1
    changes.worked()
    changes.worked()
    assert changes.number == 2
    engine.dispose()


def test_sqlite_changes_nothing(tmp_path: Path) -> None:
    """A file has no connection that could lead elsewhere."""
    engine = open_engine(parse(f"sqlite:///{tmp_path}/no.db"), "a")
    changes = Changeovers(engine)
    with pytest.raises(DBAPIError):
        engine.connect()
    assert changes.number == 0
