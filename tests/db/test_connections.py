"""Twin of db/connections.py: an address that leads to another ledger; files are in
test_sqlite_files.py, servers that change places in test_switchover.py."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text

from db.ledger import SqlLedger
from db.upgrade import upgrade
from proxy_addon.core.types import Visit
from proxy_addon.ledger.interface import LedgerUnavailable, LedgerUnusable
from tests.db.engines import connected
from tests.faults.relay import Relay
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres
VISIT = Visit("v", "ana", "x", None, None, None, 0.0, 1.0, "a")


def test_an_address_leads_to_another_ledger(
    postgres_server: PostgresServer, own_postgres: PostgresServer
) -> None:
    """A server with another ledger under the same name, and one with none, get no visits; the one
    that was used until now is used again."""
    own_postgres.start()
    name = postgres_server.new_database()
    upgrade(postgres_server.url(name))
    own_postgres.run(f"CREATE DATABASE {name}")
    with Relay(postgres_server.port) as relay:
        url = postgres_server.url(name).replace(f":{postgres_server.port}/", f":{relay.port}/")
        with closing(SqlLedger(url, "a")) as ledger:
            ledger.write_visits([VISIT])
            for made, kind, words in (
                (False, "gone", "has no ledger in it any more"),
                (True, "identity", "is another ledger"),
            ):
                if made:
                    upgrade(own_postgres.url(name))
                relay.to = own_postgres.port
                relay.set("cut")
                relay.set("pass")
                with pytest.raises(LedgerUnavailable, match=words) as caught:
                    ledger.write_visits([VISIT])
                assert caught.value.kind == kind
                assert ledger.place in str(caught.value)
            with connected(own_postgres.url(name)) as connection:
                assert connection.execute(text("SELECT count(*) FROM visits")).scalar() == 0
            relay.to = postgres_server.port
            relay.set("cut")
            relay.set("pass")
            ledger.write_visits([VISIT])
            assert list(ledger.visits(0.0)) == [VISIT]


def test_an_id_that_was_removed(postgres_url: str) -> None:
    """A table without its row, and one with two, are no ledger to write to."""
    upgrade(postgres_url)
    with connected(postgres_url) as connection:
        connection.execute(text("DELETE FROM ledger_identity"))
    with closing(SqlLedger(postgres_url, "a")) as ledger, pytest.raises(LedgerUnusable):
        ledger.write_visits([VISIT])
